package ui

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
)

// tally counts the outcomes of one project for its line.
type tally struct {
	total    int
	outcomes map[string]event.Outcome // by case: one that is run again counts once
	flaky    map[string]bool          // those that passed after a failure
	errors   int                      // collection errors

	stopped     string // why pytest left cases out
	collectOnly bool   // they were only to be listed
}

// outcomeOrder is how outcomes are listed: what matters first.
var outcomeOrder = []event.Outcome{
	event.Failed, event.Errored, event.Passed, event.Skipped, event.XFailed, event.XPassed, event.NotRun,
}

// count adds e to the tally of its project.
func count(tallies map[string]*tally, e event.Event) {
	t := tallies[e.Unit().String()]
	if t == nil {
		t = &tally{outcomes: map[string]event.Outcome{}, flaky: map[string]bool{}}
		tallies[e.Unit().String()] = t
	}
	switch e.Type {
	case event.SessionStarted:
		t.stopped = "" // the last process of several says what was left out
	case event.Collected:
		t.total += len(e.Cases)
	case event.CollectFailed:
		t.errors++
	case event.CaseFinished:
		t.outcomes[e.Case] = e.Outcome
		t.flaky[e.Case] = report.Flaky(e.Outcome, e.Earlier)
	case event.SessionFinished:
		t.stopped, t.collectOnly = cmp.Or(e.Text, t.stopped), e.CollectOnly
	}
}

// String is "1 failed, 12 passed"; "" when nothing was counted.
func (t *tally) String() string {
	if t == nil {
		return ""
	}
	var parts []string
	if t.errors > 0 {
		parts = append(parts, fmt.Sprintf("%d collection errors", t.errors))
	}
	count := map[event.Outcome]int{}
	for _, o := range t.outcomes {
		count[o]++
	}
	for _, o := range outcomeOrder {
		if n := count[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, t.word(o)))
		}
	}
	flaky := 0
	for _, is := range t.flaky {
		if is {
			flaky++
		}
	}
	if flaky > 0 {
		parts = append(parts, fmt.Sprintf("%d flaky", flaky))
	}
	return strings.Join(parts, ", ")
}

// word is what is said of cases with outcome o.
func (t *tally) word(o event.Outcome) string {
	switch {
	case o == event.NotRun && t.collectOnly:
		return "collected"
	case o == event.NotRun && t.stopped != "":
		return "not run (" + printable(t.stopped) + ")"
	default:
		return strings.ReplaceAll(string(o), "_", " ")
	}
}
