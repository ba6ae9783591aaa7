package config

import (
	"bytes"
	"reflect"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Tables is a file whose words are another package's. It is read as strictly as
// a wr.toml, into structs with the same tags.
type Tables struct {
	decoder
	tree map[string]any
}

// ParseTables reads TOML that faults call name. The codes of its mistakes begin
// with area, as "manifest.unknown_key".
func ParseTables(area, name string, data []byte) (*Tables, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	tree, err := parseTree(name, data)
	if err != nil {
		f := fault.Of(err)
		f.Code = inArea(area, f.Code)
		return nil, f
	}
	t := NewTables(area, name, tree)
	t.lines = lines(data)
	return t, nil
}

// NewTables is a file that was read already, of the types that TOML has. It knows
// no lines.
func NewTables(area, name string, tree map[string]any) *Tables {
	return &Tables{decoder{area: area, name: name, lines: map[string]int{}, bad: map[string]bool{}}, tree}
}

// Tree is the file as it was read.
func (t *Tables) Tree() map[string]any { return t.tree }

// Fill fills the struct that into points to from the whole file.
func (t *Tables) Fill(into any) {
	t.root = reflect.TypeOf(into).Elem()
	t.table("", t.tree, reflect.ValueOf(into).Elem())
}

// FillTable fills what into points to, a struct or a map, from one table of the
// file, if it has that.
func (t *Tables) FillTable(name string, into any) {
	if value, ok := t.tree[name]; ok {
		t.root = reflect.TypeOf(into).Elem()
		t.value(name, value, reflect.ValueOf(into).Elem(), reflect.StructField{})
	}
}

// Refuse notes that the value or key at makes no sense, and what may have been meant.
func (t *Tables) Refuse(at, hint, format string, args ...any) {
	before := len(t.problems)
	t.refuse(at, format, args...)
	t.problems[before].Fault.Hint = hint
}

// Sound reports whether nothing wrong was found in the value or key at.
func (t *Tables) Sound(at string) bool { return !t.bad[at] }

// Line is the line of a key, or of the nearest one around it.
func (t *Tables) Line(at string) int { return t.line(at) }

// Result is an [Errors] with all mistakes found so far, or nil.
func (t *Tables) Result() error { return t.result() }

// Element is the dotted key of an element of the list at.
func Element(at string, i int) string { return element(at, i) }

// Below is the dotted key of what is in the table or element at.
func Below(at, key string) string { return join(at, key) }

// inArea replaces the area of a code.
func inArea(area, code string) string {
	if area == "" {
		return code
	}
	return area + strings.TrimPrefix(code, "config")
}
