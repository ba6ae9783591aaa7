package pyscan

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxSource is the size of the largest file that is read. Test files are far
// smaller; what is larger is data.
const maxSource = 16 << 20

// utf8BOM may stand before a source in UTF-8.
const utf8BOM = "\ufeff"

// cookie is the declaration of an encoding, as the language reference gives it.
var cookie = regexp.MustCompile(`^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)`)

// blank is a line that holds at most a comment.
var blank = regexp.MustCompile(`^[ \t\f]*(?:#.*)?$`)

// problem says why something is no Python that this package can read.
type problem struct {
	line int
	what string
}

// decode returns the text of a source file with lines ended by \n.
func decode(src []byte) (string, *problem) {
	if len(src) > maxSource {
		return "", &problem{1, fmt.Sprintf("larger than %d MiB", maxSource>>20)}
	}
	if before, _, found := bytes.Cut(src, []byte{0}); found {
		return "", &problem{1 + bytes.Count(before, []byte("\n")), "a null byte"}
	}
	body := bytes.TrimPrefix(src, []byte(utf8BOM))
	text, fault := transcode(body, encoding(body))
	if fault == nil && strings.ContainsRune(text, '\r') {
		text = newlines.Replace(text)
	}
	return text, fault
}

// newlines makes all ends of lines one.
var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// encoding returns the declared encoding of a source, in the form in which
// Python compares names. It is utf-8 where none is declared.
func encoding(src []byte) string {
	for range 2 {
		line, rest, _ := bytes.Cut(src, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if found := cookie.FindSubmatch(line); found != nil {
			return strings.ReplaceAll(strings.ToLower(string(found[1])), "_", "-")
		}
		if !blank.Match(line) {
			break
		}
		src = rest
	}
	return "utf-8"
}

// transcode turns a source into UTF-8.
func transcode(src []byte, encoding string) (string, *problem) {
	switch {
	case encoding == "utf8" || encoding == "utf-8" || strings.HasPrefix(encoding, "utf-8-"):
		if !utf8.Valid(src) {
			return "", &problem{invalidLine(src), "bytes that are not UTF-8"}
		}
		return string(src), nil
	case encoding == "ascii" || encoding == "us-ascii":
		return widen(src, func(c byte) rune {
			if c >= utf8.RuneSelf {
				return utf8.RuneError
			}
			return rune(c)
		})
	}
	if charmap, known := charmaps[strings.TrimPrefix(encoding, "iso-")]; known {
		return widen(src, charmap.DecodeByte)
	}
	return "", &problem{1, "the encoding " + encoding}
}

// charmaps are the encodings of one byte a character, by the names that sources
// give them. Those of several bytes are rare enough to be left to Python.
var charmaps = map[string]*charmap.Charmap{
	"latin-1": charmap.ISO8859_1, "latin1": charmap.ISO8859_1, "l1": charmap.ISO8859_1, "iso8859-1": charmap.ISO8859_1,
	"8859-1": charmap.ISO8859_1, "8859-2": charmap.ISO8859_2, "8859-3": charmap.ISO8859_3, "8859-4": charmap.ISO8859_4,
	"8859-5": charmap.ISO8859_5, "8859-7": charmap.ISO8859_7, "8859-9": charmap.ISO8859_9, "8859-15": charmap.ISO8859_15,
	"koi8-r": charmap.KOI8R, "koi8-u": charmap.KOI8U,
	"cp1250": charmap.Windows1250, "windows-1250": charmap.Windows1250,
	"cp1251": charmap.Windows1251, "windows-1251": charmap.Windows1251,
	"cp1252": charmap.Windows1252, "windows-1252": charmap.Windows1252,
	"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp866": charmap.CodePage866,
}

// widen decodes a source byte by byte.
func widen(src []byte, decode func(byte) rune) (string, *problem) {
	var b strings.Builder
	b.Grow(len(src))
	for at, c := range src {
		r := decode(c)
		if r == utf8.RuneError {
			return "", &problem{1 + bytes.Count(src[:at], []byte("\n")), "a byte that its encoding does not have"}
		}
		b.WriteRune(r)
	}
	return b.String(), nil
}

// invalidLine is the line of the first byte that is not UTF-8.
func invalidLine(src []byte) int {
	line := 1
	for len(src) > 0 {
		r, size := utf8.DecodeRune(src)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		src = src[size:]
	}
	return line
}
