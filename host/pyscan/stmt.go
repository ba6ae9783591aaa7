package pyscan

// stmtKind is what a statement does to names.
type stmtKind uint8

const (
	otherStmt    stmtKind = iota // an expression, a raise, an assert, ...
	importStmt                   // import and from
	defStmt                      // def and async def
	classStmt                    //
	assignStmt                   // also annotated and augmented
	delStmt                      //
	compoundStmt                 // if, for, while, try, with, match
)

// stmt is a statement. Of those in functions only imports, definitions and what
// holds them are kept.
type stmt struct {
	kind       stmtKind
	line       int
	word       string // keyword that it begins with, if that says more than kind
	span       span   // a simple statement, or the header of another
	end        int    // of a def: the token behind its body
	name       string // of a def or class
	decorators []decorator
	params     []param // of a def
	bases      expr    // of a class: items and keywords
	async      bool
	yields     bool     // a def with a yield of its own
	imported   imported // of an import
	targets    []target // of an assignment or del
	augmented  bool
	value      *expr
	binds      []string // names that are bound besides: by := for, as, case
	blocks     []block
}

// decorator is one line with @.
type decorator struct {
	line int
	expr expr
}

// param is a parameter of a function.
type param struct {
	name     string
	optional bool // has a default value
	value    span // that value
	kind     byte // 'p' positional only, 'k' keyword only, '*' collects more, ' ' either
}

// target is what something is assigned to.
type target struct {
	name  string // the first name
	inner bool   // not the name itself, but an attribute or item of it
}

// block is the body of a compound statement, a def or a class.
type block struct {
	word string // if, elif, else, for, while, try, except, finally, with, match, case; "" for def and class
	span span   // of the header, without its colon
	body []*stmt
}

// parse reads a module.
func parse(src string) (*parser, []*stmt) {
	p := &parser{src: src}
	p.tokens, p.fault = lex(src)
	if p.fault != nil {
		return p, nil
	}
	body := p.statements()
	if p.peek().kind != endMarker {
		p.fail("unexpected indentation")
	}
	return p, body
}

// statements reads what comes until a block ends.
func (p *parser) statements() []*stmt {
	var body []*stmt
	for p.peek().kind != dedentToken && p.peek().kind != endMarker {
		if p.peek().kind == indentToken {
			p.fail("unexpected indentation")
			break
		}
		body = p.statement(body)
	}
	return body
}

// statement reads one compound statement, or a line of simple ones.
func (p *parser) statement(body []*stmt) []*stmt {
	if p.peek().kind == newlineToken { // after a lone semicolon
		p.i++
		return body
	}
	if s := p.compound(); s != nil {
		return p.keep(body, s)
	}
	return p.simpleLine(body)
}

// keep adds a statement, unless it lies in a function and says nothing.
func (p *parser) keep(body []*stmt, s *stmt) []*stmt {
	if p.function != nil && s.kind == compoundStmt && s.empty() {
		return body
	}
	return append(body, s)
}

// empty reports whether a compound statement holds no statement.
func (s *stmt) empty() bool {
	for _, b := range s.blocks {
		if len(b.body) > 0 {
			return false
		}
	}
	return true
}

// simpleLine reads simple statements up to the end of the line.
func (p *parser) simpleLine(body []*stmt) []*stmt {
	for {
		if p.function != nil && !p.at("import") && !p.at("from") {
			p.pass()
		} else {
			body = append(body, p.simple())
		}
		if p.peek().kind == newlineToken {
			p.i++
			return body
		}
		if !p.accept(";") {
			p.fail("more than a statement")
			return body
		}
		if p.peek().kind == newlineToken {
			p.i++
			return body
		}
	}
}

// compound reads a compound statement, if there is one.
func (p *parser) compound() *stmt {
	switch {
	case p.at("@"):
		all := p.decorators()
		s := p.definition()
		if s == nil {
			p.fail("no definition")
			return nil
		}
		s.decorators = all
		return s
	case p.peek().kind != nameToken:
		return nil
	case p.opensBlock():
		return p.blocks(&stmt{kind: compoundStmt, line: int(p.peek().line)})
	case p.at("async") && (p.is(p.i+1, "for") || p.is(p.i+1, "with")):
		p.i++
		return p.blocks(&stmt{kind: compoundStmt, line: int(p.tokens[p.i-1].line)})
	}
	return p.definition()
}

