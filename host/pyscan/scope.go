package pyscan

import (
	"slices"
	"strings"
)

// valueKind is what is known of a value.
type valueKind uint8

const (
	computed      valueKind = iota // nothing
	builtinValue                   // a name that no statement binds: path
	externalValue                  // a name of another module: path
	functionValue                  // a def of this file
	classValue                     // a class of this file
	literalValue                   // a literal
	markValue                      // pytest.mark.NAME, perhaps with arguments
	inertValue                     // no test, whatever else it is: a property, a fixture of another kind
)

// value is what a name stands for, as far as that is known.
type value struct {
	kind  valueKind
	path  string
	fn    *function
	class *class
	expr  expr
	mark  mark
}

// binding is a name in a scope.
type binding struct {
	value value
	line  int
	maybe bool // only under some condition
	gone  bool // deleted
	at    int  // its place in the order of its scope
}

// scope is the namespace of a module or a class. Functions have none here: what
// happens in them happens after collection.
type scope struct {
	names map[string]*binding
	order []string // in which names came; pytest collects in it
	outer *scope
}

func newScope(outer *scope) *scope { return &scope{names: map[string]*binding{}, outer: outer} }

// bind gives a name a value.
func (s *scope) bind(name string, v value, at line) {
	b := s.names[name]
	if b == nil {
		b = &binding{gone: true}
		s.names[name] = b
	}
	switch {
	case b.gone: // new, or back: it comes last
		b.at = len(s.order)
		s.order = append(s.order, name)
	case at.maybe: // one of two values
		v = value{}
	}
	b.value, b.line, b.maybe, b.gone = v, at.number, at.maybe, false
}

// remove deletes a name.
func (s *scope) remove(name string, at line) {
	b := s.names[name]
	switch {
	case b == nil || b.gone:
	case at.maybe:
		s.bind(name, value{}, at)
	default:
		b.gone = true
	}
}

// all calls visit for each name, in the order in which they came.
func (s *scope) all(visit func(name string, b *binding)) {
	for i, name := range s.order {
		if b := s.names[name]; b.at == i && !b.gone {
			visit(name, b)
		}
	}
}

// line is where something happens, and whether only under some condition.
type line struct {
	number int
	maybe  bool
}

// lookup finds what a name is bound to.
func (s *scope) lookup(name string) (*binding, bool) {
	for ; s != nil; s = s.outer {
		if b, ok := s.names[name]; ok && !b.gone {
			return b, true
		}
	}
	return nil, false
}

// resolve finds out what an expression stands for.
func (s *scope) resolve(e expr) value {
	switch e.form {
	case nameExpr:
		return s.name(e)
	case callExpr:
		return s.call(e)
	case attrExpr:
		if v := s.resolve(*e.fn); v.kind == markValue && e.text == "with_args" {
			return v
		}
		return value{}
	case opaque, starExpr:
		return value{}
	}
	return value{kind: literalValue, expr: e}
}

// name resolves a dotted name.
func (s *scope) name(e expr) value {
	first, rest := head(e.text)
	b, ok := s.lookup(first)
	switch {
	case !ok:
		return value{kind: builtinValue, path: e.text}
	case b.maybe:
		return value{}
	case rest == "":
		return b.value
	case b.value.kind == externalValue:
		return external(b.value.path+"."+rest, e.line)
	case b.value.kind == markValue && rest == "with_args":
		return b.value
	}
	return value{}
}

// external is a name of another module.
func external(path string, line int) value {
	path = strings.TrimSuffix(path, ".with_args")
	if name, ok := strings.CutPrefix(path, "pytest.mark."); ok && !strings.Contains(name, ".") {
		return value{kind: markValue, mark: mark{name: name, line: line}}
	}
	return value{kind: externalValue, path: path}
}

// maxArguments is how many arguments of a mark may be added to.
const maxArguments = 64

// call resolves a call: only those of marks give something known.
func (s *scope) call(e expr) value {
	v := s.resolve(*e.fn)
	if v.kind != markValue {
		return value{}
	}
	if len(e.items) == 1 && len(e.keywords) == 0 {
		if arg := s.resolve(e.items[0]); arg.kind == functionValue || arg.kind == classValue {
			return value{} // it is marked, and comes out again
		}
	}
	m := v.mark
	m.line = e.line
	if len(m.call.items)+len(m.call.keywords) > maxArguments {
		return value{}
	}
	if m.call.form == callExpr { // arguments on top of others
		m.call.items = append(slices.Clip(m.call.items), e.items...)
		m.call.keywords = append(slices.Clip(m.call.keywords), e.keywords...)
	} else {
		m.call = e
	}
	m.scope = s
	return value{kind: markValue, mark: m}
}
