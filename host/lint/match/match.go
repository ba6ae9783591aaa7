// Package match reads what linters print: it turns the output of a program that
// knows nothing of wr into diagnostics, as an abi.Matcher says how.
//
// What cannot be understood is an error, never an empty list: output in another
// format than was said, an exit code that means neither clean nor found, or one
// that means found where nothing was. Columns, which programs count in characters
// of one kind or another, become bytes, for which files are read.
package match

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wr-build/wr/sdk/go/abi"
)

// The formats of an abi.Matcher.
const (
	Exit       = "exit"
	List       = "list"
	Regex      = "regex"
	SARIF      = "sarif"
	Checkstyle = "checkstyle"
	Diff       = "diff"
)

// stderr is the stream that is not the default one.
const stderr = "stderr"

// Matcher reads the output of one program. It may be used by several goroutines.
type Matcher struct {
	abi.Matcher
	pattern *regexp.Regexp
}

// New makes a matcher. What m leaves open gets its default.
func New(m abi.Matcher) (*Matcher, error) {
	m.Format = cmp.Or(m.Format, Exit)
	m.Severity = cmp.Or(m.Severity, string(abi.SeverityError))
	if len(m.Clean) == 0 {
		m.Clean = []int{0}
	}
	if len(m.Found) == 0 {
		m.Found = []int{1}
	}
	out := &Matcher{Matcher: m}
	switch m.Format {
	case Exit, List, SARIF, Checkstyle, Diff:
		return out, nil
	case Regex:
		var err error
		out.pattern, err = regexp.Compile("(?m)" + m.Pattern)
		return out, err
	}
	return nil, fmt.Errorf("%q is no format of output", m.Format)
}

// Single reports whether the output names no files, so that what it says can be
// told only if the program has looked at one.
func (m *Matcher) Single() bool {
	return m.Format == Exit || m.Format == Regex && m.pattern.SubexpIndex("file") < 0
}

// Output is what a program has said.
type Output struct {
	Exit           int
	Stdout, Stderr []byte
	File           string // workspace path of what it looked at, where the output names no file
	// Path is the workspace path of a file as the program calls it; false: it is
	// none of the workspace.
	Path func(name string) (string, bool)
	// Source reads a file by its workspace path, as the program has seen it.
	Source func(file string) ([]byte, error)
}

// Read returns the diagnostics in o, in the order in which they came.
func (m *Matcher) Read(o Output) ([]abi.Diagnostic, error) {
	found := slices.Contains(m.Found, o.Exit)
	if !found && !slices.Contains(m.Clean, o.Exit) {
		return nil, fmt.Errorf("exited with %d, which is neither of clean %v nor of found %v", o.Exit, m.Clean, m.Found)
	}
	all, err := m.reading(o).read(found)
	if err != nil {
		return nil, err
	}
	if found && len(all) == 0 {
		return nil, m.unreadable(o)
	}
	return all, nil
}

// unreadable is that nothing was said of what the exit code means.
func (m *Matcher) unreadable(o Output) error {
	return fmt.Errorf("exited with %d, which means that something was found, and its %s says nothing that could be read as %s", o.Exit, cmp.Or(m.Stream, "stdout"), m.Format)
}

func (m *Matcher) reading(o Output) *reading {
	return &reading{Matcher: m, Output: o, sources: map[string]*source{}}
}

// reading is one call of Read.
type reading struct {
	*Matcher
	Output
	sources map[string]*source
}

func (r *reading) read(found bool) ([]abi.Diagnostic, error) {
	switch r.Format {
	case List:
		return r.list(), nil
	case Regex:
		return r.regex(), nil
	case SARIF:
		return r.sarif()
	case Checkstyle:
		return r.checkstyle()
	case Diff:
		return r.diff()
	}
	if !found {
		return nil, nil
	}
	return []abi.Diagnostic{r.diagnostic(r.File, "", "", cmp.Or(lastLines(r.text()), lastLines(r.other()), r.Message, fmt.Sprintf("exited with %d", r.Exit)))}, nil
}

// text is the stream that is to be read.
func (r *reading) text() []byte {
	if r.Stream == stderr {
		return r.Stderr
	}
	return r.Stdout
}

// other is the stream that is not.
func (r *reading) other() []byte {
	if r.Stream == stderr {
		return r.Stdout
	}
	return r.Stderr
}

// maxMessage is how much of a program's output a message can be, in bytes.
const maxMessage = 4 << 10

// lastLines is the end of what a program printed.
func lastLines(text []byte) string {
	text = bytes.TrimSpace(text)
	if len(text) > maxMessage {
		_, text, _ = bytes.Cut(text[len(text)-maxMessage:], []byte("\n"))
	}
	return strings.ToValidUTF8(string(text), "\ufffd")
}

// diagnostic is one about a file with what the matcher has for what is empty.
func (r *reading) diagnostic(file, severity, rule, message string) abi.Diagnostic {
	return abi.Diagnostic{
		File: file, Severity: severityOf(severity, abi.Severity(r.Severity)), Rule: cmp.Or(rule, r.Rule), Message: cmp.Or(strings.TrimSpace(message), r.Message),
	}
}

// of is one about what the program calls name. What is not in the workspace is told
// in the message.
func (r *reading) of(name, severity, rule, message string) abi.Diagnostic {
	if file, ok := r.Path(name); ok {
		return r.diagnostic(file, severity, rule, message)
	}
	return r.diagnostic("", severity, rule, name+": "+cmp.Or(message, r.Message))
}

// list has a path on each line.
func (r *reading) list() []abi.Diagnostic {
	var all []abi.Diagnostic
	for line := range bytes.Lines(r.text()) {
		if name := strings.TrimRight(string(line), "\r\n"); strings.TrimSpace(name) != "" {
			all = append(all, r.of(name, "", "", ""))
		}
	}
	return all
}

// severityOf reads the words that programs have for severities.
func severityOf(word string, fallback abi.Severity) abi.Severity {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "error", "err", "e", "fatal", "f", "critical", "failure", "high", "blocker", "major":
		return abi.SeverityError
	case "warning", "warn", "w", "medium", "minor":
		return abi.SeverityWarning
	case "info", "information", "informational", "note", "n", "i", "hint", "style", "suggestion", "notice", "low", "refactor", "r", "convention", "c":
		return abi.SeverityInfo
	}
	return fallback
}

// errEmpty is that a program which prints a document has printed nothing.
var errEmpty = errors.New("it printed nothing")
