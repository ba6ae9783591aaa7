package pyscan

// def reads a function definition; decorators and async are in s.
func (p *parser) def(s *stmt) *stmt {
	s.kind = defStmt
	s.span.from = p.i
	p.i++
	s.name = p.defined()
	if p.at("[") { // type parameters
		p.skipBrackets()
	}
	s.params = p.params()
	p.skipHeader()
	s.span.to = p.i
	p.expect(":")
	outer := p.function
	p.function = s
	s.blocks = []block{{body: p.suite(false)}}
	s.end = p.i
	p.function = outer
	return s
}

// class reads a class definition.
func (p *parser) class(s *stmt) *stmt {
	s.kind = classStmt
	s.span.from = p.i
	p.i++
	s.name = p.defined()
	if p.at("[") {
		p.skipBrackets()
	}
	if p.at("(") {
		s.bases = p.call(expr{})
	} else {
		s.bases = expr{form: callExpr}
	}
	s.span.to = p.i
	p.expect(":")
	s.blocks = []block{{body: p.suite(false)}}
	return s
}

// defined reads the name that a definition gives.
func (p *parser) defined() string {
	if p.peek().kind != nameToken {
		p.fail("a definition without a name")
		return ""
	}
	p.i++
	return p.name(p.i - 1)
}

// params reads the parameters of a function.
func (p *parser) params() []param {
	p.expect("(")
	var all []param
	kind := byte(' ')
	for !p.at(")") && p.peek().kind != endMarker {
		switch {
		case p.accept("/"):
			for i := range all {
				all[i].kind = 'p'
			}
		case p.accept("**"):
			all = append(all, p.param('*'))
		case p.accept("*"):
			if p.peek().kind == nameToken {
				all = append(all, p.param('*'))
			}
			kind = 'k'
		default:
			all = append(all, p.param(kind))
		}
		if !p.accept(",") && !p.at(")") {
			p.fail("something else than a parameter")
		}
	}
	p.expect(")")
	return all
}

// param reads one parameter with its annotation and default.
func (p *parser) param(kind byte) param {
	one := param{kind: kind}
	if p.peek().kind != nameToken {
		p.fail("a parameter without a name")
		return one
	}
	one.name = p.name(p.i)
	p.i++
	if p.accept(":") {
		p.skip()
	}
	if p.accept("=") {
		one.optional = true
		one.value.from = p.i
		p.skip()
		one.value.to = p.i
	}
	return one
}
