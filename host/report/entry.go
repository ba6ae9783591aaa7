package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/wr-build/wr/host/event"
)

// Kind is the column of the closing table that an entry counts in.
type Kind string

// The kinds, named as the fields of Sums.
const (
	Passed  Kind = "passed"
	Failed  Kind = "failed"
	Error   Kind = "error"
	Skipped Kind = "skipped"
	NotRun  Kind = "not run"
)

// Kinds lists the kinds, what matters most first.
var Kinds = []Kind{Failed, Error, Passed, Skipped, NotRun}

// Of is the number of entries of kind k.
func (s Sums) Of(k Kind) int {
	return map[Kind]int{Passed: s.Passed, Failed: s.Failures, Error: s.Errors, Skipped: s.Skipped, NotRun: s.NotRun}[k]
}

// Entry is one of the Tests that Sums counts: a case, a file that could not be
// collected, what is wrong with the project as a whole, or what a plugin found after it.
type Entry struct {
	Kind    Kind            `json:"kind"`
	Case    bool            `json:"case"`              // false: it is of a file or of the project
	Title   string          `json:"title"`             // node id, or file; of the project: "wr"
	Outcome string          `json:"outcome"`           // "xfailed", "not collected", the code of a fault, ...
	File    string          `json:"file,omitempty"`    // workspace path
	Line    int             `json:"line,omitempty"`    // 1-based
	Elapsed time.Duration   `json:"elapsed,omitempty"` // nanoseconds
	Earlier []event.Outcome `json:"earlier,omitempty"` // of the other attempts
	Text    string          `json:"text,omitempty"`    // why, in short
	Details string          `json:"details,omitempty"` // why, at length
	Next    string          `json:"next,omitempty"`    // what to do
	Stdout  string          `json:"stdout,omitempty"`
	Stderr  string          `json:"stderr,omitempty"`

	Attempts []Attempt `json:"attempts,omitempty"` // the others
}

// Bad reports whether e is a failure or an error.
func (e Entry) Bad() bool { return e.Kind == Failed || e.Kind == Error }

// Entries are all that Sums counts of p, one by one: what is wrong with p
// itself, then what plugins found after it, then files, then cases, each in the order of the events.
func (p *Project) Entries() []Entry {
	var all []Entry
	if why := p.untold(); why != "" {
		all = append(all, p.entry(why))
	}
	for _, e := range p.Checks {
		f := e.Fault
		all = append(all, Entry{
			Kind: Error, Title: e.Hook, Outcome: f.Code, File: f.File, Line: f.Line, Text: f.Message, Details: f.Details, Next: f.Next,
		})
	}
	for _, e := range p.CollectErrors {
		all = append(all, Entry{
			Kind: Error, Title: e.Case, Outcome: "not collected", File: e.File, Line: e.Line, Text: e.Text, Details: e.Details,
		})
	}
	for _, c := range p.Cases {
		all = append(all, p.caseEntry(c))
	}
	return all
}

// Bad are the entries of p that are failures or errors.
func (p *Project) Bad() []Entry {
	return slices.DeleteFunc(p.Entries(), func(e Entry) bool { return !e.Bad() })
}

// entry stands for what is wrong with p as a whole.
func (p *Project) entry(why string) Entry {
	e := Entry{Kind: Error, Title: "wr", Outcome: cmp.Or(string(p.Status), "not finished"), Text: why}
	if f := p.Fault; f != nil {
		e.Outcome, e.Text, e.File, e.Line, e.Details, e.Next = f.Code, f.Message, f.File, f.Line, f.Details, f.Next
	}
	return e
}

func (p *Project) caseEntry(c *Case) Entry {
	e := Entry{
		Case: true, Title: c.ID, Outcome: string(c.Outcome), File: c.File, Line: c.Line, Elapsed: c.Elapsed, Earlier: c.Earlier,
		Text: c.Text, Details: c.Details, Stdout: c.Stdout, Stderr: c.Stderr,
		Attempts: c.Attempts,
	}
	switch c.Outcome {
	case event.Passed, event.XPassed:
		e.Kind = Passed
	case event.Failed:
		e.Kind = Failed
	case event.Errored:
		e.Kind = Error
	case event.Skipped, event.XFailed:
		e.Kind = Skipped
	case event.NotRun:
		fallthrough
	default:
		e.Kind, e.Outcome, e.Text = Error, string(event.NotRun), cmp.Or(c.Text, "the run ended before")
		if p.leftOut() {
			e.Kind = NotRun
		}
	}
	return e
}
