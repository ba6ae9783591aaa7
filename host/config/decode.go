package config

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// decoder fills structs from a TOML tree and collects what does not fit. It
// exists because go-toml stops at the first value of a wrong type and words
// it for programmers.
type decoder struct {
	area     string         // of the codes of mistakes; "" = config
	name     string         // of the file, for faults
	root     reflect.Type   // what the whole file fills
	lines    map[string]int // by dotted key
	bad      map[string]bool
	problems Errors
}

// result returns the mistakes in the order of their lines, or nil.
func (d *decoder) result() error {
	if len(d.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		return cmp.Compare(a.Fault.Line, b.Fault.Line)
	})
	return d.problems
}

// mistake notes that the value or key at is wrong.
func (d *decoder) mistake(at string, f fault.Error) {
	f.Class, f.File, f.Line = fault.Usage, d.name, d.line(at)
	f.Code = inArea(d.area, f.Code)
	d.bad[at] = true
	d.problems = append(d.problems, Problem{Key: at, Fault: &f})
}

// line returns the line of at, or of the nearest key around it.
func (d *decoder) line(at string) int {
	for ; at != ""; at = at[:max(0, strings.LastIndexAny(at, ".["))] {
		if line := d.lines[at]; line > 0 {
			return line
		}
	}
	return 0
}

// table fills a struct, or a map with one entry a key.
func (d *decoder) table(at string, tree map[string]any, into reflect.Value) {
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		if into.Kind() == reflect.Map {
			d.entry(join(at, key), key, tree[key], into)
			continue
		}
		if field, ok := fields(into.Type())[key]; ok {
			d.value(join(at, key), tree[key], into.FieldByIndex(field.Index), field)
			continue
		}
		d.unknown(join(at, key), key, tree[key], into.Type())
	}
}

// entry adds one key of a table with free keys.
func (d *decoder) entry(at, key string, value any, into reflect.Value) {
	item := reflect.New(into.Type().Elem()).Elem()
	d.value(at, value, item, reflect.StructField{})
	into.SetMapIndex(reflect.ValueOf(key), item)
}

// value fills into from value; field carries the tags that bound it.
func (d *decoder) value(at string, value any, into reflect.Value, field reflect.StructField) {
	if !fits(value, into.Type()) {
		d.wrongType(at, value, into.Type())
		return
	}
	if w, ok := reflect.TypeAssert[written](into.Addr()); ok {
		d.written(at, value, w)
		return
	}
	switch into.Kind() {
	case reflect.Bool:
		into.SetBool(value.(bool))
	case reflect.String:
		into.SetString(value.(string))
		d.enum(at, value.(string), field)
	case reflect.Int, reflect.Int64:
		into.SetInt(value.(int64))
	case reflect.Float64:
		into.Set(reflect.ValueOf(value).Convert(into.Type()))
	case reflect.Slice:
		d.list(at, value.([]any), into)
	case reflect.Map:
		into.Set(reflect.MakeMap(into.Type()))
		d.table(at, value.(map[string]any), into)
	case reflect.Interface:
		into.Set(reflect.ValueOf(value))
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.table(at, value.(map[string]any), into.Elem())
	default:
		d.table(at, value.(map[string]any), into)
	}
}

// written has into read value in the form that it is written as.
func (d *decoder) written(at string, value any, into written) {
	all := into.forms()
	form := reflect.New(all[slices.IndexFunc(all, func(t reflect.Type) bool { return fits(value, t) })]).Elem()
	before := len(d.problems)
	d.value(at, value, form, reflect.StructField{})
	if len(d.problems) > before { // in a part of it
		d.bad[at] = true
		return
	}
	if err := into.read(form.Interface()); err != nil {
		d.refuse(at, "%v", err)
	}
}

// list fills a slice; one bad element does not hide the others.
func (d *decoder) list(at string, values []any, into reflect.Value) {
	into.Set(reflect.MakeSlice(into.Type(), len(values), len(values)))
	for i, value := range values {
		d.value(element(at, i), value, into.Index(i), reflect.StructField{})
	}
}

