package pyscan

import (
	"slices"
	"strings"
)

// class is a class of the file.
type class struct {
	name     string
	line     int
	scope    *scope
	mro      []*class // itself first
	marks    []mark   // of its own, as pytest keeps them: pytestmark, then the innermost decorator first
	reasons  []Reason // why its cases are not decided
	testCase bool     // derives from unittest.TestCase
	made     bool     // has an __init__ or __new__ from elsewhere
	abc      bool     // of type ABCMeta
	foreign  string   // a base of another file, which may have tests
	computed bool     // has a base that nobody knows
	touched  bool
}

// maxAncestors bounds chains of classes, each of which lists those above it.
const maxAncestors = 64

// class carries out a class statement. Its body sees its own names and those of
// the module, not those of a class around it.
func (w *walker) class(outer *scope, s *stmt) value {
	c := &class{name: s.name, line: s.line, scope: newScope(moduleOf(outer))}
	c.inherit(outer, s)
	w.body(c.scope, c, s.blocks[0].body, false)
	reasons, gone := checkMarks(c.scope, c.reasons)
	if c.reasons = append(c.reasons, reasons...); gone {
		c.marks = nil
	}
	if b, ok := c.scope.names["pytest_generate_tests"]; ok {
		c.doubt(CodeHook, Marks, b.line, "pytest_generate_tests")
		c.doubt(CodeHook, IDs, b.line, "pytest_generate_tests")
	}
	for _, d := range slices.Backward(s.decorators) {
		c.decorate(outer, d)
	}
	return value{kind: classValue, class: c}
}

func moduleOf(s *scope) *scope {
	for s.outer != nil {
		s = s.outer
	}
	return s
}

// doubt notes why the cases of a class are not decided.
func (c *class) doubt(code string, d Doubt, line int, what string) {
	c.reasons = append(c.reasons, Reason{Code: code, Doubt: d, Line: line, What: what})
}

// inherit reads the bases of a class.
func (c *class) inherit(sc *scope, s *stmt) {
	var bases []*class
	for _, e := range s.bases.items {
		if base := c.base(sc, e); base != nil {
			bases = append(bases, base)
		}
	}
	for _, k := range s.bases.keywords {
		if v := sc.resolve(k.value); k.name == "metaclass" && v.path == "abc.ABCMeta" {
			c.abc = true
		} else {
			c.doubt(CodeMetaclass, Cases, k.value.line, "the class is made with "+k.name+"="+k.value.String())
		}
	}
	c.linearize(bases)
	for _, above := range c.mro[1:] {
		c.testCase = c.testCase || above.testCase
		c.made = c.made || above.made
		c.abc = c.abc || above.abc
		c.computed = c.computed || above.computed
		if c.foreign == "" {
			c.foreign = above.foreign
		}
	}
}

// base reads one base; nil if it is no class of this file.
func (c *class) base(sc *scope, e expr) *class {
	v := sc.resolve(e)
	if e.form == opaque { // Generic[T]: what is indexed counts
		v = sc.resolve(expr{form: nameExpr, text: e.text})
	}
	switch {
	case v.kind == classValue:
		return v.class
	case testCases[v.path]:
		c.testCase = true
	case v.path == "abc.ABC":
		c.abc = true
	case plainBases[v.path]:
	case v.kind == builtinValue && builtinBases[v.path], madeBases[v.path]:
		c.made = true
	default:
		c.unknownBase(sc, e, v)
	}
	return nil
}

// unknownBase notes a base that is no class of this file.
func (c *class) unknownBase(sc *scope, e expr, v value) {
	if e.form == callExpr {
		v = sc.resolve(*e.fn)
	}
	switch {
	case v.kind == externalValue && e.form == callExpr && isStdlib(v.path): // a named tuple
		c.made = true
		return
	case v.kind == externalValue:
		c.foreign = v.path
	default:
		c.computed, c.foreign = true, e.String()
	}
	c.doubt(CodeBase, Cases, e.line, "the base class "+e.String())
}

