package match

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wr-build/wr/sdk/go/abi"
)

// source is the content of a file by its lines.
type source struct {
	text  []byte
	lines []int // offsets at which lines begin
}

// source reads a file once; nil = it cannot be read.
func (r *reading) source(file string) *source {
	if s, known := r.sources[file]; known {
		return s
	}
	var s *source
	if text, err := r.Source(file); err == nil && file != "" {
		s = newSource(text)
	}
	r.sources[file] = s
	return s
}

func newSource(text []byte) *source {
	s := &source{text: text, lines: []int{0}}
	for i, c := range text {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// line is the text of a line, counted from 1, without its end.
func (s *source) line(n int) ([]byte, bool) {
	if s == nil || n < 1 || n > len(s.lines) {
		return nil, false
	}
	text := s.text[s.lines[n-1]:]
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	return bytes.TrimSuffix(text, []byte("\r")), true
}

// columns is how a program counts columns.
type columns int

const (
	characters columns = iota // code points
	utf16Units                // of which a character can have two
)

// column is a column in bytes, counted from 1, for that of a program; 0 = it is
// not known. One behind the end of the line is right behind it.
func (s *source) column(line, column int, unit columns) int {
	text, ok := s.line(line)
	if !ok || column < 1 {
		return 0
	}
	at, left := 0, column-1
	for left > 0 && at < len(text) {
		c, size := utf8.DecodeRune(text[at:])
		if unit == utf16Units && c != utf8.RuneError {
			left -= utf16.RuneLen(c)
		} else {
			left--
		}
		at += size
	}
	return at + 1
}

// position is a place in a file for that of a program.
func (r *reading) position(file string, line, column int, unit columns) abi.Position {
	if line < 1 {
		return abi.Position{}
	}
	return abi.Position{Line: line, Column: r.source(file).column(line, column, unit)}
}

// offset is the byte at a position with a column; false: the file has it not.
func (s *source) offset(p abi.Position) (int64, bool) {
	text, ok := s.line(p.Line)
	if !ok && s != nil && p.Line == len(s.lines)+1 && p.Column <= 1 { // behind a last line without an end
		return int64(len(s.text)), true
	}
	if !ok || p.Column < 1 || p.Column > len(text)+1 {
		return 0, false
	}
	return int64(s.lines[p.Line-1] + p.Column - 1), true
}
