package report

import (
	"time"

	"github.com/wr-build/wr/host/event"
)

// Attempt is one execution of a case.
type Attempt struct {
	Number  int           `json:"attempt"` // 1, 2, ...
	Outcome event.Outcome `json:"outcome"`
	Elapsed time.Duration `json:"elapsed"`        // nanoseconds
	Text    string        `json:"text,omitempty"` // why, in short
	Details string        `json:"details,omitempty"`
	Stdout  string        `json:"stdout,omitempty"`
	Stderr  string        `json:"stderr,omitempty"`
}

// Bad reports whether a failed.
func (a Attempt) Bad() bool { return a.Outcome == event.Failed || a.Outcome == event.Errored }

// retry adds the attempt that e tells of to those of c.
func (c *Case) retry(e event.Event) {
	c.File, c.Line = e.File, e.Line
	c.Attempts = append(c.Attempts, Attempt{e.Attempt, e.Outcome, e.Elapsed, e.Text, e.Details, e.Stdout, e.Stderr})
}
