package pyscan

import "strings"

// imported is what an import statement names.
type imported struct {
	from   bool
	module string // of from, without dots
	level  int    // dots of from
	names  []importedName
}

// importedName is one name of an import; "*" for all.
type importedName struct{ name, as string }

// bound is the name that an import binds.
func (n importedName) bound() string {
	if n.as != "" {
		return n.as
	}
	return n.name
}

// simple reads a simple statement.
func (p *parser) simple() *stmt {
	s := &stmt{line: int(p.peek().line), span: span{from: p.i}}
	switch {
	case p.at("import"):
		p.importing(s)
	case p.at("from"):
		p.importingFrom(s)
	case p.peek().kind != nameToken || !p.keyword(s):
		p.assignment(s)
	}
	s.span.to = p.i
	if s.kind != importStmt {
		p.note(s, s.span)
	}
	if p.i == s.span.from {
		p.fail("no statement")
	}
	return s
}

// pass passes over a simple statement of a function: what functions do with
// their names is of no interest, but for a yield.
func (p *parser) pass() {
	from := p.i
	for ; p.peek().kind != newlineToken && p.peek().kind != endMarker && !p.at(";"); p.i++ {
		if p.at("yield") {
			p.function.yields = true
		}
	}
	if p.i == from {
		p.fail("no statement")
	}
}

// keyword reads a statement outside of functions that begins with a keyword.
func (p *parser) keyword(s *stmt) bool {
	switch word := p.text(p.i); word {
	case "del":
		s.kind = delStmt
		p.i++
		p.endOfStatement()
		s.targets = p.targets(span{s.span.from + 1, p.i})
	case "raise", "assert", "pass", "global", "nonlocal", "return", "break", "continue":
		s.word = word
		p.endOfStatement()
	case "type":
		if p.tokens[p.i+1].kind != nameToken {
			return false
		}
		s.binds = append(s.binds, p.name(p.i+1))
		p.endOfStatement()
	default:
		return false
	}
	return true
}

// endOfStatement moves to where a simple statement ends.
func (p *parser) endOfStatement() {
	for p.peek().kind != newlineToken && p.peek().kind != endMarker && !p.at(";") {
		p.i++
	}
}

// importing reads "import a.b as c, d".
func (p *parser) importing(s *stmt) {
	s.kind = importStmt
	p.i++
	for {
		one := importedName{name: p.dotted()}
		if p.accept("as") {
			one.as = p.defined()
		}
		s.imported.names = append(s.imported.names, one)
		if !p.accept(",") {
			return
		}
	}
}

// dotted reads the name of a module.
func (p *parser) dotted() string {
	parts := []string{p.defined()}
	for p.accept(".") {
		parts = append(parts, p.defined())
	}
	return strings.Join(parts, ".")
}

// importingFrom reads "from ..a import b as c".
func (p *parser) importingFrom(s *stmt) {
	s.kind = importStmt
	s.imported.from = true
	p.i++
	for p.at(".") || p.at("...") {
		s.imported.level += len(p.text(p.i))
		p.i++
	}
	if !p.at("import") {
		s.imported.module = p.dotted()
	}
	p.expect("import")
	if p.accept("*") {
		s.imported.names = []importedName{{name: "*"}}
		return
	}
	bracket := p.accept("(")
	for {
		one := importedName{name: p.defined()}
		if p.accept("as") {
			one.as = p.defined()
		}
		s.imported.names = append(s.imported.names, one)
		if !p.accept(",") || bracket && p.at(")") {
			break
		}
	}
	if bracket {
		p.expect(")")
	}
}

// assignment reads any other simple statement, which may be an assignment.
func (p *parser) assignment(s *stmt) {
	start := p.i
	var sides []int // positions of =
	for {
		p.skip()
		if p.at("=") {
			sides = append(sides, p.i)
		}
		if !p.at("=") && !p.at(",") && !p.at(":") {
			break
		}
		p.i++
	}
	end := p.i
	if !p.assigns(s, span{start, end}, sides) {
		return
	}
	s.kind = assignStmt
	if len(sides) > 0 && !s.augmented {
		p.i = sides[len(sides)-1] + 1
		if value := p.expr(); p.i == end {
			s.value = &value
		}
		p.i = end
	}
}

