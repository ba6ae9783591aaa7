package page

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Bounds of what a page holds, in bytes, so that a browser shows it at once.
const (
	maxText  = 64 << 10 // one text
	maxTexts = 4 << 20  // all of them
)

// escapes are the sequences that terminals obey: colours, titles, cursors.
var escapes = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]`)

// clean is text as it can be seen: without the sequences that terminals obey,
// and with a sign in place of each character that is invisible or would turn
// the direction of others.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case !hidden(r):
			return r
		case r < ' ':
			return '\u2400' + r // its picture
		case r == 0x7f:
			return '\u2421'
		default:
			return '\uFFFD'
		}
	}, escapes.ReplaceAllString(text, ""))
}

// hidden reports whether r is a control character other than tab and newline,
// or one that changes the direction of text.
func hidden(r rune) bool {
	return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 ||
		r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c
}

// bounded is text without the middle of it when it is too long.
func bounded(text string) string {
	if len(text) <= maxText {
		return text
	}
	head, tail := maxText/2, len(text)-maxText/2
	for !utf8.RuneStart(text[head]) && head > 0 {
		head--
	}
	for tail < len(text) && !utf8.RuneStart(text[tail]) {
		tail++
	}
	return fmt.Sprintf("%s\n[... %d bytes cut by wr ...]\n%s", text[:head], tail-head, text[tail:])
}

// block is text of one colour.
type block struct{ Class, Text string }

// plain is text that has no colours.
func plain(text string) []block {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return []block{{"", clean(text)}}
}

// traceback is a text of pytest, coloured by what its lines are.
func traceback(text string) []block {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	var all []block
	for line := range strings.Lines(strings.TrimRight(clean(text), "\n")) {
		c := lineClass(line)
		if n := len(all); n > 0 && all[n-1].Class == c {
			all[n-1].Text += line
		} else {
			all = append(all, block{c, line})
		}
	}
	return all
}

// place matches "test/test_a.py:12: AssertionError", which ends a part of a traceback.
var place = regexp.MustCompile(`^\S[^:]*:\d+: ?\S*$`)

// lineClass says what a line of a traceback is; "" = code.
func lineClass(line string) string {
	line = strings.TrimRight(line, "\n")
	rest, isError := strings.CutPrefix(line, "E")
	switch {
	case strings.HasPrefix(line, ">"):
		return "at"
	case isError && (rest == "" || rest[0] == ' '):
		return diffClass(strings.TrimLeft(rest, " "))
	case place.MatchString(line):
		return "place"
	default:
		return ""
	}
}

// diffClass says what a line that explains an error is.
func diffClass(text string) string {
	explains := strings.HasPrefix(text, "+  ") && (strings.Contains(text, " where ") || strings.Contains(text, " and "))
	switch {
	case explains:
		return "err"
	case strings.HasPrefix(text, "- "):
		return "del"
	case strings.HasPrefix(text, "+ "):
		return "add"
	case strings.HasPrefix(text, "? "):
		return "hint"
	default:
		return "err"
	}
}
