package pyscan

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// unknownID marks a set whose id is given, but computed.
const unknownID = "\x00"

// longestValue is the number of characters up to which all versions of pytest
// make an id of a string.
const longestValue = 100

// identify finds the ids of the sets, by the rules of pytest's IdMaker. One that
// is not known leaves all unknown: it might be the same as another.
func (p *parametrization) identify() {
	ids, ok := p.idsArgument()
	for i := range p.sets {
		set := &p.sets[i]
		switch {
		case set.known:
		case set.id == unknownID || !ok:
			ok = false
		case i < len(ids.items) && ids.items[i].text != "None":
			set.id, set.known = p.given(ids.items[i])
		default:
			set.id, set.known = p.joined(set, i, ids.text)
		}
		ok = ok && set.known
	}
	if !ok || !p.distinguish() {
		for i := range p.sets {
			p.sets[i].id, p.sets[i].known = "", false
		}
	}
}

// idsArgument reads ids=: a list, or str, which comes as text. It is not ok when
// ids are computed.
func (p *parametrization) idsArgument() (expr, bool) {
	e, given := p.argument("ids", 3)
	if !given || e.form == constExpr && e.text == "None" {
		return expr{}, true
	}
	v := p.mark.scope.resolve(e)
	switch {
	case v.kind == builtinValue && v.path == "str":
		return expr{text: "str"}, true
	case v.kind != literalValue || v.expr.form != listExpr && v.expr.form != tupleExpr || v.expr.hasStars():
		return expr{}, false
	case len(v.expr.items) != len(p.sets) && len(v.expr.items) > 0:
		p.unknown("there are more or fewer ids than sets of parameters", Cases)
		return expr{}, false
	}
	return expr{items: v.expr.items}, true
}

// given is an id of the list ids.
func (p *parametrization) given(e expr) (string, bool) {
	v := p.mark.scope.resolve(e)
	if v.kind == literalValue && v.expr.form == textExpr {
		return escapeID(v.expr.text), true
	}
	if v.kind == literalValue && (v.expr.form == intExpr || v.expr.form == floatExpr || v.expr.form == constExpr && v.expr.text != "Ellipsis") {
		return v.expr.text, true
	}
	return "", false
}

// joined is the id of a set that has none: those of its values.
func (p *parametrization) joined(set *parameterSet, index int, function string) (string, bool) {
	parts := make([]string, len(set.values))
	for i, value := range set.values {
		id, ok := p.value(value, p.names[i]+strconv.Itoa(index))
		if !ok || function == "str" && !p.hasText(value) {
			return "", false
		}
		parts[i] = id
	}
	return strings.Join(parts, "-"), true
}

// hasText reports whether str of a value is what pytest makes of it anyway.
func (p *parametrization) hasText(e expr) bool {
	v := p.mark.scope.resolve(e)
	switch v.expr.form {
	case textExpr, intExpr, floatExpr:
		return true
	}
	return v.expr.form == constExpr
}

// value is the id of one value; byPlace is what pytest takes for values that it
// cannot name.
func (p *parametrization) value(e expr, byPlace string) (string, bool) {
	v := p.mark.scope.resolve(e)
	switch v.kind {
	case literalValue:
		return literalID(v.expr, byPlace)
	case classValue:
		return v.class.name, decided(v.class.reasons, Cases)
	case functionValue:
		return v.fn.name, decided(v.fn.reasons, Cases) && !v.fn.fixture
	case builtinValue:
		return v.path, builtinBases[v.path] || builtinFunctions[v.path]
	}
	return "", false
}

// literalID is the id of a literal.
func literalID(e expr, byPlace string) (string, bool) {
	switch e.form {
	case textExpr:
		return escapeID(e.text), utf8.RuneCountInString(e.text) <= longestValue
	case bytesExpr:
		return escapeBytes(e.text), len(e.text) <= longestValue
	case intExpr, floatExpr:
		return e.text, true
	case constExpr:
		if e.text == "Ellipsis" {
			return byPlace, true
		}
		return e.text, true
	}
	return byPlace, true
}

// distinguish makes ids different by a number behind them. It reports false
// where versions of pytest differ about that.
func (p *parametrization) distinguish() bool {
	counts := map[string]int{}
	for _, set := range p.sets {
		counts[set.id]++
	}
	next := map[string]int{}
	for i := range p.sets {
		id := p.sets[i].id
		if counts[id] == 1 {
			continue
		}
		numbered := id + strconv.Itoa(next[id])
		next[id]++
		if id == "" || isDigit(id[len(id)-1]) || counts[numbered] > 0 {
			return false
		}
		p.sets[i].id = numbered
	}
	return true
}

// escapeID is a string as pytest writes it in an id: in ASCII, as Python's codec
// unicode_escape does.
func escapeID(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ' || 0x7f <= r && r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case r > 0xff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// escapeBytes is the same for bytes, whose backslashes stay as they are.
func escapeBytes(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// maxRange bounds the values of range(...) that are counted.
const maxRange = 1 << 12

// rangeItems are the values of range(...) with literals.
func (p *parametrization) rangeItems(e expr) ([]expr, bool) {
	v := p.mark.scope.resolve(*e.fn)
	if v.kind != builtinValue || v.path != "range" || len(e.keywords) > 0 || len(e.items) < 1 || len(e.items) > 3 {
		return nil, false
	}
	bounds := []int64{0, 0, 1}
	for i, item := range e.items {
		v := p.mark.scope.resolve(item)
		n, ok := new(big.Int).SetString(v.expr.text, 10)
		if v.kind != literalValue || v.expr.form != intExpr || !ok || n.BitLen() > 31 {
			return nil, false
		}
		bounds[i] = n.Int64()
	}
	from, to, step := bounds[0], bounds[1], bounds[2]
	if len(e.items) == 1 {
		from, to = 0, bounds[0]
	}
	if step == 0 || (to-from)/step > maxRange {
		return nil, false
	}
	var all []expr
	for n := from; step > 0 && n < to || step < 0 && n > to; n += step {
		all = append(all, expr{form: intExpr, text: strconv.FormatInt(n, 10), line: e.line})
	}
	return all, true
}
