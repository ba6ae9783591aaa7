// Package fault is how wr says that something went wrong in a way a person
// can act on: a stable code, what happened, where, and what to do next.
// It is part of the leaf where host and runtime meet, and depends on nothing.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Class says whose fault it is; the command line turns it into an exit code.
type Class string

// The classes of design.md section 10.
const (
	Environment Class = ""       // no project, engine, build, network, denied: exit 3
	Usage       Class = "usage"  // bad flag, unknown name, bad config: exit 2
	Failed      Class = "failed" // tests or checks failed, nothing collected: exit 1
	Bug         Class = "bug"    // wr itself is wrong: exit 4
)

// Error is a failure with everything a person needs to mend it.
type Error struct {
	Code    string `json:"code"`              // stable, dotted: "config.unknown_key"
	Class   Class  `json:"class,omitempty"`   // whose fault
	Message string `json:"message"`           // what happened, lower case, no full stop
	File    string `json:"file,omitempty"`    // where, relative to the workspace when it can be
	Line    int    `json:"line,omitempty"`    // 1-based; 0 is unknown
	Hint    string `json:"hint,omitempty"`    // did you mean ...?
	Next    string `json:"next,omitempty"`    // what to do or type next
	Details string `json:"details,omitempty"` // more lines: a tail of a log, an excerpt
	Err     error  `json:"-"`                 // cause, for errors.Is
}

// Error gives one line: position, message, hint and code.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		fmt.Fprintf(&b, " (did you mean %s?)", e.Hint)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, " [%s]", e.Code)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports equality of codes, so that errors.Is(err, &fault.Error{Code: "x"}) works.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Of returns the fault inside err. An error that carries none becomes one of
// Disk if it says so, else an Environment fault with code "wr.unexpected", so
// nothing is ever lost.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	if f := Disk(err, ""); f != nil {
		return f
	}
	return &Error{Code: "wr.unexpected", Message: err.Error(), Err: err}
}

// HasCode reports whether err carries a fault with that code.
func HasCode(err error, code string) bool {
	f, ok := errors.AsType[*Error](err)
	return ok && f.Code == code
}
