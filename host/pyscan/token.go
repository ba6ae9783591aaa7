package pyscan

import (
	"strings"
)

// kind is what a token is, in the words of the language reference.
type kind uint8

const (
	endMarker kind = iota
	newlineToken
	indentToken
	dedentToken
	nameToken // identifiers and keywords
	numberToken
	stringToken
	fstringToken // also t-strings: everything up to the closing quote
	opToken      // operators and delimiters
)

// token is a piece of the source.
type token struct {
	kind       kind
	start, end int32
	line       int32 // of the start, 1-based
}

// Bounds that CPython has as well.
const (
	maxIndents  = 100
	maxBrackets = 200
)

// lexer splits a source into tokens, as section 2 of the language reference
// says. Each byte is looked at a bounded number of times.
type lexer struct {
	src      string
	pos      int
	line     int
	brackets []bracket // that are open
	indents  []column  // of the blocks that are open
	tokens   []token
	fault    *problem
}

// bracket is one that is open.
type bracket struct {
	char byte
	line int
}

// column is how far a line is indented, with tabs to multiples of eight and
// with tabs of one: where the two disagree about an order, Python refuses.
type column struct{ wide, narrow int }

// lex returns the tokens of a source, the last of which is an endMarker.
func lex(src string) ([]token, *problem) {
	l := &lexer{src: src, line: 1, indents: []column{{}}, tokens: make([]token, 0, len(src)/3+8)}
	for l.fault == nil && l.pos < len(l.src) {
		l.startOfLine()
		for l.fault == nil && l.inLine() {
			l.token()
		}
	}
	l.finish()
	return l.tokens, l.fault
}

// finish closes what the end of the file closes.
func (l *lexer) finish() {
	if n := len(l.brackets); n > 0 {
		l.failAt(l.brackets[n-1].line, "a bracket that is never closed")
	}
	if n := len(l.tokens); n > 0 && l.tokens[n-1].kind != newlineToken && l.tokens[n-1].kind != dedentToken {
		l.add(newlineToken, l.pos)
	}
	for range l.indents[1:] {
		l.add(dedentToken, l.pos)
	}
	l.add(endMarker, l.pos)
}

// fail notes the first problem.
func (l *lexer) fail(what string) { l.failAt(l.line, what) }

func (l *lexer) failAt(line int, what string) {
	if l.fault == nil {
		l.fault = &problem{line, what}
	}
}

// add ends a token that starts at start on the current line.
func (l *lexer) add(k kind, start int) {
	l.addAt(k, start, l.line)
}

func (l *lexer) addAt(k kind, start, line int) {
	l.tokens = append(l.tokens, token{kind: k, start: int32(start), end: int32(l.pos), line: int32(line)}) //nolint:gosec // below maxSource
}

// startOfLine reads the indentation. Lines without a token do not count.
func (l *lexer) startOfLine() {
	col := l.indentation()
	if l.pos >= len(l.src) || l.src[l.pos] == '#' || l.src[l.pos] == '\n' {
		return
	}
	top := l.indents[len(l.indents)-1]
	switch {
	case col == top:
	case col.wide > top.wide && col.narrow > top.narrow:
		if len(l.indents) >= maxIndents {
			l.fail("too many levels of indentation")
			return
		}
		l.indents = append(l.indents, col)
		l.add(indentToken, l.pos)
	default:
		l.dedent(col)
	}
}

// dedent closes blocks down to the column of this line.
func (l *lexer) dedent(col column) {
	for len(l.indents) > 1 && col.wide < l.indents[len(l.indents)-1].wide {
		l.indents = l.indents[:len(l.indents)-1]
		l.add(dedentToken, l.pos)
	}
	if col != l.indents[len(l.indents)-1] {
		l.fail("indentation that fits no block")
	}
}

// indentation passes over the white space at the start of a line. A backslash
// joins the next line, whose indentation then does not count.
func (l *lexer) indentation() column {
	var col column
	joined := false
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == ' ' && !joined:
			col.wide++
			col.narrow++
		case c == '\t' && !joined:
			col.wide = (col.wide/8 + 1) * 8
			col.narrow++
		case c == '\f':
			col = column{}
		case c == '\\' && strings.HasPrefix(l.src[l.pos:], "\\\n"):
			joined = joined || col != column{}
			l.line++
			l.pos++
		case c != ' ' && c != '\t':
			return col
		}
		l.pos++
	}
	return col
}

// inLine reports whether the logical line goes on; its end is a token.
func (l *lexer) inLine() bool {
	l.space()
	if l.pos >= len(l.src) {
		return false
	}
	if l.src[l.pos] != '\n' {
		return true
	}
	if n := len(l.tokens); n > 0 && !l.tokens[n-1].endsLine() {
		l.pos++
		l.add(newlineToken, l.pos-1)
		l.line++
		return false
	}
	l.pos++
	l.line++
	return false
}

// endsLine reports whether nothing of a logical line has come yet.
func (t token) endsLine() bool {
	return t.kind == newlineToken || t.kind == indentToken || t.kind == dedentToken
}

// space passes over white space, comments and joined lines.
func (l *lexer) space() {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == ' ' || c == '\t' || c == '\f':
			l.pos++
		case c == '#':
			l.comment()
		case c == '\n' && len(l.brackets) > 0:
			l.line++
			l.pos++
		case c == '\\' && strings.HasPrefix(l.src[l.pos:], "\\\n"):
			l.line++
			l.pos += 2
		default:
			return
		}
	}
}

// comment passes over a comment.
func (l *lexer) comment() { l.until("\n") }

// until moves to the next of some characters, or to the end.
func (l *lexer) until(chars string) {
	if at := strings.IndexAny(l.src[l.pos:], chars); at >= 0 {
		l.pos += at
		return
	}
	l.pos = len(l.src)
}

// token reads the token at pos.
func (l *lexer) token() {
	start, c := l.pos, l.src[l.pos]
	switch {
	case isNameStart(c):
		for l.pos < len(l.src) && isNamePart(l.src[l.pos]) {
			l.pos++
		}
		if l.pos < len(l.src) && isQuote(l.src[l.pos]) && isPrefix(l.src[start:l.pos]) {
			l.literal(start)
			return
		}
		l.add(nameToken, start)
	case isQuote(c):
		l.literal(start)
	case isDigit(c) || c == '.' && l.pos+1 < len(l.src) && isDigit(l.src[l.pos+1]):
		l.number()
		l.add(numberToken, start)
	default:
		l.operator()
	}
}

func isNameStart(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}
func isNamePart(c byte) bool { return isNameStart(c) || isDigit(c) }
func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isQuote(c byte) bool    { return c == '"' || c == '\'' }
