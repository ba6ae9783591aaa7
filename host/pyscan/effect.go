package pyscan

import (
	"slices"
	"strings"
	"unicode"
)

// calls notes the functions of other modules that a statement calls: whoever
// has those modules at hand can look what they do.
func (w *walker) calls(sc *scope, s *stmt) {
	for i := s.span.from; i < s.span.to; i++ {
		if w.p.tokens[i].kind != nameToken || i > 0 && w.p.is(i-1, ".") {
			continue
		}
		name, next := w.p.name(i), i+1
		for range maxTrailers {
			if next+1 >= s.span.to || !w.p.is(next, ".") {
				break
			}
			name += "." + w.p.name(next+1)
			next += 2
		}
		if !w.p.is(next, "(") {
			continue
		}
		v := sc.resolve(expr{form: nameExpr, text: name})
		if v.kind == externalValue && !isStdlib(v.path) && !strings.HasPrefix(v.path, "pytest.") {
			w.file.Calls = append(w.file.Calls, Call{Path: v.path, Line: int(w.p.tokens[i].line), Class: s.bindsClass()})
		}
	}
}

// bindsClass reports whether an assignment binds a name as classes have them.
func (s *stmt) bindsClass() bool {
	return s.kind == assignStmt && slices.ContainsFunc(s.targets, func(t target) bool { return !t.inner && camelCase(t.name) })
}

// camelCase reports whether a name is written as those of classes are.
func camelCase(name string) bool {
	name = strings.TrimLeft(name, "_")
	return name != "" && unicode.IsUpper([]rune(name)[0]) && strings.IndexFunc(name, unicode.IsLower) > 0
}

// factory looks for an assignment that may make a class with tests, under
// whatever name: by type, from unittest.TestCase, or by a function of this file
// if the name is written as those of classes are.
func (w *walker) factory(sc *scope, s *stmt) {
	made := s.value != nil && s.value.form == callExpr && w.makes(sc, s)
	for i := s.span.from; i < s.span.to && !made; i++ {
		if w.p.tokens[i].kind == nameToken {
			v := sc.resolve(expr{form: nameExpr, text: w.p.name(i)})
			made = strings.HasSuffix(w.p.name(i), "TestCase") || testCases[v.path]
		}
	}
	if made {
		w.doubt(CodeComputed, Cases, s.line, "a class that may have tests is made")
	}
}

// makes reports whether a call may make a class.
func (w *walker) makes(sc *scope, s *stmt) bool {
	v := sc.resolve(*s.value.fn)
	switch v.kind {
	case functionValue, computed:
		return s.bindsClass()
	case builtinValue:
		return v.path == "type" && len(s.value.items) > 1
	}
	return v.path == "types.new_class"
}

// effects are the functions that may skip the module that calls them, or change
// its names: those with such code, and those that name them in turn.
func (w *walker) effects(suspects []int) {
	users := map[string][]*unit{}
	for i := range w.units {
		u := &w.units[i]
		w.eachName(span{u.stmt.span.to, u.stmt.end}, func(name string) {
			if known := users[name]; len(known) == 0 || known[len(known)-1] != u {
				users[name] = append(known, u)
			}
		})
	}
	affected := map[*unit]bool{}
	var todo []*unit
	push := func(u *unit) {
		if u != nil && !affected[u] {
			affected[u] = true
			todo = append(todo, u)
		}
	}
	for _, i := range suspects {
		push(w.owner(i))
	}
	for len(todo) > 0 {
		u := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, user := range users[u.name] {
			push(user)
		}
	}
	for i := range w.units {
		if u := &w.units[i]; affected[u] && !w.rules.function(u.name) {
			w.file.Effects = append(w.file.Effects, u.name)
		}
	}
}

// hasTests reports whether a class has methods that are called as tests are.
func (w *walker) hasTests(c *class) bool {
	if c.testCase || c.suspect() || w.rules.class(c.name) {
		return true
	}
	for _, above := range c.mro {
		for name := range above.scope.names {
			if w.rules.function(name) || strings.HasPrefix(name, "test") {
				return true
			}
		}
	}
	return false
}
