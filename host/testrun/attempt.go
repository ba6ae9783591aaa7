package testrun

import (
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
)

// attempt is one execution of a case: setup, call and teardown.
type attempt struct {
	number  int // 1, 2, ... of its case; 0 = there was none
	outcome event.Outcome
	late    bool // it took longer than it may
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
// itself comes before one of its teardown, which often follows from it. A case that
// is expected to fail, and whose teardown alone does, has failed as expected: so
// say pytest's own reports.
var severity = []event.Outcome{
	event.Passed, event.Skipped, event.XPassed, event.XFailed, event.Errored, event.Failed,
}

func worse(a, b event.Outcome) bool { return slices.Index(severity, a) > slices.Index(severity, b) }

// add takes one more phase of a into account.
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
	if worse(o, a.outcome) {
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