// assigns finds the targets of an assignment.
func (p *parser) assigns(s *stmt, at span, sides []int) bool {
	if target, ok := p.annotated(at); ok {
		s.targets = p.targets(target)
		return len(sides) > 0
	}
	for _, side := range sides {
		s.targets = append(s.targets, p.targets(span{at.from, side})...)
		at.from = side + 1
	}
	if len(sides) > 0 {
		return true
	}
	if op := p.augmentation(at); op > 0 {
		s.augmented = true
		s.targets = p.targets(span{at.from, op})
		return true
	}
	return false
}

// annotated finds the target of "target: annotation".
func (p *parser) annotated(at span) (span, bool) {
	depth := 0
	for i := at.from; i < at.to; i++ {
		if depth == 0 && (p.is(i, "=") || p.is(i, "lambda")) {
			break
		}
		if depth == 0 && p.is(i, ":") {
			return span{at.from, i}, true
		}
		depth += p.nesting(i)
	}
	return span{}, false
}

// augmentation finds the operator of an augmented assignment.
func (p *parser) augmentation(at span) int {
	depth := 0
	for i := at.from; i < at.to; i++ {
		if op := p.text(i); depth == 0 && p.tokens[i].kind == opToken && strings.HasSuffix(op, "=") && isAugmented(op) {
			return i
		}
		depth += p.nesting(i)
	}
	return 0
}

func isAugmented(op string) bool {
	switch op {
	case "=", "==", "!=", "<=", ">=", ":=":
		return false
	}
	return true
}

// targets finds the names on the left of an assignment.
func (p *parser) targets(at span) []target {
	var all []target
	for i := at.from; i < at.to; i++ {
		if p.tokens[i].kind != nameToken {
			continue
		}
		one := target{name: p.name(i)}
		for i+1 < at.to && (p.is(i+1, ".") || p.is(i+1, "[") || p.is(i+1, "(")) {
			one.inner = true
			i = p.afterTrailer(i+1, at.to)
		}
		all = append(all, one)
	}
	return all
}

// afterTrailer is the last token of the attribute, index or call at i.
func (p *parser) afterTrailer(i, to int) int {
	if p.is(i, ".") {
		return min(i+1, to-1)
	}
	depth := 0
	for ; i < to; i++ {
		depth += p.nesting(i)
		if depth == 0 {
			break
		}
	}
	return min(i, to-1)
}

// note finds what a statement or header does besides: names that it binds, and
// a yield, which makes a generator of the function around.
func (p *parser) note(s *stmt, at span) {
	all := s.word == "case"
	for i := at.from; i < at.to; i++ {
		if p.tokens[i].kind != nameToken {
			continue
		}
		switch {
		case p.is(i, "yield") && p.function != nil:
			p.function.yields = true
		case p.function != nil:
		case p.is(i+1, ":="), all:
			s.binds = append(s.binds, p.name(i))
		case p.is(i, "as"):
			s.binds = append(s.binds, p.afterAs(i+1, at.to)...)
		case p.is(i, "for") && i == at.from:
			s.binds = append(s.binds, p.loopNames(i+1, at.to)...)
		}
	}
}

// afterAs finds the names after "as": one, or several in brackets.
func (p *parser) afterAs(i, to int) []string {
	end := i + 1
	if p.opens(i) {
		end = p.afterTrailer(i, to)
	}
	return names(p.targets(span{i, min(end, to)}))
}

// loopNames finds the names between "for" and "in".
func (p *parser) loopNames(from, to int) []string {
	end := from
	for end < to && !p.is(end, "in") {
		end++
	}
	return names(p.targets(span{from, end}))
}

func names(targets []target) []string {
	all := make([]string, len(targets))
	for i, t := range targets {
		all[i] = t.name
	}
	return all
}
