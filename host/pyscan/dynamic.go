package pyscan

import "strings"

// unit is a function at the level of a module or class.
type unit struct {
	name string
	stmt *stmt
}

// dynamic looks for code that changes namespaces behind the back of a reader,
// and that runs when the module is imported: at its level, or in a function
// that is called from there.
func (w *walker) dynamic() {
	suspects := w.suspects()
	if len(suspects) == 0 {
		return
	}
	w.effects(suspects)
	reached, executed := w.reached(), w.executedTokens()
	for _, i := range suspects {
		owner := w.owner(i)
		if owner == nil && executed[i] || owner != nil && reached[owner.stmt] {
			w.doubt(CodeDynamic, Cases, int(w.p.tokens[i].line), w.p.text(i))
		}
	}
}

// suspects are the tokens that may be such code.
func (w *walker) suspects() []int {
	var all []int
	for i, t := range w.p.tokens {
		if t.kind != nameToken {
			continue
		}
		name, attribute := w.p.text(i), i > 0 && w.p.is(i-1, ".")
		switch {
		case name == "__dict__" && attribute, dynamicNames[name] && !attribute:
			all = append(all, i)
		case name == "modules" && attribute && w.p.is(i-2, "sys"):
			all = append(all, i)
		case name == "global":
			all = append(all, w.globals(i+1)...)
		case (name == "importorskip" || name == "skip") && w.p.is(i+1, "(") && w.owner(i) != nil,
			name == "SkipTest" && w.owner(i) != nil:
			all = append(all, i)
		}
	}
	return all
}

// globals are the names of a global statement that mean something to pytest.
func (w *walker) globals(i int) []int {
	var all []int
	for ; w.p.tokens[i].kind == nameToken; i += 2 {
		if name := w.p.name(i); w.rules.either(name) || name == "pytestmark" {
			all = append(all, i)
		}
		if !w.p.is(i+1, ",") {
			break
		}
	}
	return all
}

// owner is the outermost function around a token. The units lie in the order of
// the source, those of nested functions left out.
func (w *walker) owner(i int) *unit {
	low, high := 0, len(w.units)
	for low < high {
		middle := (low + high) / 2
		if w.units[middle].stmt.end <= i {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < len(w.units) && w.units[low].stmt.span.from <= i {
		return &w.units[low]
	}
	return nil
}

// executedTokens says of each token whether it is carried out at the level of a
// module or class.
func (w *walker) executedTokens() []bool {
	all := make([]bool, len(w.p.tokens))
	for _, at := range w.executed {
		for i := at.from; i < at.to; i++ {
			all[i] = true
		}
	}
	return all
}

// reached are the functions that may run when the module is imported: those
// that code at its level names, those that Python calls by itself, and what
// they name in turn.
func (w *walker) reached() map[*stmt]bool {
	byName := map[string][]*stmt{}
	seen := map[string]bool{}
	var names []string
	push := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, u := range w.units {
		byName[u.name] = append(byName[u.name], u.stmt)
		if strings.HasPrefix(u.name, "__") {
			push(u.name)
		}
	}
	for _, at := range w.executed {
		w.eachName(at, push)
	}
	reached := map[*stmt]bool{}
	for len(names) > 0 {
		name := names[len(names)-1]
		names = names[:len(names)-1]
		for _, s := range byName[name] {
			if !reached[s] {
				reached[s] = true
				w.eachName(span{s.span.to, s.end}, push)
			}
		}
	}
	return reached
}

// eachName calls visit for each name among tokens, but that of a definition.
func (w *walker) eachName(at span, visit func(string)) {
	for i := at.from; i < at.to; i++ {
		if w.p.tokens[i].kind == nameToken && (i == 0 || !w.p.is(i-1, "def")) {
			visit(w.p.name(i))
		}
	}
}

// insideFunctions reports whether a function mentions a name.
func (w *walker) insideFunctions(name string) bool {
	if w.inside == nil {
		w.inside = map[string]bool{}
		for _, u := range w.units {
			w.eachName(span{u.stmt.span.to, u.stmt.end}, func(name string) { w.inside[name] = true })
		}
	}
	return w.inside[name]
}

// hooks notes the functions that are called by their names, wherever they come
// from.
func (w *walker) hooks() {
	w.module.all(func(name string, b *binding) {
		if strings.HasPrefix(name, "pytest_") && name != "pytest_plugins" || name == "load_tests" {
			w.file.Hooks = append(w.file.Hooks, Hook{Name: name, Line: b.line})
		}
		if name == "pytest_generate_tests" {
			w.doubt(CodeHook, Marks, b.line, name)
			w.doubt(CodeHook, IDs, b.line, name)
		}
	})
}

// carriers notes the classes that are collected under any name, and so where
// they are imported as well.
func (w *walker) carriers() {
	w.module.all(func(name string, b *binding) {
		if c := b.value.class; b.value.kind == classValue && (c.testCase || c.foreign != "") {
			one := Carrier{Name: name, Line: c.line}
			if !c.testCase {
				one.Base = c.foreign
			}
			w.file.Carriers = append(w.file.Carriers, one)
		}
	})
}
