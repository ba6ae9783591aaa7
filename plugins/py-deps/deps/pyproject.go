package deps

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/wr-build/wr/sdk/go/abi"
)

// pyproject reads a pyproject.toml. One without a table for dependencies declares
// nothing, and counts as not there.
func (d *declared) pyproject(name string, src []byte, config Config) []abi.Diagnostic {
	var whole map[string]any
	if err := toml.Unmarshal(src, &whole); err != nil {
		said := abi.Diagnostic{File: name, Severity: abi.SeverityError, Rule: RuleUnread, Message: err.Error()}
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			row, column := at.Position()
			said.Range.Start = abi.Position{Line: row, Column: column}
		}
		d.broken = true
		return []abi.Diagnostic{said}
	}
	r := &tomlReader{name: name, src: src, config: config, into: d}
	r.parser.Reset(src)
	r.all()
	if r.declares {
		d.files = append(d.files, name)
	}
	return nil
}

// tomlReader takes dependencies out of one pyproject.toml. It reads the syntax, as
// only that knows where things are.
type tomlReader struct {
	parser   unstable.Parser
	name     string
	src      []byte
	config   Config
	into     *declared
	declares bool
}

func (r *tomlReader) all() {
	var table []string
	for r.parser.NextExpression() {
		switch node := r.parser.Expression(); node.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = keys(node)
			r.table(table)
			r.titled(table, node)
		case unstable.KeyValue:
			r.keyValue(table, node)
		}
	}
}

func keys(node *unstable.Node) []string {
	var all []string
	for it := node.Key(); it.Next(); {
		all = append(all, string(it.Node().Data))
	}
	return all
}

// table notes that there is a table for dependencies.
func (r *tomlReader) table(at []string) {
	switch {
	case is(at[:1], "project"), is(at[:1], "dependency-groups"), is(at[:min(2, len(at))], "tool", "poetry"):
		r.declares = true
	}
}

// titled takes a dependency that has a table of its own.
func (r *tomlReader) titled(at []string, node *unstable.Node) {
	group, _, named := r.place(at)
	if !named || at[len(at)-1] == "python" {
		return
	}
	var last *unstable.Node
	for it := node.Key(); it.Next(); {
		last = it.Node()
	}
	r.into.all = append(r.into.all, Dependency{Name: at[len(at)-1], Group: group, File: r.name, Line: r.parser.Shape(last.Raw).Start.Line})
}

func (r *tomlReader) keyValue(table []string, node *unstable.Node) {
	at, value := slices.Concat(table, keys(node)), node.Value()
	group, listed, named := r.place(at)
	switch {
	case is(at, "project", "name"), is(at, "tool", "poetry", "name"):
		r.into.name = string(value.Data)
	case is(at, "project", "dynamic"):
		for it := value.Children(); it.Next(); {
			r.into.dynamic = r.into.dynamic || string(it.Node().Data) == "dependencies"
		}
	case listed && value.Kind == unstable.Array:
		r.list(value, group)
	case named && at[len(at)-1] != "python":
		r.named(node, at[len(at)-1], group)
	case value.Kind == unstable.InlineTable:
		r.table(at)
		for it := value.Children(); it.Next(); {
			r.keyValue(at, it.Node())
		}
	}
}

// place says what is declared at a key: a list of requirements, or the version of
// one that the key names; and for whom.
func (r *tomlReader) place(at []string) (group Group, listed, named bool) {
	dev := func(name string) Group {
		if forDev(name, r.config) {
			return Dev
		}
		return Extra
	}
	switch {
	case is(at, "project", "dependencies"):
		return Main, true, false
	case is(at, "project", "optional-dependencies", "*"):
		return dev(at[2]), true, false
	case is(at, "dependency-groups", "*"), is(at, "tool", "uv", "dev-dependencies"), is(at, "tool", "pdm", "dev-dependencies", "*"):
		return Dev, true, false
	case is(at, "tool", "poetry", "dependencies", "*"):
		return Main, false, true
	case is(at, "tool", "poetry", "group", "main", "dependencies", "*"):
		return Main, false, true
	case is(at, "tool", "poetry", "group", "*", "dependencies", "*"), is(at, "tool", "poetry", "dev-dependencies", "*"):
		return Dev, false, true
	}
	return Main, false, false
}

// is compares a key with a pattern, in which "*" is any part.
func is(at []string, pattern ...string) bool {
	return slices.EqualFunc(at, pattern, func(part, want string) bool { return want == "*" || part == want })
}

// list takes the requirements of an array.
func (r *tomlReader) list(array *unstable.Node, group Group) {
	for it := array.Children(); it.Next(); {
		item := it.Node()
		if name := nameOf(string(item.Data)); item.Kind == unstable.String && name != "" {
			r.add(name, group, item.Raw)
		}
	}
}

// named takes a dependency that is a key.
func (r *tomlReader) named(node *unstable.Node, name string, group Group) {
	it := node.Key()
	it.Next()
	r.add(name, group, it.Node().Raw)
}

// add notes a dependency and, if it has its line for itself, how to take it out.
func (r *tomlReader) add(name string, group Group, at unstable.Range) {
	offset := int(at.Offset)
	d := Dependency{Name: name, Group: group, File: r.name, Line: r.parser.Shape(at).Start.Line}
	start := bytes.LastIndexByte(r.src[:offset], '\n') + 1
	end := len(r.src)
	if i := bytes.IndexByte(r.src[offset:], '\n'); i >= 0 {
		end = offset + i + 1
	}
	before := strings.TrimSpace(string(r.src[start:offset]))
	after := strings.TrimSpace(string(r.src[offset+int(at.Length) : end]))
	if before == "" && (after == "" || after == "," || isWhole(after)) {
		d.Remove = abi.Edit{File: r.name, Start: int64(start), End: int64(end)}
	}
	r.into.all = append(r.into.all, d)
}

// isWhole says whether a key's value ends in its line.
func isWhole(rest string) bool {
	var value map[string]any
	return strings.HasPrefix(rest, "=") && toml.Unmarshal([]byte("x "+rest), &value) == nil
}
