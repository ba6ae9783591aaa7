package pyscan

// span is a range of tokens.
type span struct{ from, to int }

// parser reads statements, and of expressions what this package needs. It
// never looks at a token more than a bounded number of times; the depth of its
// recursion is bounded by that of brackets and of blocks.
type parser struct {
	src      string
	tokens   []token
	i        int
	function *stmt // the def whose body is being read
	fault    *problem
}

func (p *parser) peek() token { return p.tokens[p.i] }
func (p *parser) text(i int) string {
	return p.src[p.tokens[i].start:p.tokens[i].end]
}

// is reports whether there is a token at i, and it is this operator or keyword.
func (p *parser) is(i int, s string) bool {
	if i < 0 || i >= len(p.tokens) {
		return false
	}
	t := p.tokens[i]
	return int(t.end-t.start) == len(s) && (t.kind == opToken || t.kind == nameToken) && p.src[t.start:t.end] == s
}

func (p *parser) at(s string) bool { return p.is(p.i, s) }

// accept passes over a token if it is this one.
func (p *parser) accept(s string) bool {
	if !p.at(s) {
		return false
	}
	p.i++
	return true
}

// expect passes over a token that has to be there.
func (p *parser) expect(s string) {
	if !p.accept(s) {
		p.fail("something else than " + s)
	}
}

// fail notes the first problem and moves to the end, where all reading stops.
func (p *parser) fail(what string) {
	if p.fault == nil {
		p.fault = &problem{int(p.peek().line), what}
	}
	p.i = len(p.tokens) - 1
}

// exprEnds reports whether the current token ends an expression.
func (p *parser) exprEnds() bool {
	t := p.peek()
	if t.kind == opToken {
		switch p.text(p.i) {
		case ",", ")", "]", "}", ":", "=", ";":
			return true
		}
	}
	return t.kind == newlineToken || t.kind == endMarker
}

// skip passes over the rest of an expression. It reports whether that holds a
// comprehension, whose commas would else be taken for those around it.
func (p *parser) skip() (loops bool) {
	lambdas := 0
	for depth := 0; ; p.i++ {
		if depth > 0 {
			if p.peek().kind == endMarker {
				return loops
			}
			depth += p.nesting(p.i)
			continue
		}
		switch {
		case p.exprEnds() && p.endsLambdas(&lambdas):
			return loops
		case p.at("for"):
			loops = true
		case p.at("lambda"):
			lambdas++
		default:
			depth += p.nesting(p.i)
		}
	}
}

// endsLambdas reports whether what ends an expression ends it here, and not the
// parameters of a lambda: up to its colon, commas and "=" belong to them.
func (p *parser) endsLambdas(lambdas *int) bool {
	if *lambdas == 0 || p.closes(p.i) || p.at(";") || p.peek().kind != opToken {
		return true
	}
	if p.at(":") {
		*lambdas--
	}
	return false
}

// nesting is how much deeper a token leads into brackets.
func (p *parser) nesting(i int) int {
	switch {
	case p.opens(i):
		return 1
	case p.closes(i):
		return -1
	}
	return 0
}

func (p *parser) opens(i int) bool  { return p.is(i, "(") || p.is(i, "[") || p.is(i, "{") }
func (p *parser) closes(i int) bool { return p.is(i, ")") || p.is(i, "]") || p.is(i, "}") }

// skipBrackets passes over a bracket and everything in it.
func (p *parser) skipBrackets() {
	depth := 0
	for p.peek().kind != endMarker {
		depth += p.nesting(p.i)
		p.i++
		if depth == 0 {
			return
		}
	}
}

// unread gives up on the inside of a bracket.
func (p *parser) unread() expr {
	for depth := 1; p.peek().kind != endMarker; {
		depth += p.nesting(p.i)
		p.i++
		if depth == 0 {
			return expr{form: opaque}
		}
	}
	return expr{form: opaque}
}