// definition reads a def or a class, if there is one.
func (p *parser) definition() *stmt {
	line := int(p.peek().line)
	switch {
	case p.at("def"):
		return p.def(&stmt{line: line})
	case p.at("class"):
		return p.class(&stmt{line: line})
	case p.at("async") && p.is(p.i+1, "def"):
		p.i++
		return p.def(&stmt{line: line, async: true})
	}
	return nil
}

// decorators reads the lines with @ before a definition.
func (p *parser) decorators() []decorator {
	var all []decorator
	for p.accept("@") {
		line := int(p.peek().line)
		all = append(all, decorator{line, p.expr()})
		if p.peek().kind != newlineToken {
			p.fail("more than a decorator")
			break
		}
		p.i++
	}
	return all
}

// opensBlock reports whether a compound statement begins here. "match" is no
// keyword elsewhere: it is one where the line ends with a colon.
func (p *parser) opensBlock() bool {
	switch p.text(p.i) {
	case "if", "for", "while", "try", "with":
		return true
	case "match":
		return p.endsWithColon()
	}
	return false
}

// endsWithColon reports whether the logical line ends with a colon, and so
// begins a block.
func (p *parser) endsWithColon() bool {
	i := p.i
	for p.tokens[i].kind != newlineToken && p.tokens[i].kind != endMarker {
		i++
	}
	return p.is(i-1, ":") && p.tokens[i].kind == newlineToken && p.tokens[i+1].kind == indentToken
}

// blocks reads the blocks of a compound statement.
func (p *parser) blocks(s *stmt) *stmt {
	s.word = p.text(p.i)
	from := p.i
	for first := true; first || p.continues(s.word); first = false {
		b := block{word: p.text(p.i)}
		b.span = p.header(s)
		b.body = p.suite(b.word == "match")
		s.blocks = append(s.blocks, b)
		if b.word == "match" {
			break
		}
	}
	s.span = span{from, s.blocks[0].span.to}
	return s
}

// continues reports whether another block of the same statement begins here.
func (p *parser) continues(word string) bool {
	switch word {
	case "if":
		return p.at("elif") || p.at("else")
	case "for", "while":
		return p.at("else")
	case "try":
		return p.at("except") || p.at("else") || p.at("finally")
	}
	return false
}

// header reads up to the colon before a suite, and notes what it binds.
func (p *parser) header(s *stmt) span {
	at := span{from: p.i}
	p.skipHeader()
	at.to = p.i
	p.note(s, at)
	p.expect(":")
	return at
}

// skipHeader moves to the colon that ends a header.
func (p *parser) skipHeader() {
	lambdas := 0
	for depth := 0; ; p.i++ {
		switch t := p.peek(); {
		case t.kind == newlineToken || t.kind == endMarker:
			return
		case depth == 0 && t.kind == nameToken && p.at("lambda"):
			lambdas++
		case depth == 0 && p.at(":"):
			if lambdas == 0 {
				return
			}
			lambdas--
		default:
			depth += p.nesting(p.i)
		}
	}
}

// suite reads a block: indented lines, or simple statements on the same line.
// That of a match statement holds cases.
func (p *parser) suite(cases bool) []*stmt {
	if p.peek().kind != newlineToken {
		return p.simpleLine(nil)
	}
	p.i++
	if p.peek().kind != indentToken {
		p.fail("no block")
		return nil
	}
	p.i++
	var body []*stmt
	if cases {
		body = p.cases()
	} else {
		body = p.statements()
	}
	if p.peek().kind == dedentToken {
		p.i++
	}
	return body
}

// cases reads the blocks of a match statement.
func (p *parser) cases() []*stmt {
	var body []*stmt
	for p.at("case") {
		s := &stmt{kind: compoundStmt, word: "case", line: int(p.peek().line)}
		s.span = p.header(s)
		s.blocks = []block{{word: "case", span: s.span, body: p.suite(false)}}
		body = p.keep(body, s)
	}
	return body
}
