package pyscan

import (
	"maps"
	"slices"
	"strings"
)

// Bounds of what is counted. Aliases of classes multiply cases, and so do marks.
const (
	maxVisits    = 1 << 16
	maxNesting   = 100     // of classes
	maxInstances = 1 << 14 // of a case
)

// node is what a case lies in: the classes around it, the outermost first.
type node struct {
	prefix  string
	classes []*class
}

// collect finds the cases, as pytest's Module.collect does.
func (w *walker) collect() {
	if test, ok := w.module.names["__test__"]; ok {
		if test.value.kind != literalValue || test.maybe {
			w.doubt(CodeComputed, Cases, test.line, "__test__")
		} else if falsy(test.value.expr) {
			return
		}
	}
	if w.hasGetattr() {
		return
	}
	reasons, gone := checkMarks(w.module, w.file.Reasons)
	if w.file.Reasons = append(w.file.Reasons, reasons...); gone {
		w.marks = nil
	}
	w.module.all(func(name string, b *binding) { w.visit(node{}, name, b) })
	w.carriers()
}

// falsy reports whether a literal is false in a condition.
func falsy(e expr) bool {
	switch e.form {
	case constExpr:
		return e.text != "True"
	case intExpr, floatExpr:
		return strings.Trim(e.text, "-0.") == ""
	case textExpr, bytesExpr:
		return e.text == ""
	}
	return len(e.items) == 0
}

// hasGetattr reports whether the module makes names when asked for them.
func (w *walker) hasGetattr() bool {
	b, ok := w.module.names["__getattr__"]
	if ok {
		w.doubt(CodeDynamic, Cases, b.line, "the module has a __getattr__")
	}
	return ok
}

// visit collects from one name of a module or of a class of pytest's kind.
func (w *walker) visit(in node, name string, b *binding) {
	w.visits++
	if w.visits > maxVisits || len(in.classes) > maxNesting {
		w.tooMany(b.line)
		return
	}
	v := b.value
	switch {
	case b.maybe:
		w.maybe(in, name, b)
	case v.kind == functionValue:
		if w.rules.function(name) && !v.fn.fixture {
			w.add(in, name, v.fn)
		}
	case v.kind == classValue:
		w.visitClass(in, name, v.class)
	case v.kind == externalValue:
		if w.rules.either(name) && !harmless[v.path] && !testCases[v.path] && !isStdlib(v.path) {
			w.unsure(in, CodeImported, b.line, name+" is "+v.path)
		}
	case v.kind == computed && w.rules.either(name):
		w.unsure(in, CodeComputed, b.line, name+" is computed")
	}
}

// tooMany notes, once, that there is more than this package counts.
func (w *walker) tooMany(line int) {
	if !w.full {
		w.full = true
		w.doubt(CodeTooMany, Cases, line, "more names than are looked at")
	}
}

// maybe says what is open about a name that is bound under a condition.
func (w *walker) maybe(in node, name string, b *binding) {
	carries := b.value.kind == classValue && (b.value.class.testCase || b.value.class.suspect())
	if w.rules.either(name) && b.value.kind != literalValue && !harmless[b.value.path] || carries {
		w.unsure(in, CodeConditional, b.line, name+" is bound under a condition")
	}
}

// unsure notes a reason about a node: the module, or all cases of a class.
func (w *walker) unsure(in node, code string, line int, what string) {
	if len(in.classes) == 0 {
		w.doubt(code, Cases, line, what)
		return
	}
	w.doubt(code, Cases, line, strings.TrimSuffix(in.prefix, "::")+": "+what)
}

// suspect reports whether the class may be a test case: a base is computed, or
// one of another file is called as test cases are.
func (c *class) suspect() bool { return c.computed || c.foreign != "" && looksLikeTest(c.foreign) }

// visitClass collects from a class, if pytest would.
func (w *walker) visitClass(in node, name string, c *class) {
	test := c.test()
	if !c.testCase && !c.suspect() && !w.rules.class(name) && test != exactTrue && test != unknown {
		return
	}
	inner := node{prefix: in.prefix + name + "::", classes: append(slices.Clip(in.classes), c)}
	switch {
	case test == unknown:
		w.unsure(inner, CodeComputed, c.line, "__test__ is computed")
	case test == untrue || c.isAbstract():
	case c.testCase:
		w.blame(inner, c)
		w.unittest(inner, c)
	case !c.constructed():
		if c.mayBeConstructed() {
			w.unsure(inner, CodeComputed, c.line, "__init__ or __new__ is computed")
		}
		w.blame(inner, c)
		w.members(inner, c)
	}
}

// blame makes the reasons of a class reasons of the file: nobody knows whether
// there are cases besides those that are seen.
func (w *walker) blame(in node, c *class) {
	for _, above := range c.mro {
		for _, r := range above.reasons {
			if r.Doubt == Cases {
				w.unsure(in, r.Code, r.Line, r.What)
				return
			}
		}
	}
}

// members collects from a class of pytest's kind: names of the class itself
// hide those above; what comes from above is collected first.
func (w *walker) members(in node, c *class) {
	seen := map[string]bool{}
	own := make([][]string, len(c.mro))
	for i, above := range c.mro {
		above.scope.all(func(name string, _ *binding) {
			if !seen[name] {
				seen[name] = true
				own[i] = append(own[i], name)
			}
		})
	}
	for i, names := range slices.Backward(own) {
		for _, name := range names {
			w.visit(in, name, c.mro[i].scope.names[name])
		}
	}
}

// unittest collects the methods of a unittest.TestCase, by name.
func (w *walker) unittest(in node, c *class) {
	methods := map[string]*binding{}
	for _, above := range slices.Backward(c.mro) {
		above.scope.all(func(name string, b *binding) { methods[name] = b })
	}
	found := false
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		if strings.HasPrefix(name, "test") {
			found = w.method(in, name, methods[name]) || found
		}
	}
	if b, ok := methods["runTest"]; ok && !found {
		w.method(in, "runTest", b)
	}
}

// method collects one method of a unittest.TestCase.
func (w *walker) method(in node, name string, b *binding) bool {
	w.visits++
	switch {
	case w.visits > maxVisits:
		w.tooMany(b.line)
	case b.maybe || b.value.kind == computed || b.value.kind == externalValue || b.value.kind == classValue:
		w.unsure(in, CodeComputed, b.line, name+" is computed")
	case b.value.kind == functionValue:
		w.add(in, name, b.value.fn)
		return true
	}
	return false
}
