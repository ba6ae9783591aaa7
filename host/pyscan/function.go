package pyscan

import "slices"

// function is a def at the level of a module or class, with its decorators.
type function struct {
	name     string
	line     int
	stmt     *stmt
	scope    *scope
	marks    []mark // the innermost decorator first, as pytest keeps them
	reasons  []Reason
	fixture  bool
	static   bool
	abstract bool
	patches  int      // arguments that mock.patch gives
	given    []string // arguments that hypothesis gives
	last     int      // how many of the last arguments hypothesis gives
	touched  bool
	yields   bool
}

// function makes the value of a def statement.
func (w *walker) function(sc *scope, in *class, s *stmt) value {
	fn := &function{name: s.name, line: s.line, stmt: s, scope: sc}
	v := value{kind: functionValue, fn: fn}
	for _, d := range slices.Backward(s.decorators) {
		if !fn.decorate(sc, d) {
			v = value{kind: inertValue}
		}
	}
	fn.yields = s.yields && !s.async
	if fn.fixture {
		w.fixture(sc, in, fn)
	}
	return v
}

// decorate applies a decorator. It reports false where a property comes out.
func (fn *function) decorate(sc *scope, d decorator) bool {
	callee, call := d.expr, d.expr.form == callExpr
	if call {
		callee = *d.expr.fn
	}
	v := sc.resolve(d.expr)
	if v.kind == markValue {
		v.mark.line = d.line
		fn.marks = append(fn.marks, v.mark)
		return true
	}
	switch v = sc.resolve(callee); {
	case v.kind == externalValue && fixtureMakers[v.path]:
		fn.fixture = true
	case v.kind == externalValue && wrappers[v.path]:
		fn.wrap(v.path, d.expr)
	case v.kind == builtinValue && (v.path == "staticmethod" || v.path == "classmethod") && !call:
		fn.static = v.path == "staticmethod"
		if !fn.static {
			fn.reasons = append(fn.reasons, Reason{Code: CodeDecorator, Doubt: Cases, Line: d.line, What: "@classmethod, which versions of pytest treat differently"})
		}
	case v.kind == builtinValue && v.path == "property" && !call:
		return false
	default:
		fn.reasons = append(fn.reasons, Reason{Code: CodeDecorator, Doubt: Cases, Line: d.line, What: "the decorator @" + callee.String()})
	}
	return true
}

// String is an expression for people.
func (e expr) String() string {
	switch e.form {
	case nameExpr:
		return e.text
	case callExpr:
		return e.fn.String() + "(...)"
	case attrExpr:
		return e.fn.String() + "." + e.text
	default:
		return "..."
	}
}

// wrap notes what a known decorator does to arguments.
func (fn *function) wrap(path string, e expr) {
	_, hasNew := e.keyword("new")
	switch path {
	case "unittest.mock.patch", "mock.patch":
		if !hasNew && len(e.items) < 2 {
			fn.patches++
		}
	case "unittest.mock.patch.object", "mock.patch.object":
		if !hasNew && len(e.items) < 3 {
			fn.patches++
		}
	case "unittest.mock.patch.multiple", "mock.patch.multiple":
		for _, k := range e.keywords {
			fn.given = append(fn.given, k.name)
		}
	case "hypothesis.given":
		for _, k := range e.keywords {
			fn.given = append(fn.given, k.name)
		}
		fn.last += len(e.items)
	case "abc.abstractmethod":
		fn.abstract = true
	}
	if e.hasStars() {
		fn.reasons = append(fn.reasons, Reason{Code: CodeDecorator, Doubt: IDs, Line: e.line, What: "the arguments of @" + e.String()})
	}
}

// touch notes the first reason why the function may have been changed.
func (fn *function) touch(r Reason) {
	if !fn.touched {
		fn.touched = true
		fn.reasons = append(fn.reasons, r)
	}
}

// arguments are the names of the fixtures that a function asks for. It is the
// rule of pytest: what has no default, and is given by nothing else.
func (fn *function) arguments(method bool) []string {
	var all []string
	positionalOnly := false
	for _, p := range fn.stmt.params {
		positionalOnly = positionalOnly || p.kind == 'p'
		if (p.kind == ' ' || p.kind == 'k') && !p.optional {
			all = append(all, p.name)
		}
	}
	if method && !fn.static && !positionalOnly {
		all = all[min(1, len(all)):]
	}
	all = all[min(fn.patches, len(all)):]
	all = all[:len(all)-min(fn.last, len(all))]
	return slices.DeleteFunc(all, func(name string) bool { return slices.Contains(fn.given, name) })
}

// fixture notes a fixture.
func (w *walker) fixture(sc *scope, in *class, fn *function) {
	f := Fixture{Name: fn.name, Line: fn.line, Fixtures: fn.arguments(in != nil)}
	if in != nil {
		f.Class = in.name
	}
	for _, d := range fn.stmt.decorators {
		if d.expr.form != callExpr {
			continue
		}
		if v := sc.resolve(*d.expr.fn); v.kind == externalValue && fixtureMakers[v.path] {
			f.options(d.expr)
		}
	}
	if decided(fn.reasons, Cases) {
		w.file.Fixtures = append(w.file.Fixtures, f)
		return
	}
	f.Params = true // another decorator may have added some
	w.file.Fixtures = append(w.file.Fixtures, f)
}

// options reads the arguments of pytest.fixture. What is computed counts as
// given: then its users are not decided.
func (f *Fixture) options(e expr) {
	if name, ok := e.keyword("name"); ok {
		f.Name = name.text
	}
	autouse, ok := e.keyword("autouse")
	f.Autouse = ok && autouse.text != "False"
	params, ok := e.keyword("params")
	f.Params = ok && params.text != "None" || e.hasStars()
}
