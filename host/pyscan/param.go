package pyscan

import (
	"slices"
	"strings"
)

// parameterSet is one set of parameters, as pytest calls it.
type parameterSet struct {
	values []expr
	id     string
	known  bool // id
	marks  []mark
}

// parametrization reads one mark parametrize.
type parametrization struct {
	w     *walker
	mark  mark
	names []string
	tuple bool // several names: each set is a sequence
	sets  []parameterSet

	doubts []Doubt // what is not known
	why    string
}

// unknown notes what is not known, and gives up.
func (p *parametrization) unknown(why string, doubts ...Doubt) {
	p.why = why
	for _, d := range doubts {
		if !slices.Contains(p.doubts, d) {
			p.doubts = append(p.doubts, d)
		}
	}
}

// parametrize finds the instances of a case: the product of its marks, in the
// order in which pytest multiplies them.
func (w *walker) parametrize(c *Case, marks []mark) {
	product := []parameterSet{{known: true}}
	given := map[string]bool{}
	found, unknown := false, false
	for _, m := range marks {
		if m.name != "parametrize" {
			continue
		}
		found = true
		p := &parametrization{w: w, mark: m}
		p.read()
		p.check(c, given)
		unknown = p.blame(c) || unknown
		if !unknown {
			product = multiply(product, p.sets)
		}
		w.visits += len(product)
		if len(product) > maxInstances || w.visits > maxVisits {
			c.Reasons = append(c.Reasons, Reason{Code: CodeTooMany, Doubt: IDs, Line: m.line, What: "more sets of parameters than are counted"})
			unknown = true
		}
	}
	if found && !unknown {
		c.instances(product)
	}
	c.Fixtures = slices.DeleteFunc(c.Fixtures, func(name string) bool { return given[name] })
}

// blame makes what is not known reasons of the case, or of the file where pytest
// may refuse all of it. It reports whether nobody knows the sets.
func (p *parametrization) blame(c *Case) bool {
	for _, d := range p.doubts {
		if d == Cases {
			p.w.doubt(CodeParametrize, d, p.mark.line, c.Name+": "+p.why)
			return true
		}
		c.Reasons = append(c.Reasons, Reason{Code: CodeParametrize, Doubt: d, Line: p.mark.line, What: p.why})
	}
	return p.sets == nil
}

// multiply combines what is there with the sets of one more mark.
func multiply(product, sets []parameterSet) []parameterSet {
	if len(product)*len(sets) > maxInstances {
		return make([]parameterSet, maxInstances+1)
	}
	all := make([]parameterSet, 0, len(product)*len(sets))
	for _, a := range product {
		for _, b := range sets {
			id := b.id
			if a.id != "" || a.values != nil {
				id = a.id + "-" + b.id
			}
			all = append(all, parameterSet{
				values: b.values, id: id, known: a.known && b.known,
				marks: slices.Concat(a.marks, b.marks),
			})
		}
	}
	return all
}

// instances turns the sets of parameters into those of the case.
func (c *Case) instances(product []parameterSet) {
	c.Params = make([]Instance, 0, len(product))
	for _, set := range product {
		one := Instance{ID: set.id, Known: set.known}
		if !set.known {
			one.ID = ""
		}
		if len(set.marks) > 0 {
			names, why, line := containers(set.marks)
			if why != "" {
				c.Reasons = append(c.Reasons, Reason{Code: CodeContainer, Doubt: Marks, Line: line, What: why})
			} else if len(names) > 0 {
				one.Container = names[0]
			}
			one.Marks = finish(set.marks)
		}
		c.Params = append(c.Params, one)
	}
}

// check compares the names with the arguments of the function. Where they do not
// fit, pytest refuses the whole file.
func (p *parametrization) check(c *Case, given map[string]bool) {
	indirect, ok := p.argument("indirect", 2)
	direct := !ok || indirect.text == "False"
	for _, name := range p.names {
		if given[name] || !slices.Contains(c.Fixtures, name) {
			p.unknown("parametrize names "+name+", which is no free argument", Cases)
		}
		if direct {
			given[name] = true
		}
	}
}

// argument finds an argument of parametrize by name or place.
func (p *parametrization) argument(name string, at int) (expr, bool) {
	if at < len(p.mark.call.items) {
		return p.mark.call.items[at], true
	}
	return p.mark.call.keyword(name)
}

