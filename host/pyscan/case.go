package pyscan

import (
	"slices"
)

// add adds the case of a function.
func (w *walker) add(in node, name string, fn *function) {
	if fn.yields { // an error of the whole file, or a test that is expected to fail
		w.doubt(CodeYield, Cases, fn.line, name+" has a yield")
	}
	c := Case{Name: in.prefix + name, Line: fn.line, Async: fn.stmt.async}
	nodes := [][]mark{fn.marks}
	c.Reasons = append(c.Reasons, fn.reasons...)
	for _, cl := range slices.Backward(in.classes) {
		nodes = append(nodes, w.inherited(&c, cl))
		c.Unittest = c.Unittest || cl.testCase
	}
	nodes = append(nodes, w.marks)
	w.contain(&c, nodes)
	all := slices.Concat(nodes...)
	if !c.Unittest {
		c.Fixtures = fn.arguments(len(in.classes) > 0)
		w.parametrize(&c, all)
	}
	c.uses(all)
	c.Marks = finish(all)
	w.file.Cases = append(w.file.Cases, c)
}

// inherited are the marks of a class: those of the classes above it come first,
// as pytest has it. Its reasons become those of the case.
func (w *walker) inherited(c *Case, cl *class) []mark {
	var all []mark
	marked := 0
	for _, above := range slices.Backward(cl.mro) {
		all = append(all, above.marks...)
		if len(above.marks) > 0 {
			marked++
		}
		for _, r := range above.reasons {
			if r.Doubt != Cases { // those about cases are the file's
				c.Reasons = append(c.Reasons, r)
			}
		}
	}
	if marked > 1 && len(cl.mro) > marked+1 {
		c.Reasons = append(c.Reasons, unknownMarks("marks of several base classes", cl.line)...)
	}
	return all
}

// contain finds the container of a case: the closest mark says.
func (w *walker) contain(c *Case, nodes [][]mark) {
	for _, marks := range nodes {
		names, why, line := containers(marks)
		if why != "" {
			c.Reasons = append(c.Reasons, Reason{Code: CodeContainer, Doubt: Marks, Line: line, What: why})
			return
		}
		if len(names) > 0 {
			c.Container = names[0]
			return
		}
	}
}

// uses adds the fixtures of the marks usefixtures, and notes marks with which
// plugins multiply cases.
func (c *Case) uses(marks []mark) {
	for _, m := range marks {
		if multipliers[m.name] {
			c.Reasons = append(c.Reasons, Reason{Code: CodeMark, Doubt: IDs, Line: m.line, What: "the mark " + m.name + " multiplies cases"})
		}
		if m.name != "usefixtures" {
			continue
		}
		for _, item := range m.call.items {
			if v := m.scope.resolve(item); v.kind == literalValue && v.expr.form == textExpr {
				c.Fixtures = append(c.Fixtures, v.expr.text)
			} else {
				c.Reasons = append(c.Reasons, Reason{Code: CodeFixtureParams, Doubt: IDs, Line: m.line, What: "a computed name in usefixtures"})
			}
		}
	}
}
