package report

import (
	"maps"
	"slices"
	"time"

	"github.com/wr-build/wr/host/event"
)

// Span is a stretch of time. Its zero value, and one without an end, are not
// known or not over.
type Span struct{ From, To time.Time }

// Over reports whether s has a beginning and an end.
func (s Span) Over() bool { return !s.From.IsZero() && !s.To.IsZero() }

// Span is when c ran, as far as its last attempt goes.
func (c *Case) Span() Span {
	if c.Ended.IsZero() {
		return Span{}
	}
	return Span{c.Ended.Add(-c.Elapsed), c.Ended}
}

// Flaky reports whether c passed in the end, after an attempt that had not.
func (c *Case) Flaky() bool { return Flaky(c.Outcome, c.Earlier) }

// Flaky reports whether a case that ended with outcome o had failed before.
func Flaky(o event.Outcome, earlier []event.Outcome) bool {
	return (o == event.Passed || o == event.XPassed) && slices.ContainsFunc(earlier, bad)
}

// Running are the node ids of the cases that have started and not finished, by
// name: what a run was at when it was cut off.
func (p *Project) Running() []string { return slices.Sorted(maps.Keys(p.running)) }

// time notes when what e tells of began or ended.
func (p *Project) time(e event.Event) {
	switch e.Type {
	case event.BuildStarted:
		p.Build.From = e.Time
	case event.BuildFinished:
		p.Build = Span{e.Time.Add(-e.Elapsed), e.Time}
	case event.TestStarted:
		if p.Test.From.IsZero() {
			p.Test.From = e.Time
		}
	case event.ProjectFinished:
		if !p.Test.From.IsZero() {
			p.Test.To = e.Time
		}
		p.running = nil
	case event.CaseStarted:
		if p.running == nil {
			p.running = map[string]bool{}
		}
		p.running[e.Case] = true
	case event.CaseFinished, event.CaseRetried:
		delete(p.running, e.Case)
	}
}