// read finds the sets of parameters and their ids.
func (p *parametrization) read() {
	names, ok := p.argument("argnames", 0)
	if !ok || p.mark.call.hasStars() || !p.readNames(names) {
		p.unknown("the names of parametrize are computed", Cases)
		return
	}
	values, _ := p.argument("argvalues", 1)
	items, ok := p.items(values)
	if !ok {
		p.unknown("the values of parametrize are computed", IDs, Marks)
		return
	}
	sets := make([]parameterSet, 0, len(items))
	for _, item := range items {
		set, ok := p.set(item)
		if !ok {
			return
		}
		sets = append(sets, set)
	}
	p.sets = sets
	if len(sets) == 0 { // one instance that is skipped, called differently by versions of pytest
		p.sets = []parameterSet{{values: []expr{{}}}}
		p.unknown("parametrize has no values", IDs, Marks)
	} else {
		p.identify()
	}
	if !slices.Contains(p.doubts, IDs) && slices.ContainsFunc(p.sets, func(s parameterSet) bool { return !s.known }) {
		p.unknown("ids of parametrize are computed", IDs)
	}
	for i := range p.sets {
		p.sets[i].known = p.sets[i].known && !slices.Contains(p.doubts, IDs)
	}
}

// readNames reads the names of the arguments.
func (p *parametrization) readNames(e expr) bool {
	v := p.mark.scope.resolve(e)
	if v.kind != literalValue {
		return false
	}
	if e = v.expr; e.form == textExpr {
		for name := range strings.SplitSeq(e.text, ",") {
			if name = strings.TrimSpace(name); name != "" {
				p.names = append(p.names, name)
			}
		}
		p.tuple = len(p.names) != 1
		if !p.tuple && strings.Contains(e.text, ",") {
			p.unknown("versions of pytest read the names "+e.text+" differently", IDs)
		}
		return true
	}
	p.tuple = true
	for _, item := range e.items {
		if item.form != textExpr {
			return false
		}
		p.names = append(p.names, item.text)
	}
	return e.form == listExpr || e.form == tupleExpr
}

// items are the elements of the values, if they can be counted.
func (p *parametrization) items(e expr) ([]expr, bool) {
	if e.form == callExpr {
		return p.rangeItems(e)
	}
	if e.form == nameExpr {
		if first, _ := head(e.text); p.w.insideFunctions(first) {
			return nil, false // a function may change the list
		}
	}
	v := p.mark.scope.resolve(e)
	if v.kind != literalValue || v.expr.form != listExpr && v.expr.form != tupleExpr {
		return nil, false
	}
	for _, item := range v.expr.items {
		if item.form == starExpr {
			return nil, false
		}
	}
	return v.expr.items, true
}

// set reads one set of parameters.
func (p *parametrization) set(e expr) (parameterSet, bool) {
	if e.form == callExpr {
		if v := p.mark.scope.resolve(*e.fn); v.kind == externalValue && v.path == "pytest.param" {
			return p.param(e)
		}
	}
	if p.mayBeParam(e) {
		p.unknown("a value of parametrize is computed", IDs, Marks)
		return parameterSet{}, false
	}
	if !p.tuple {
		return parameterSet{values: []expr{e}}, true
	}
	v := p.mark.scope.resolve(e)
	if v.kind != literalValue || v.expr.form != tupleExpr && v.expr.form != listExpr {
		p.unknown("a set of parameters is no tuple", Cases)
		return parameterSet{}, false
	}
	return p.sized(parameterSet{values: v.expr.items})
}

// sized checks that there is a value for each name.
func (p *parametrization) sized(set parameterSet) (parameterSet, bool) {
	stars := slices.ContainsFunc(set.values, func(e expr) bool { return e.form == starExpr })
	if stars || len(set.values) != len(p.names) {
		p.unknown("the number of values does not fit the names", Cases)
		return parameterSet{}, false
	}
	return set, true
}

// param reads pytest.param(...).
func (p *parametrization) param(e expr) (parameterSet, bool) {
	set := parameterSet{values: e.items}
	if marks, ok := e.keyword("marks"); ok {
		if set.marks, ok = markList(p.mark.scope, marks); !ok {
			p.unknown("the marks of a parameter are computed", Marks)
		}
		for i := range set.marks {
			set.marks[i].line = e.line
		}
	}
	if id, ok := e.keyword("id"); ok && id.text != "None" {
		if v := p.mark.scope.resolve(id); v.kind == literalValue && v.expr.form == textExpr {
			set.id, set.known = escapeID(v.expr.text), true
		} else {
			set.id = unknownID
		}
	}
	for _, k := range e.keywords {
		if k.name == "" {
			p.unknown("the arguments of pytest.param are computed", IDs, Marks)
			return set, false
		}
	}
	return p.sized(set)
}

// mayBeParam reports whether an element may come from pytest.param somewhere
// else, and so have marks.
func (p *parametrization) mayBeParam(e expr) bool {
	callee := e
	if e.form == callExpr {
		callee = *e.fn
	}
	v := p.mark.scope.resolve(callee)
	switch v.kind {
	case literalValue, classValue, markValue, inertValue:
		return false
	case functionValue:
		return e.form == callExpr
	case builtinValue:
		return false
	case externalValue:
		return !isStdlib(v.path)
	}
	first, rest := head(callee.text)
	if b, ok := p.mark.scope.lookup(first); ok && callee.form == nameExpr && rest != "" && !b.maybe {
		return b.value.kind != classValue && b.value.kind != literalValue
	}
	return true
}
