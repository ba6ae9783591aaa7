package pyscan

import "strings"

// form is what an expression is, as far as this package reads expressions.
type form uint8

const (
	opaque    form = iota // anything else
	nameExpr              // a dotted name: text
	textExpr              // a str: text
	bytesExpr             // a bytes: text
	intExpr               // decimal digits, with a sign: text
	floatExpr             // as repr gives it: text
	constExpr             // None, True, False, ...: text
	listExpr              // items
	tupleExpr             // items
	setExpr               // items
	dictExpr              // items: keys and values by turns
	callExpr              // fn, items, keywords
	attrExpr              // text of fn, which is no name
	starExpr              // *items[0] or **items[0]
)

// expr is an expression. What is opaque still knows its tokens.
type expr struct {
	form     form
	line     int
	text     string
	fn       *expr
	items    []expr
	keywords []keyword
	span     span
	loops    bool // holds the "for" of a comprehension
}

// keyword is a keyword argument. The name is "" for **value.
type keyword struct {
	name  string
	value expr
}

// expr reads an expression up to what ends it: a comma, a colon, "=", a closing
// bracket, or the end of the statement.
func (p *parser) expr() expr {
	start := p.i
	e := p.operand()
	e.line = int(p.tokens[start].line)
	if !p.exprEnds() {
		loops := p.skip()
		e = expr{form: opaque, line: e.line, loops: loops || e.loops}
	}
	if p.i == start {
		p.fail("no expression")
	}
	e.span = span{start, p.i}
	return e
}

// maxTrailers is how many attributes, calls and indices after an atom are read.
// Each makes an expression one deeper.
const maxTrailers = 64

// operand reads an atom and what follows it: attributes and calls.
func (p *parser) operand() expr {
	e := p.atom()
	for range maxTrailers {
		switch {
		case p.at(".") && p.tokens[p.i+1].kind == nameToken:
			e = attribute(e, p.name(p.i+1))
			p.i += 2
		case p.at("("):
			e = p.call(e)
		case p.at("["):
			p.skipBrackets()
			e = indexed(e)
		default:
			return e
		}
	}
	return expr{form: opaque}
}

// indexed is e[...], of which only the name of e is kept.
func indexed(e expr) expr {
	if e.form != nameExpr {
		return expr{form: opaque}
	}
	return expr{form: opaque, text: e.text}
}

// attribute is e.name.
func attribute(e expr, name string) expr {
	if e.form == nameExpr {
		e.text += "." + name
		return e
	}
	return expr{form: attrExpr, text: name, fn: &e}
}

// atom reads what stands for itself.
func (p *parser) atom() expr {
	t := p.peek()
	switch t.kind {
	case nameToken:
		return p.nameOrConst()
	case numberToken:
		p.i++
		return number(p.text(p.i-1), "")
	case stringToken, fstringToken:
		return p.strings()
	case opToken:
		return p.display()
	default:
		return expr{form: opaque}
	}
}

// nameOrConst reads a name. After a keyword comes more than an operand.
func (p *parser) nameOrConst() expr {
	switch word := p.text(p.i); word {
	case "None", "True", "False":
		p.i++
		return expr{form: constExpr, text: word}
	case "lambda", "not", "await", "yield":
		return expr{form: opaque, loops: p.skip()}
	case "for", "in", "if", "else", "and", "or", "is", "async":
		return expr{form: opaque}
	}
	p.i++
	return expr{form: nameExpr, text: p.name(p.i - 1)}
}

// display reads what a bracket or a sign begins.
func (p *parser) display() expr {
	switch op := p.text(p.i); op {
	case "(":
		return p.parenthesized()
	case "[":
		return p.sequence(listExpr, "]")
	case "{":
		return p.braces()
	case "...":
		p.i++
		return expr{form: constExpr, text: "Ellipsis"}
	case "-", "+":
		if p.tokens[p.i+1].kind == numberToken {
			p.i += 2
			return number(p.text(p.i-1), op)
		}
	case "*", "**":
		p.i++
		e := p.expr()
		return expr{form: starExpr, items: []expr{e}, loops: e.loops}
	}
	return expr{form: opaque}
}

// parenthesized reads a tuple, or an expression in parentheses.
func (p *parser) parenthesized() expr {
	e := p.sequence(tupleExpr, ")")
	if e.form == tupleExpr && len(e.items) == 1 && !p.is(p.i-2, ",") {
		return e.items[0]
	}
	return e
}

// sequence reads the items of a bracket.
func (p *parser) sequence(f form, end string) expr {
	p.i++
	e := expr{form: f}
	for !p.at(end) {
		item := p.expr()
		e.loops = e.loops || item.loops
		e.items = append(e.items, item)
		if !p.accept(",") && !p.at(end) {
			return p.unread()
		}
	}
	p.i++
	if e.loops { // a comprehension, whose items are not counted yet
		return expr{form: opaque}
	}
	return e
}

// braces reads a dict or a set.
func (p *parser) braces() expr {
	p.i++
	e := expr{form: dictExpr}
	for !p.at("}") {
		item := p.expr()
		e.loops = e.loops || item.loops
		e.items = append(e.items, item)
		if p.accept(":") {
			value := p.expr()
			e.loops = e.loops || value.loops
			e.items = append(e.items, value)
		} else if item.form != starExpr {
			e.form = setExpr
		}
		if !p.accept(",") && !p.at("}") {
			return p.unread()
		}
	}
	p.i++
	if e.loops {
		return expr{form: opaque}
	}
	return e
}

// call reads the arguments of a call.
func (p *parser) call(fn expr) expr {
	p.i++
	e := expr{form: callExpr, fn: &fn, line: fn.line}
	for !p.at(")") {
		p.argument(&e)
		if !p.accept(",") && !p.at(")") {
			return p.unread()
		}
	}
	p.i++
	if e.loops { // a generator, which is the only argument: its commas are its own
		e.items, e.keywords, e.loops = []expr{{form: opaque}}, nil, false
	}
	return e
}

// argument reads one argument of a call.
func (p *parser) argument(e *expr) {
	switch {
	case p.peek().kind == nameToken && p.is(p.i+1, "="):
		name := p.name(p.i)
		p.i += 2
		e.keywords = append(e.keywords, keyword{name, p.expr()})
	case p.accept("**"):
		e.keywords = append(e.keywords, keyword{"", p.expr()})
	default:
		item := p.expr()
		e.loops = e.loops || item.loops
		e.items = append(e.items, item)
	}
}

// keyword returns the value of a keyword argument.
func (e expr) keyword(name string) (expr, bool) {
	for _, k := range e.keywords {
		if k.name == name {
			return k.value, true
		}
	}
	return expr{}, false
}

// hasStars reports whether arguments are unpacked, so that nobody knows which
// there are.
func (e expr) hasStars() bool {
	for _, k := range e.keywords {
		if k.name == "" {
			return true
		}
	}
	for _, item := range e.items {
		if item.form == starExpr {
			return true
		}
	}
	return false
}

// head is the first part of a dotted name, and tail the others.
func head(dotted string) (first, rest string) {
	first, rest, _ = strings.Cut(dotted, ".")
	return first, rest
}
