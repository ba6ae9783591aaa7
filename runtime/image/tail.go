package image

import (
	"slices"
	"strings"
)

// tailLines is how many lines of output are kept for an error.
const tailLines = 30

// tail keeps the last lines of an output.
type tail struct {
	lines []string
	rest  string // since the last line end
}

// add takes more output and returns the lines that it completes.
func (t *tail) add(output string) []string {
	lines := strings.Split(t.rest+output, "\n")
	whole := lines[:len(lines)-1]
	t.rest = lines[len(lines)-1]
	t.lines = append(t.lines, whole...)
	if extra := len(t.lines) - tailLines; extra > 0 {
		t.lines = slices.Clone(t.lines[extra:])
	}
	return whole
}

// text is what was kept.
func (t *tail) text() string {
	return strings.TrimRight(strings.Join(append(slices.Clone(t.lines), t.rest), "\n"), "\n")
}
