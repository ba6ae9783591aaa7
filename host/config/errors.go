package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Problem is one mistake in a wr.toml.
type Problem struct {
	Key   string // dotted, such as "test.paths"; "" when the file as a whole is unreadable
	Fault *fault.Error
}

// Errors holds every mistake of one wr.toml, in the order of its lines.
type Errors []Problem

// Error gives one line a mistake.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.Fault.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the faults, for errors.Is and errors.As.
func (e Errors) Unwrap() []error {
	faults := make([]error, len(e))
	for i, p := range e {
		faults[i] = p.Fault
	}
	return faults
}

// Touches reports whether a mistake lies in the table called table or makes
// the whole file unreadable.
func (e Errors) Touches(table string) bool {
	return slices.ContainsFunc(e, func(p Problem) bool {
		return p.Key == "" || p.Key == table || strings.HasPrefix(p.Key, table+".")
	})
}

// Fault returns all mistakes as one fault: the first, with the others as its
// details. It returns nil when there are none.
func (e Errors) Fault() *fault.Error {
	if len(e) == 0 {
		return nil
	}
	first := *e[0].Fault
	first.Err = e
	if len(e) > 1 {
		first.Message += fmt.Sprintf(" (and %d more in this file)", len(e)-1)
		first.Details = e.Error()
	}
	return &first
}
