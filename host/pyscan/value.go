package pyscan

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// name returns the identifier at i as Python sees it: in normal form KC.
func (p *parser) name(i int) string {
	s := p.text(i)
	for j := range len(s) {
		if s[j] >= utf8.RuneSelf {
			return norm.NFKC.String(s)
		}
	}
	return s
}

// strings reads string literals beside one another, which are one. With a
// replacement field or a mix of types among them, their value is unknown.
func (p *parser) strings() expr {
	e := expr{}
	var b strings.Builder
	for first := true; ; first = false {
		t := p.peek()
		if t.kind != stringToken && t.kind != fstringToken {
			break
		}
		f, ok := opaque, false
		if t.kind == stringToken {
			f, ok = unquote(p.text(p.i), &b)
		}
		if first {
			e.form = f
		}
		if !ok || f != e.form {
			e.form = opaque
		}
		p.i++
	}
	e.text = b.String()
	return e
}

// unquote appends the value of a string literal. It is not ok where Go has no
// string for the value: a lone surrogate, or a character by its name.
func unquote(literal string, b *strings.Builder) (form, bool) {
	at := strings.IndexAny(literal, `"'`)
	prefix, body := strings.ToLower(literal[:at]), literal[at:]
	quotes := 1
	if len(body) >= 6 && body[1] == body[0] && body[2] == body[0] {
		quotes = 3
	}
	body = body[quotes : len(body)-quotes]
	f := textExpr
	if strings.Contains(prefix, "b") {
		f = bytesExpr
	}
	if strings.Contains(prefix, "r") || !strings.Contains(body, `\`) {
		b.WriteString(body)
		return f, true
	}
	return f, unescape(body, f == bytesExpr, b)
}

// unescape appends a string with its escape sequences resolved.
func unescape(s string, isBytes bool, b *strings.Builder) bool {
	for {
		at := strings.IndexByte(s, '\\')
		if at < 0 || at+1 >= len(s) {
			b.WriteString(s)
			return true
		}
		b.WriteString(s[:at])
		used, ok := escape(s[at+1:], isBytes, b)
		if !ok {
			return false
		}
		s = s[at+1+used:]
	}
}

// simpleEscapes are those of one character.
var simpleEscapes = map[byte]string{
	'\n': "", '\\': `\`, '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

// escape appends what the escape sequence s, without its backslash, stands for.
func escape(s string, isBytes bool, b *strings.Builder) (used int, ok bool) {
	c := s[0]
	if simple, found := simpleEscapes[c]; found {
		b.WriteString(simple)
		return 1, true
	}
	switch {
	case '0' <= c && c <= '7':
		n := 1
		for n < 3 && n < len(s) && '0' <= s[n] && s[n] <= '7' {
			n++
		}
		return n, character(s[:n], 8, isBytes, b)
	case c == 'x':
		return digits(s, 2, isBytes, b)
	case c == 'u' && !isBytes:
		return digits(s, 4, false, b)
	case c == 'U' && !isBytes:
		return digits(s, 8, false, b)
	case c == 'N' && !isBytes:
		return 0, false
	}
	b.WriteByte('\\') // not an escape sequence: both characters stay
	return 0, true
}

// digits appends the character with this many hexadecimal digits.
func digits(s string, n int, isBytes bool, b *strings.Builder) (used int, ok bool) {
	if len(s) <= n {
		return 0, false
	}
	return n + 1, character(s[1:n+1], 16, isBytes, b)
}

// character appends the character of a code, or the byte.
func character(code string, base int, isBytes bool, b *strings.Builder) bool {
	n, err := strconv.ParseUint(code, base, 32)
	if err != nil {
		return false
	}
	if isBytes {
		b.WriteByte(byte(n)) //nolint:gosec // Python takes the low eight bits as well
		return true
	}
	if n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return false
	}
	b.WriteRune(rune(n))
	return true
}

// number is the value of a numeric literal, as str gives it.
func number(literal, sign string) expr {
	s := strings.ReplaceAll(literal, "_", "")
	if sign != "-" {
		sign = ""
	}
	if n, ok := integer(s); ok {
		if n == "0" {
			sign = ""
		}
		return expr{form: intExpr, text: sign + n}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) || strings.ContainsAny(s, "xXjJ") {
		return expr{form: opaque}
	}
	return expr{form: floatExpr, text: sign + repr(f)}
}

// longestInteger is the number of digits from which on Python refuses to turn
// integers to text.
const longestInteger = 4300

// integer returns the decimal digits of an integer literal.
func integer(s string) (string, bool) {
	if len(s) > longestInteger {
		return "", false
	}
	base := 10
	if len(s) > 1 && s[0] == '0' {
		base = 0
		if isDigit(s[1]) {
			base = 10
		}
	}
	n, ok := new(big.Int).SetString(s, base)
	if !ok {
		return "", false
	}
	return n.String(), true
}

// repr is a float as Python's repr gives it.
func repr(f float64) string {
	if math.IsInf(f, 0) {
		return "inf"
	}
	if f != 0 && (f < 1e-4 || f >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
