package pyscan

import "strings"

// number passes over a numeric literal.
func (l *lexer) number() {
	rest := l.src[l.pos:]
	if len(rest) > 1 && rest[0] == '0' && strings.IndexByte("xXoObB", rest[1]) >= 0 {
		l.pos += 2
		l.run(func(c byte) bool { return isHex(c) || c == '_' })
		return
	}
	digits := func(c byte) bool { return isDigit(c) || c == '_' }
	l.run(digits)
	if l.at(".") {
		l.pos++
		l.run(digits)
	}
	if l.at("e") || l.at("E") {
		exponent := l.pos + 1
		if exponent < len(l.src) && (l.src[exponent] == '+' || l.src[exponent] == '-') {
			exponent++
		}
		if exponent < len(l.src) && isDigit(l.src[exponent]) {
			l.pos = exponent
			l.run(digits)
		}
	}
	if l.at("j") || l.at("J") {
		l.pos++
	}
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// run passes over bytes of one class.
func (l *lexer) run(class func(byte) bool) {
	for l.pos < len(l.src) && class(l.src[l.pos]) {
		l.pos++
	}
}

func (l *lexer) at(s string) bool { return strings.HasPrefix(l.src[l.pos:], s) }

// operators of several characters, the longest first.
var operators = [...]string{
	"**=", "//=", ">>=", "<<=", "...",
	"!=", "<>", "->", ":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", "==", "<=", ">=", "**", "//", "<<", ">>",
}

// operator reads an operator or a delimiter.
func (l *lexer) operator() {
	start, c := l.pos, l.src[l.pos]
	if n := l.longOperator(); n > 0 {
		l.pos += n
		l.add(opToken, start)
		return
	}
	switch c {
	case '(', '[', '{':
		if len(l.brackets) >= maxBrackets {
			l.fail("too many nested brackets")
		}
		l.brackets = append(l.brackets, bracket{c, l.line})
	case ')', ']', '}':
		l.closeBracket(c)
	default:
		if strings.IndexByte("+-*/%@&|^~<>=.,:;", c) < 0 {
			l.fail("the character " + string(rune(c)))
		}
	}
	l.pos++
	l.add(opToken, start)
}

// longOperator is the length of the operator of several characters at pos, or 0.
func (l *lexer) longOperator() int {
	if l.pos+1 >= len(l.src) || strings.IndexByte("=*/<>.", l.src[l.pos+1]) < 0 {
		return 0 // they have one of these second
	}
	for _, op := range operators {
		if l.at(op) {
			return len(op)
		}
	}
	return 0
}

// closeBracket matches a closing bracket with the last that was opened.
func (l *lexer) closeBracket(c byte) {
	n := len(l.brackets)
	if n == 0 || l.brackets[n-1].char != opening(c) {
		l.fail("the bracket " + string(rune(c)) + " that closes nothing")
		return
	}
	l.brackets = l.brackets[:n-1]
}

func opening(c byte) byte {
	switch c {
	case ')':
		return '('
	case ']':
		return '['
	default:
		return '{'
	}
}
