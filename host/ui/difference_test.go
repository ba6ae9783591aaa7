package ui_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/ui"
)

func difference(t *testing.T, before, after *report.Run) string {
	t.Helper()
	var out bytes.Buffer
	if err := ui.Difference(&out, ui.Style{}, report.Compare(before, after)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestADifferenceSaysFirstWhatFailsNow(t *testing.T) {
	outcome := func(id string, o event.Outcome, took time.Duration) event.Event {
		return event.Event{Type: event.CaseFinished, Project: "web", Case: id, Outcome: o, Elapsed: took}
	}
	before := told(
		event.Event{Type: event.RunStarted, Run: "a", Version: "1"}, event.Event{Type: event.ProjectPlanned, Project: "web", Image: "web:1"},
		outcome("x", event.Passed, 0), outcome("y", event.Passed, time.Second), outcome("old\x1b[2J", event.Passed, 0), event.Event{Type: event.RunFinished},
	)
	after := told(
		event.Event{Type: event.RunStarted, Run: "b", Version: "1"}, event.Event{Type: event.ProjectPlanned, Project: "web", Image: "web:2"},
		outcome("y", event.Passed, 3*time.Second), outcome("x", event.Failed, 0),
	)
	want := `        RUN  STARTED  PASSED  FAILED  SKIPPED  ERRORS  NOT RUN
before  a    -             3       0        0       1        0
after   b    -             1       1        0       0        0  not finished

newly failing: 1
  web  x  passed → failed

fixed: 1
  web  wr  not finished → gone

removed: 1
  web  old[2J  passed → gone

slower: 1
  web  y  1.00s → 3.00s

OF   WHAT   BEFORE  AFTER
web  image  web:1   web:2
`
	got := difference(t, before, after)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the difference differs (-want +got):\n%s", diff)
	}
}

func TestRunsThatAreAlikeSaySo(t *testing.T) {
	if got := difference(t, told(story...), told(story...)); !strings.HasSuffix(got, "\nnothing differs\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestALongListIsCut(t *testing.T) {
	var events []event.Event
	for i := range 30 {
		events = append(events, event.Event{Type: event.CaseFinished, Project: "p", Case: fmt.Sprintf("c%d", i), Outcome: event.Passed})
	}
	if got := difference(t, told(events[:1]...), told(events...)); !strings.Contains(got, "added: 29\n") || !strings.Contains(got, "  and 9 more, see --json\n") {
		t.Errorf("got\n%s", got)
	}
}
