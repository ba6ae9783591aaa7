package report_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
)

func TestARunDoesNotDifferFromItself(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for range 100 {
		events := randomRun(rng)
		if d := report.Compare(fold(events...), fold(events...)); !d.Nothing() {
			t.Fatalf("got %+v", d)
		}
	}
}

// took is a case that passed.
func took(id string, d time.Duration) event.Event {
	return event.Event{Type: event.CaseFinished, Project: "p", Case: id, Outcome: event.Passed, Elapsed: d}
}

func TestWhatDiffersBetweenTwoRuns(t *testing.T) {
	before := fold(
		event.Event{Type: event.RunStarted, Run: "a", Version: "1", Personal: []event.Setting{{Key: "limits.cpus", Value: 2}}},
		event.Event{Type: event.ProjectPlanned, Project: "p", Image: "i:1"}, event.Event{Type: event.ProjectPlanned, Project: "gone"},
		event.Event{Type: event.SessionStarted, Project: "p", Text: "pytest 8"},
		finished("p", "breaks", event.Passed), finished("p", "mended", event.Failed), finished("p", "skips", event.Passed), finished("p", "removed", event.Passed),
		took("slow", time.Second), took("fast", 3*time.Second), took("much the same", 10*time.Second), took("short", time.Millisecond),
		ended("p", event.Bad, nil), ended("gone", event.OK, nil),
	)
	after := fold(
		event.Event{Type: event.RunStarted, Run: "b", Version: "2"},
		event.Event{Type: event.ProjectPlanned, Project: "p", Image: "i:2", Rights: []event.Right{{Kind: "privileged"}}},
		event.Event{Type: event.SessionStarted, Project: "p", Text: "pytest 8"},
		finished("p", "new and bad", event.Errored), finished("p", "breaks", event.Failed), finished("p", "mended", event.Passed), finished("p", "skips", event.Skipped),
		finished("p", "added", event.Passed),
		took("slow", 2*time.Second), took("fast", time.Second), took("much the same", 11*time.Second), took("short", 100*time.Millisecond),
		ended("p", event.Bad, nil),
	)
	got := report.Compare(before, after)
	change := func(title, was, is string) []report.CaseChange {
		return []report.CaseChange{{Project: "p", Title: title, Before: was, After: is}}
	}
	timed := func(title string, was, is time.Duration) []report.CaseChange {
		return []report.CaseChange{{Project: "p", Title: title, Before: "passed", After: "passed", ElapsedBefore: was, ElapsedAfter: is}}
	}
	want := report.Difference{
		Before: got.Before, After: got.After,
		Changes: []report.Change{
			{What: "wr", Before: "1", After: "2"},
			{What: "personal.limits.cpus", Before: "2"},
			{Project: "p", What: "image", Before: "i:1", After: "i:2"},
			{Project: "p", What: "rights.privileged", After: "yes"},
			{Project: "gone", What: "project", Before: "tested"},
		},
		NewlyFailing: append(change("new and bad", "", "errored"), change("breaks", "passed", "failed")...),
		Fixed:        change("mended", "failed", "passed"), Changed: change("skips", "passed", "skipped"),
		Added: change("added", "", "passed"), Removed: change("removed", "passed", ""),
		Slower: timed("slow", time.Second, 2*time.Second), Faster: timed("fast", 3*time.Second, time.Second),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the difference differs (-want +got):\n%s", diff)
	}
	if got.Before.Run != "a" || got.After.Run != "b" || got.After.Sums.Tests != after.Sums().Tests {
		t.Errorf("its sides are %+v and %+v", got.Before, got.After)
	}
}
