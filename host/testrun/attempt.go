package testrun

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
)

// testCase is one collected case.
type testCase struct {
	id       string // relative to the project
	file     string // relative to the workspace
	line     int
	suites   []string // names; it runs in the first
	started  bool
	finished bool // outcome is final, unless a plugin starts the case again
	attempts int
	now      attempt         // the last one
	earlier  []event.Outcome // of those before
}

// attempt is one execution of a case: setup, call and teardown.
type attempt struct {
	outcome event.Outcome
	elapsed time.Duration
	text    string
	details []string
	stdout  string
	stderr  string
	called  bool // has had a phase
}

// phase is the end of setup, call or teardown, or of a subtest of the call.
type phase struct {
	when    string
	outcome string
	elapsed time.Duration
	xfail   *string
	sub     string
	text    string
	details string
	stdout  string
	stderr  string
	log     string
}

// phasesOf returns the phases that f tells, in order.
func phasesOf(f fact) []phase {
	var all []phase
	for _, p := range f.Plain {
		all = append(all, phase{when: p.when, outcome: "passed", elapsed: seconds(p.seconds)})
	}
	if f.Type != factPhase {
		return all
	}
	return append(all, phase{
		when: f.When, outcome: f.Outcome, elapsed: seconds(f.Seconds), xfail: f.XFail, sub: f.Sub,
		text: f.Text, details: f.Details, stdout: f.Stdout, stderr: f.Stderr, log: f.Log,
	})
}

// severity orders outcomes; the worst phase decides. A failure of the test
// itself comes before one of its teardown, which often follows from it.
var severity = []event.Outcome{
	event.Passed, event.Skipped, event.XFailed, event.XPassed, event.Errored, event.Failed,
}

// add takes one more phase into account. A setup after other phases begins
// another attempt: plugins that retry report a case several times, and the last
// attempt is the one that counts.
func (c *testCase) add(p phase) {
	if c.attempts == 0 || p.when == "setup" && c.now.called {
		if c.attempts > 0 {
			c.earlier = append(c.earlier, c.now.outcome)
		}
		c.attempts++
		c.now = attempt{outcome: event.Passed}
	}
	c.now.add(p)
}

func (a *attempt) add(p phase) {
	a.called = true
	a.stdout += p.stdout
	a.stderr += p.stderr
	if p.sub == "" { // the time of a subtest is part of the call's
		a.elapsed += p.elapsed
	}
	o := p.result()
	if p.sub != "" && o != event.Failed {
		return // only the case itself can be skipped
	}
	if slices.Index(severity, o) > slices.Index(severity, a.outcome) {
		a.outcome, a.text = o, p.reason(o)
	}
	if o == event.Failed || o == event.Errored || o == event.XFailed {
		a.details = append(a.details, p.story()...)
	}
}

// bad reports whether nothing that follows can make a passed.
func (a *attempt) bad() bool { return a.outcome == event.Failed || a.outcome == event.Errored }

// result is the outcome that the phase alone would give the case.
func (p phase) result() event.Outcome {
	switch {
	case p.outcome == "passed" && p.xfail != nil:
		return event.XPassed
	case p.outcome == "passed":
		return event.Passed
	case p.outcome == "skipped" && p.xfail != nil:
		return event.XFailed
	case p.outcome == "skipped":
		return event.Skipped
	case p.when == "call":
		return event.Failed // also "rerun" and what else plugins invent
	default:
		return event.Errored
	}
}

// reason says in short why the phase gave outcome o.
func (p phase) reason(o event.Outcome) string {
	text := strings.TrimSpace(p.text)
	switch {
	case p.xfail != nil && o != event.Failed && o != event.Errored:
		return strings.TrimPrefix(*p.xfail, "reason: ")
	case o == event.Skipped:
		return strings.TrimPrefix(text, "Skipped: ")
	case p.sub != "":
		return "subtest " + p.sub + ": " + text
	case o == event.Errored && (p.when == "setup" || p.when == "teardown"):
		return p.when + ": " + text
	default:
		return text
	}
}

// story is the traceback with what says where it belongs, and the log.
func (p phase) story() []string {
	var parts []string
	switch {
	case p.details == "":
	case p.sub != "":
		parts = append(parts, "subtest "+p.sub+"\n"+p.details)
	case p.when == "call":
		parts = append(parts, p.details)
	default:
		parts = append(parts, "in "+p.when+"\n"+p.details)
	}
	if p.log != "" {
		parts = append(parts, "captured log\n"+p.log)
	}
	return parts
}

// result is the event that says how c ended.
func (c *testCase) result() event.Event {
	e := event.Event{
		Type: event.CaseFinished, Case: c.id, File: c.file, Line: c.line,
		Outcome: c.now.outcome, Earlier: c.earlier, Elapsed: c.now.elapsed, Text: c.now.text,
		Details: strings.Join(c.now.details, "\n\n"), Stdout: c.now.stdout, Stderr: c.now.stderr,
	}
	if c.attempts > 1 {
		e.Text = strings.TrimSuffix(fmt.Sprintf("attempt %d: %s", c.attempts, e.Text), ": ")
	}
	return suited(e, c.suites)
}
