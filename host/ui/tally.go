package ui

import (
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/event"
)

// tally counts the outcomes of one project for its line.
type tally struct {
	total    int
	outcomes map[string]event.Outcome // by case: one that is run again counts once
	errors   int                      // collection errors
}

// outcomeOrder is how outcomes are listed: what matters first.
var outcomeOrder = []event.Outcome{
	event.Failed, event.Errored, event.Passed, event.Skipped, event.XFailed, event.XPassed, event.NotRun,
}

// count adds e to the tally of its project.
func count(tallies map[string]*tally, e event.Event) {
	t := tallies[e.Project]
	if t == nil {
		t = &tally{outcomes: map[string]event.Outcome{}}
		tallies[e.Project] = t
	}
	switch e.Type {
	case event.Collected:
		t.total += len(e.Cases)
	case event.CollectFailed:
		t.errors++
	case event.CaseFinished:
		t.outcomes[e.Case] = e.Outcome
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
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(string(o), "_", " ")))
		}
	}
	return strings.Join(parts, ", ")
}