// enum notes a text that is not one of those that the field's tag lists.
func (d *decoder) enum(at, text string, field reflect.StructField) {
	tag := field.Tag.Get("enum")
	allowed := strings.Split(tag, ",")
	if tag == "" || slices.Contains(allowed, text) {
		return
	}
	d.mistake(at, fault.Error{
		Code:    "config.bad_value",
		Message: fmt.Sprintf("%s: %q is not one of %s", d.label(at), text, strings.Join(allowed, ", ")),
		Hint:    fault.Closest(text, allowed),
	})
}

// unknown notes the key at that the struct type table does not have.
func (d *decoder) unknown(at, key string, value any, table reflect.Type) {
	if d.root == reflect.TypeFor[File]() && slices.Contains(notYet(), at) {
		d.mistake(at, fault.Error{
			Code:    "config.not_yet",
			Message: d.label(at) + " is not supported by this version of wr",
			Next:    "remove it, or use a newer wr",
		})
		return
	}
	f := fault.Error{
		Code:    "config.unknown_key",
		Message: "unknown key " + d.label(at),
		Hint:    fault.Closest(key, slices.Sorted(maps.Keys(fields(table)))),
	}
	if isTable(value) {
		f.Message = "unknown table " + d.label(at)
	} else if at == key {
		f.Message = "unknown key " + key
	}
	if home := d.homeOf(key); f.Hint == "" && home != "" {
		f.Next = fmt.Sprintf("%s belongs in [%s]", key, home)
	}
	d.mistake(at, f)
}

// wrongType notes a value whose TOML type is not the one wanted.
func (d *decoder) wrongType(at string, value any, want reflect.Type) {
	f := fault.Error{
		Code:    "config.bad_type",
		Message: fmt.Sprintf("%s: expected %s, got %s", d.label(at), describe(want), describeValue(value)),
	}
	assign := at[strings.LastIndex(at, ".")+1:] + " = "
	if strings.HasSuffix(at, "]") { // an element of a list has no key
		assign = ""
	}
	switch text, quoted := value.(string); {
	case want.Kind() == reflect.Slice && quoted:
		f.Next = fmt.Sprintf("write %s[%q]", assign, text)
	case isText(want) && !isTable(value) && !isList(value):
		f.Next = fmt.Sprintf("put it in quotes: %s\"%v\"", assign, value)
	}
	d.mistake(at, f)
}

// fits reports whether value has the TOML type that want is filled from.
func fits(value any, want reflect.Type) bool {
	if isWritten(want) {
		return slices.ContainsFunc(forms(want), func(form reflect.Type) bool { return fits(value, form) })
	}
	_, text := value.(string)
	_, whole := value.(int64)
	_, fraction := value.(float64)
	switch want.Kind() {
	case reflect.Bool:
		_, ok := value.(bool)
		return ok
	case reflect.String:
		return text
	case reflect.Interface:
		return true
	case reflect.Int, reflect.Int64:
		return whole
	case reflect.Float64:
		return whole || fraction
	case reflect.Slice:
		return isList(value)
	default:
		return isTable(value)
	}
}

// isText reports whether values of t are written as strings and nothing else.
func isText(t reflect.Type) bool {
	all := forms(t)
	return len(all) == 1 && all[0].Kind() == reflect.String
}

func isTable(value any) bool { _, ok := value.(map[string]any); return ok }

func isList(value any) bool { _, ok := value.([]any); return ok }

// fields returns the fields of a struct by their key in TOML.
func fields(t reflect.Type) map[string]reflect.StructField {
	found := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(t) {
		if key, _, _ := strings.Cut(field.Tag.Get("toml"), ","); key != "" && key != "-" {
			found[key] = field
		}
	}
	return found
}

// homeOf returns the first table of the file that has key, or "".
func (d *decoder) homeOf(key string) string {
	if d.root.Kind() != reflect.Struct { // no table of the file is known but one
		return ""
	}
	tables := fields(d.root)
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		t := tables[name].Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			continue
		}
		if _, ok := fields(t)[key]; ok {
			return name
		}
	}
	return ""
}

// notYet lists the keys that later versions have, so that they get a better
// answer than "unknown".
func notYet() []string {
	return []string{
		"suites", "repos", "deps", "services", "build",
		"image.pin", "test.isolation",
	}
}
