package pyscan

import (
	"cmp"
	"slices"
	"strings"
)

// body carries out statements in the scope of a module or a class.
func (w *walker) body(sc *scope, in *class, body []*stmt, maybe bool) {
	for _, s := range body {
		at := line{s.line, maybe}
		for _, name := range s.binds {
			sc.bind(name, value{}, line{s.line, maybe || s.kind == compoundStmt})
		}
		switch s.kind {
		case importStmt:
			w.bindImport(sc, s, at)
		case defStmt:
			w.execute(s)
			sc.bind(s.name, w.function(sc, in, s), at)
		case classStmt:
			w.execute(s)
			sc.bind(s.name, w.class(sc, s), at)
		case assignStmt:
			w.execute(s)
			w.assign(sc, in, s, at)
		case delStmt:
			w.execute(s)
			w.delete(sc, s, at)
		case compoundStmt:
			w.execute(s)
			w.conditional(sc, in, s, maybe)
		default:
			w.execute(s)
			w.touch(sc, s.span)
			w.calls(sc, s)
			w.mayEnd(sc, s)
		}
	}
}

// execute notes the tokens that run when the module is imported.
func (w *walker) execute(s *stmt) {
	for _, d := range s.decorators {
		w.executed = append(w.executed, d.expr.span)
	}
	switch s.kind {
	case defStmt:
		w.units = append(w.units, unit{name: s.name, stmt: s})
		for _, p := range s.params {
			w.executed = append(w.executed, p.value)
		}
	case compoundStmt:
		for _, b := range s.blocks {
			w.executed = append(w.executed, b.span)
		}
	default:
		w.executed = append(w.executed, s.span)
	}
}

// conditional carries out the blocks of a compound statement.
func (w *walker) conditional(sc *scope, in *class, s *stmt, maybe bool) {
	w.touch(sc, s.span)
	for _, b := range s.blocks {
		switch w.condition(s, b) {
		case always:
			w.body(sc, in, b.body, maybe)
		case perhaps:
			w.body(sc, in, b.body, true)
		}
	}
}

// bindImport binds what an import statement names.
func (w *walker) bindImport(sc *scope, s *stmt, at line) {
	if !s.imported.from {
		for _, n := range s.imported.names {
			if first, _ := head(n.name); n.as == "" {
				sc.bind(first, value{kind: externalValue, path: first}, at)
			} else {
				sc.bind(n.as, value{kind: externalValue, path: n.name}, at)
			}
		}
		return
	}
	from := strings.Repeat(".", s.imported.level) + s.imported.module
	for _, n := range s.imported.names {
		if n.name == "*" {
			w.star(from, s.line)
			continue
		}
		sc.bind(n.bound(), external(strings.TrimPrefix(from+"."+n.name, "__future__."), s.line), at)
	}
}

// star notes an import of everything: of names that nobody can see here.
func (w *walker) star(from string, line int) {
	if !isStdlib(from) {
		w.doubt(CodeStarImport, Cases, line, "from "+from+" import *")
	}
}

// assign carries out an assignment.
func (w *walker) assign(sc *scope, in *class, s *stmt, at line) {
	v := value{}
	if s.value != nil && !s.augmented {
		v = sc.resolve(*s.value)
	}
	if v.kind == computed {
		w.touch(sc, s.span)
		w.factory(sc, s)
	}
	if v.kind == externalValue && !isStdlib(v.path) && len(s.targets) > 0 {
		w.file.Carriers = append(w.file.Carriers, Carrier{Name: s.targets[0].name, Line: s.line, Base: v.path})
	}
	w.calls(sc, s)
	w.mayEnd(sc, s)
	for _, t := range s.targets {
		switch {
		case t.inner:
			w.touchName(sc, t.name, s.line)
			w.attributes(s)
		case len(s.targets) > 1 && s.value == nil:
			sc.bind(t.name, value{}, at)
		default:
			sc.bind(t.name, v, at)
			w.named(sc, in, t.name, s, at)
		}
	}
}

// attributes looks for names of attributes that mean something to pytest, of
// whatever object: it may be the module.
func (w *walker) attributes(s *stmt) {
	for i := s.span.from + 1; i < s.span.to && !w.p.is(i, "="); i++ {
		if w.p.tokens[i].kind != nameToken || !w.p.is(i-1, ".") {
			continue
		}
		if name := w.p.name(i); name == "__test__" || name == "pytestmark" || w.rules.either(name) {
			w.doubt(CodeDynamic, Cases, s.line, "the attribute "+name+" is set")
			return
		}
	}
}

// named looks at names that mean something to pytest.
func (w *walker) named(sc *scope, in *class, name string, s *stmt, at line) {
	switch {
	case name == "pytestmark":
		w.pytestmark(sc, in, s, at)
	case in != nil:
	case name == "pytest_plugins":
		w.plugins(s, at)
	case name == "collect_ignore":
		w.file.Ignore = append(w.file.Ignore, w.strings(s, at, name)...)
	case name == "collect_ignore_glob":
		w.file.IgnoreGlob = append(w.file.IgnoreGlob, w.strings(s, at, name)...)
	}
}