// linearize finds the order in which Python looks for attributes: C3.
func (c *class) linearize(bases []*class) {
	c.mro = []*class{c}
	var lists [][]*class
	for _, b := range bases {
		lists = append(lists, b.mro)
	}
	lists = append(lists, bases)
	for {
		lists = slices.DeleteFunc(lists, func(l []*class) bool { return len(l) == 0 })
		if len(lists) == 0 {
			return
		}
		next := candidate(lists)
		if next == nil || len(c.mro) > maxAncestors {
			c.doubt(CodeBase, Cases, c.line, "the bases of "+c.name+" have no order")
			return
		}
		c.mro = append(c.mro, next)
		for i, l := range lists {
			if l[0] == next {
				lists[i] = l[1:]
			}
		}
	}
}

// candidate is the first class that no list has behind its first.
func candidate(lists [][]*class) *class {
	for _, l := range lists {
		if !slices.ContainsFunc(lists, func(other []*class) bool { return slices.Contains(other[1:], l[0]) }) {
			return l[0]
		}
	}
	return nil
}

// decorate applies a decorator to a class.
func (c *class) decorate(sc *scope, d decorator) {
	if v := sc.resolve(d.expr); v.kind == markValue {
		v.mark.line = d.line
		c.marks = append(c.marks, v.mark)
		return
	}
	callee := d.expr
	if callee.form == callExpr {
		callee = *callee.fn
	}
	v := sc.resolve(callee)
	switch {
	case v.path == "dataclasses.dataclass":
		if init, given := d.expr.keyword("init"); !given || init.text != "False" {
			c.made = true
		}
	case v.kind == externalValue && strings.Contains(v.path, "mock.patch") && wrappers[v.path]:
		c.doubt(CodeDecorator, IDs, d.line, "the decorator @"+callee.String())
	case v.kind == externalValue && wrappers[v.path]:
	default:
		c.doubt(CodeDecorator, Cases, d.line, "the decorator @"+callee.String())
	}
}

// attribute finds a name in the class and those above it.
func (c *class) attribute(name string) (*binding, bool) {
	for _, above := range c.mro {
		if b, ok := above.scope.names[name]; ok && !b.gone {
			return b, true
		}
	}
	return nil, false
}

// constructed reports whether pytest takes nothing from the class because it
// has an __init__ or a __new__.
func (c *class) constructed() bool {
	for _, name := range []string{"__init__", "__new__"} {
		if b, ok := c.attribute(name); ok && b.value.kind == functionValue && !b.maybe {
			return true
		}
	}
	return c.made
}

// mayBeConstructed reports whether it is not known if the class has one.
func (c *class) mayBeConstructed() bool {
	_, hasInit := c.attribute("__init__")
	_, hasNew := c.attribute("__new__")
	return (hasInit || hasNew) && !c.constructed()
}

// isAbstract reports whether a method is missing, so that nobody makes
// instances.
func (c *class) isAbstract() bool {
	if !c.abc {
		return false
	}
	for _, above := range c.mro {
		for name, b := range above.scope.names {
			if b.value.kind != functionValue || !b.value.fn.abstract {
				continue
			}
			if b, _ := c.attribute(name); b != nil && b.value.kind == functionValue && b.value.fn.abstract {
				return true
			}
		}
	}
	return false
}

// truth is what __test__ says.
type truth uint8

const (
	unset     truth = iota // nothing
	unknown                // something that is computed
	untrue                 // no test
	truthy                 // a test by its name
	exactTrue              // a test by any name
)

// test is what __test__ says about the class.
func (c *class) test() truth {
	b, ok := c.attribute("__test__")
	switch {
	case !ok:
		return unset
	case b.value.kind != literalValue || b.maybe:
		return unknown
	case falsy(b.value.expr):
		return untrue
	case b.value.expr.form == constExpr && b.value.expr.text == "True":
		return exactTrue
	}
	return truthy
}
