package pyscan

import "strings"

// isPrefix reports whether a name is the prefix of a string literal.
func isPrefix(s string) bool {
	switch strings.ToLower(s) {
	case "r", "u", "b", "f", "t", "br", "rb", "fr", "rf", "tr", "rt":
		return true
	}
	return false
}

// unclosed is what is wrong with most strings that are wrong.
const unclosed = "a string that is never closed"

// quoting is how a string literal is written.
type quoting struct {
	line  int    // where it begins
	close string // what ends it: one quote or three
	raw   bool
	field bool // f or t: has replacement fields
}

// literal reads a string literal whose prefix starts at start; pos is at its
// first quote.
func (l *lexer) literal(start int) {
	line := l.line
	how := l.open(start)
	if how.field {
		l.fstring(how)
		l.addAt(fstringToken, start, line)
		return
	}
	l.plain(how)
	l.addAt(stringToken, start, line)
}

// open passes over the opening quotes.
func (l *lexer) open(start int) quoting {
	prefix := strings.ToLower(l.src[start:l.pos])
	how := quoting{
		line:  l.line,
		close: l.src[l.pos : l.pos+1],
		raw:   strings.Contains(prefix, "r"),
		field: strings.ContainsAny(prefix, "ft"),
	}
	if triple := strings.Repeat(how.close, 3); l.at(triple) {
		how.close = triple
	}
	l.pos += len(how.close)
	return how
}

// plain passes over a string without replacement fields.
func (l *lexer) plain(how quoting) {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == '\\':
			l.escaped()
		case c == how.close[0] && l.at(how.close):
			l.pos += len(how.close)
			return
		case c == '\n':
			if !l.newlineInString(how) {
				return
			}
		default:
			l.pos++
		}
	}
	l.failAt(how.line, unclosed)
}

// escaped passes over a backslash and what follows it.
func (l *lexer) escaped() {
	l.pos++
	if l.pos < len(l.src) {
		if l.src[l.pos] == '\n' {
			l.line++
		}
		l.pos++
	}
}

// newlineInString passes over the end of a line if the string may go on.
func (l *lexer) newlineInString(how quoting) bool {
	if len(how.close) == 1 {
		l.failAt(how.line, unclosed)
		return false
	}
	l.line++
	l.pos++
	return true
}

// field is an f-string that is being read, and where in it we are: in its text,
// in the expression of a replacement field, or in the format after a colon.
type field struct {
	quoting
	inside   bool // in an expression
	format   bool // the text is a format
	brackets int  // open in the expression
	outer    int  // formats below this one, in the same string
}

// fstring passes over an f-string by the rules of PEP 701, which every valid
// f-string of before keeps too. Nested strings lie on a stack of its own: no
// input makes this recurse.
func (l *lexer) fstring(how quoting) {
	stack := []field{{quoting: how}}
	for len(stack) > 0 && l.fault == nil {
		if len(stack) > maxBrackets {
			l.fail("too many nested f-strings")
		}
		if l.pos >= len(l.src) {
			l.failAt(how.line, unclosed)
			return
		}
		if top := &stack[len(stack)-1]; top.inside {
			stack = l.fieldExpression(stack, top)
		} else {
			stack = l.fieldText(stack, top)
		}
	}
}

// fieldText reads one step in the text or the format of an f-string.
func (l *lexer) fieldText(stack []field, top *field) []field {
	c := l.src[l.pos]
	switch {
	case c == top.close[0] && l.at(top.close):
		if top.format {
			l.fail("a replacement field that is never closed")
		}
		l.pos += len(top.close)
		return stack[:len(stack)-1]
	case c == '{' && !top.format && l.at("{{"), c == '}' && !top.format && l.at("}}"):
		l.pos += 2
	case c == '{':
		l.pos++
		if top.format { // a field inside of a format
			return append(stack, field{quoting: top.quoting, inside: true, outer: top.outer + 1})
		}
		top.inside, top.brackets = true, 0
	case c == '}' && top.format:
		l.pos++
		return leaveField(stack)
	case c == '\\':
		l.fieldEscape(top)
	case c == '\n':
		if !l.newlineInString(top.quoting) {
			return stack
		}
	default:
		l.pos++
	}
	return stack
}

// leaveField ends a replacement field: back to the text around it.
func leaveField(stack []field) []field {
	top := &stack[len(stack)-1]
	if top.outer > 0 {
		return stack[:len(stack)-1]
	}
	top.inside, top.format = false, false
	return stack
}

// fieldEscape passes over a backslash in the text of an f-string. It never
// hides a brace, but for the name of a character.
func (l *lexer) fieldEscape(top *field) {
	if !top.raw && l.at(`\N{`) {
		l.until("}\n")
		if l.at("}") {
			l.pos++
		}
		return
	}
	if l.at(`\{`) || l.at(`\}`) {
		l.pos++
		return
	}
	l.escaped()
}

// fieldExpression reads one step in the expression of a replacement field.
func (l *lexer) fieldExpression(stack []field, top *field) []field {
	c := l.src[l.pos]
	switch {
	case isNameStart(c):
		start := l.pos
		l.run(isNamePart)
		if l.pos < len(l.src) && isQuote(l.src[l.pos]) && isPrefix(l.src[start:l.pos]) {
			return l.nested(stack, start)
		}
	case isQuote(c):
		return l.nested(stack, l.pos)
	case c == '#':
		l.comment()
	case c == '\n':
		l.line++
		l.pos++
	case c == '(' || c == '[' || c == '{':
		top.brackets++
		l.pos++
	case c == '}' && top.brackets == 0:
		l.pos++
		return leaveField(stack)
	case c == ')' || c == ']' || c == '}':
		top.brackets--
		l.pos++
	case c == ':' && top.brackets == 0:
		l.pos++
		top.inside, top.format = false, true
	case c == '!' && l.at("!="):
		l.pos += 2
	default:
		l.pos++
	}
	return stack
}

// nested reads a string inside of an expression; an f-string goes on the stack.
func (l *lexer) nested(stack []field, start int) []field {
	how := l.open(start)
	if how.field {
		return append(stack, field{quoting: how})
	}
	l.plain(how)
	return stack
}
