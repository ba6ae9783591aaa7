package report

import (
	"fmt"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// CodeChecked is the code of the fault of what a plugin found wrong.
const CodeChecked = "check.failed"

// Check is what a plugin said before or after something was done with a project.
type Check struct {
	Plugin      string           `json:"plugin"`
	Project     string           `json:"project"`         // its path
	Hook        string           `json:"hook"`            // "before test"
	Image       string           `json:"image,omitempty"` // of a build: reference
	Elapsed     time.Duration    `json:"elapsed"`         // nanoseconds
	Diagnostics []abi.Diagnostic `json:"diagnostics"`
	Fault       *fault.Error     `json:"fault,omitempty"` // why it fails: the plugin did not work, or found an error; nil = all is well
}

// NewCheck judges what a plugin said, or why it said nothing.
func NewCheck(c Check, err error) Check {
	if c.Diagnostics == nil {
		c.Diagnostics = []abi.Diagnostic{}
	}
	if err != nil {
		c.Fault = fault.Of(err)
		return c
	}
	for _, d := range c.Diagnostics {
		switch {
		case d.Severity != abi.SeverityError:
		case c.Fault == nil:
			c.Fault = &fault.Error{
				Code: CodeChecked, Class: fault.Failed, Message: fmt.Sprintf("%s, %s: %s", c.Plugin, c.Hook, d.Message),
				File: d.File, Line: d.Range.Start.Line, Next: "mend that; wr plugin inspect " + c.Plugin + " says who minds",
			}
		default:
			c.Fault.Details += fmt.Sprintf("%s: %s\n", place(d), d.Message)
		}
	}
	return c
}

// Events are the facts of c: what it found, then its end.
func (c Check) Events() []event.Event {
	var all []event.Event
	for _, d := range c.Diagnostics {
		all = append(all, event.Event{
			Type: event.Found, Project: c.Project, Linter: c.Plugin, Hook: c.Hook, File: d.File, Line: d.Range.Start.Line, Column: d.Range.Start.Column,
			Severity: string(d.Severity), Rule: d.Rule, Text: d.Message,
		})
	}
	return append(all, event.Event{
		Type: event.Checked, Project: c.Project, Image: c.Image, Linter: c.Plugin, Hook: c.Hook, Count: len(c.Diagnostics), Elapsed: c.Elapsed, Fault: c.Fault,
	})
}

// Refusal is why what was to be done with a project is not: a plugin that did not
// work before one that found something; nil = no check is against it.
func Refusal(checks []Check) *fault.Error {
	var first *fault.Error
	for _, c := range checks {
		switch {
		case c.Fault == nil:
		case c.Fault.Class != fault.Failed:
			return c.Fault
		case first == nil:
			first = c.Fault
		}
	}
	return first
}
