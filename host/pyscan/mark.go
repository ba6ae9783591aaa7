package pyscan

import (
	"encoding/json"
	"strings"
)

// mark is a mark as it is written: the call, and where its names are bound.
type mark struct {
	name  string
	line  int
	call  expr // no call for a mark without arguments
	scope *scope
}

// markList reads what pytestmark and marks= may be: a mark or a list of marks.
func markList(sc *scope, e expr) ([]mark, bool) {
	v := sc.resolve(e)
	switch {
	case v.kind == markValue:
		return []mark{v.mark}, true
	case v.kind != literalValue || v.expr.form != listExpr && v.expr.form != tupleExpr:
		return nil, false
	}
	var all []mark
	for _, item := range v.expr.items {
		one := sc.resolve(item)
		if one.kind != markValue {
			return nil, false
		}
		all = append(all, one.mark)
	}
	return all, true
}

// finish turns the arguments of marks into plain values.
func finish(marks []mark) []Mark {
	all := make([]Mark, len(marks))
	for i, m := range marks {
		all[i] = Mark{Name: m.name, Line: m.line}
		for _, item := range m.call.items {
			all[i].Args = append(all[i].Args, plain(m.scope, item))
		}
		for _, k := range m.call.keywords {
			if all[i].Kwargs == nil {
				all[i].Kwargs = map[string]any{}
			}
			all[i].Kwargs[k.name] = plain(m.scope, k.value)
		}
	}
	return all
}

// longestArgument bounds the literals that a mark carries along; longer ones
// are parameters, which cases have in another form.
const longestArgument = 64

// plain is a literal as a value of JSON.
func plain(sc *scope, e expr) any {
	v := sc.resolve(e)
	if v.kind != literalValue {
		return Opaque
	}
	switch e = v.expr; e.form {
	case textExpr:
		return e.text
	case intExpr, floatExpr:
		return numeral(e.text)
	case constExpr:
		return constants[e.text]
	case listExpr, tupleExpr:
		if len(e.items) > longestArgument {
			return Opaque
		}
		all := make([]any, len(e.items))
		for i, item := range e.items {
			all[i] = plain(sc, item)
		}
		return all
	}
	return Opaque
}

// numeral is a number for JSON, which writes it with all its digits.
func numeral(text string) any {
	if strings.Contains(text, "inf") {
		return Opaque
	}
	return json.Number(text)
}

// constants of Python, in JSON.
var constants = map[string]any{"None": nil, "True": true, "False": false, "Ellipsis": Opaque}

// containers are the names that marks of one node give, without repetition, and
// why they are not known.
func containers(marks []mark) (names []string, why string, line int) {
	for _, m := range marks {
		if m.name != "container" {
			continue
		}
		name, ok := m.container()
		switch {
		case !ok:
			return nil, "the argument of the mark container is no literal", m.line
		case len(names) == 0:
			names, line = []string{name}, m.line
		case names[0] != name:
			return nil, "two marks name containers: " + names[0] + " and " + name, m.line
		}
	}
	return names, "", line
}

// container is the argument of a mark container("NAME") or container(name="NAME").
func (m mark) container() (string, bool) {
	arg, ok := m.call.keyword("name")
	switch {
	case m.call.hasStars():
		return "", false
	case len(m.call.items) == 1 && len(m.call.keywords) == 0:
		arg = m.call.items[0]
	case !ok || len(m.call.items) > 0 || len(m.call.keywords) > 1:
		return "", false
	}
	v := m.scope.resolve(arg)
	return v.expr.text, v.kind == literalValue && v.expr.form == textExpr
}