// pytestmark gives a module or class its marks.
func (w *walker) pytestmark(sc *scope, in *class, s *stmt, at line) {
	marks, ok := []mark(nil), false
	if s.value != nil && !s.augmented && !at.maybe {
		marks, ok = markList(sc, *s.value)
	}
	for i := range marks {
		marks[i].line = cmp.Or(marks[i].line, s.line)
	}
	switch {
	case ok && in != nil:
		in.marks = marks
	case ok:
		w.marks = marks
	case in != nil:
		in.reasons = append(in.reasons, unknownMarks("pytestmark", s.line)...)
	default:
		w.file.Reasons = append(w.file.Reasons, unknownMarks("pytestmark", s.line)...)
	}
}

// checkMarks notes a pytestmark that is something else in the end than what was
// assigned: changed, imported, a name of a loop. It reports whether it is gone.
func checkMarks(sc *scope, known []Reason) (reasons []Reason, gone bool) {
	b, ok := sc.names["pytestmark"]
	if !ok || b.gone {
		return nil, true
	}
	noted := slices.ContainsFunc(known, func(r Reason) bool { return r.Code == CodeMark })
	if !noted && (b.maybe || b.value.kind != literalValue && b.value.kind != markValue) {
		return unknownMarks("pytestmark", b.line), false
	}
	return nil, false
}

// unknownMarks are the reasons that follow from marks that are computed: any
// mark may be among them, parametrize too.
func unknownMarks(what string, line int) []Reason {
	return []Reason{
		{Code: CodeMark, Doubt: Marks, Line: line, What: what},
		{Code: CodeMark, Doubt: IDs, Line: line, What: what},
	}
}

// plugins notes pytest_plugins.
func (w *walker) plugins(s *stmt, at line) {
	var names []string
	if s.value != nil && s.value.form == textExpr && !at.maybe {
		names = []string{s.value.text}
	} else {
		names = w.strings(s, at, "pytest_plugins")
	}
	for _, name := range names {
		w.file.Plugins = append(w.file.Plugins, Plugin{name, s.line})
	}
}

// strings reads a list of strings; anything else is a reason.
func (w *walker) strings(s *stmt, at line, name string) []string {
	var all []string
	ok := s.value != nil && !s.augmented && !at.maybe && (s.value.form == listExpr || s.value.form == tupleExpr)
	if ok {
		for _, item := range s.value.items {
			ok = ok && item.form == textExpr
			all = append(all, item.text)
		}
	}
	if ok {
		return all
	}
	w.doubt(CodeComputed, Cases, s.line, name)
	return nil
}

// delete carries out a del statement.
func (w *walker) delete(sc *scope, s *stmt, at line) {
	for _, t := range s.targets {
		if t.inner {
			w.touchName(sc, t.name, s.line)
		} else {
			sc.remove(t.name, at)
		}
	}
}

// touch looks for tests and classes that a statement could change.
func (w *walker) touch(sc *scope, at span) {
	for i := at.from; i < at.to; i++ {
		if w.p.tokens[i].kind == nameToken && (i == 0 || !w.p.is(i-1, ".")) {
			w.touchName(sc, w.p.name(i), int(w.p.tokens[i].line))
		}
	}
}

// touchName notes that a function or class may not be what its definition says.
func (w *walker) touchName(sc *scope, name string, at int) {
	b, ok := sc.lookup(name)
	if !ok {
		return
	}
	what := name + " is used where it may be changed"
	switch b.value.kind {
	case functionValue:
		b.value.fn.touch(Reason{Code: CodeTouched, Doubt: Cases, Line: at, What: what})
	case classValue:
		if !b.value.class.touched && w.hasTests(b.value.class) { // or others are made of it
			b.value.class.touched = true
			w.doubt(CodeTouched, Cases, at, what)
		}
	case literalValue:
		b.value = value{} // a list may have been changed
	}
}

// mayEnd looks for what ends the import of a module early, without an error.
func (w *walker) mayEnd(sc *scope, s *stmt) {
	if s.word == "raise" {
		w.doubt(CodeMaySkip, Cases, s.line, "raise")
		return
	}
	for i := s.span.from; i < s.span.to; i++ {
		if w.p.tokens[i].kind == nameToken && w.skips(sc, i) {
			w.doubt(CodeMaySkip, Cases, s.line, "pytest."+w.p.text(i))
			return
		}
	}
}

// skips reports whether the name at i is a function of pytest that skips.
func (w *walker) skips(sc *scope, i int) bool {
	name := w.p.text(i)
	if name != "skip" && name != "importorskip" && name != "exit" || !w.p.is(i+1, "(") {
		return false
	}
	if i > 1 && w.p.is(i-1, ".") {
		name = w.p.name(i-2) + "." + name
	}
	v := sc.resolve(expr{form: nameExpr, text: name})
	return v.kind == externalValue && strings.HasPrefix(v.path, "pytest.")
}
