package report

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxText bounds one text in a report, in bytes.
const maxText = 128 << 10

// clean is text as XML 1.0 can hold it: control characters that are forbidden
// are left out, and what is no UTF-8 is replaced.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if allowed(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// allowed is the production Char of https://www.w3.org/TR/xml/#charsets.
func allowed(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// bounded is clean text of which the middle is left out when it is too long.
func bounded(text string) string {
	text = clean(text)
	if len(text) <= maxText {
		return text
	}
	head, tail := maxText/2, len(text)-maxText/2
	for !utf8.RuneStart(text[head]) {
		head--
	}
	for !utf8.RuneStart(text[tail]) {
		tail++
	}
	return fmt.Sprintf("%s\n[... %d bytes cut by wr ...]\n%s", text[:head], tail-head, text[tail:])
}
