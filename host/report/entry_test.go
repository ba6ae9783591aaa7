package report_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
)

func TestEntriesAreWhatTheTableCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	for range 200 {
		for _, p := range fold(randomRun(rng)...).Projects {
			got := map[report.Kind]int{}
			for _, e := range p.Entries() {
				got[e.Kind]++
			}
			for _, k := range report.Kinds {
				if got[k] != p.Sums().Of(k) {
					t.Fatalf("%s: %d entries of kind %s, the table says %d", p.Path, got[k], k, p.Sums().Of(k))
				}
			}
		}
	}
}

func TestACaseIsFlakyIfItPassedAfterAFailure(t *testing.T) {
	attempts := func(id string, last event.Outcome, earlier ...event.Outcome) event.Event {
		return event.Event{Type: event.CaseFinished, Project: "p", Case: id, Outcome: last, Earlier: earlier}
	}
	r := fold(
		attempts("mended", event.Passed, event.Failed), attempts("set up again", event.XPassed, event.Passed, event.Errored),
		attempts("still bad", event.Failed, event.Passed), attempts("run twice", event.Passed, event.Passed), attempts("once", event.Passed),
	)
	var got []string
	for _, c := range r.Flaky() {
		got = append(got, c.ID)
	}
	if diff := cmp.Diff([]string{"mended", "set up again"}, got); diff != "" {
		t.Errorf("flaky differ (-want +got):\n%s", diff)
	}
}

func TestTheSlowestComeFirstAndWhatTookNoTimeNever(t *testing.T) {
	took := func(id string, d time.Duration) event.Event {
		return event.Event{Type: event.CaseFinished, Project: "p", Case: id, Outcome: event.Passed, Elapsed: d}
	}
	r := fold(took("a", time.Second), took("b", time.Microsecond), took("c", time.Minute), took("d", time.Second), took("e", time.Millisecond))
	var got []string
	for _, c := range r.Slowest(3) {
		got = append(got, c.ID)
	}
	if diff := cmp.Diff([]string{"c", "a", "d"}, got); diff != "" {
		t.Errorf("slowest differ (-want +got):\n%s", diff)
	}
}

func TestARunThatWasCutOffKnowsHowFarItCame(t *testing.T) {
	r, now := &report.Run{}, began
	stream := event.NewStream(func() time.Time {
		now = now.Add(time.Second)
		return now
	}, r)
	for _, e := range []event.Event{
		{Type: event.RunStarted},
		{Type: event.ProjectPlanned, Project: "p"},
		{Type: event.BuildStarted, Project: "p"},
		{Type: event.BuildFinished, Project: "p", Elapsed: time.Second},
		{Type: event.TestStarted, Project: "p"},
		{Type: event.CaseStarted, Project: "p", Case: "a"},
		{Type: event.CaseStarted, Project: "p", Case: "b"},
		{Type: event.CaseFinished, Project: "p", Case: "a", Outcome: event.Passed, Elapsed: 2 * time.Second},
	} {
		stream.Emit(e)
	}
	p := r.Projects[0]
	if r.Elapsed != 7*time.Second || r.Events != 8 || !r.Last.Equal(now) {
		t.Errorf("it took %s in %d events until %s", r.Elapsed, r.Events, r.Last)
	}
	if diff := cmp.Diff([]string{"b"}, p.Running()); diff != "" {
		t.Errorf("what was running differs (-want +got):\n%s", diff)
	}
	if p.Build.To.Sub(p.Build.From) != time.Second || p.Test.Over() || p.Test.From.IsZero() {
		t.Errorf("its build is %+v, its test %+v", p.Build, p.Test)
	}
	if s := p.Cases[0].Span(); !s.To.Equal(now) || s.To.Sub(s.From) != 2*time.Second {
		t.Errorf("the case ran in %+v", s)
	}
}

func TestADocumentHasNoNullLists(t *testing.T) {
	for name, r := range map[string]*report.Run{"nothing": fold(), "planned": fold(event.Event{Type: event.ProjectPlanned, Project: "p"})} {
		text, err := json.Marshal(r.Document())
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		for key, value := range fields {
			if value == nil {
				t.Errorf("%s: %s is null in %s", name, key, text)
			}
		}
	}
}

func TestADocumentTellsOfWhatFailedAtLength(t *testing.T) {
	d := fold(
		event.Event{Type: event.RunStarted, Run: "id", Version: "1"},
		finished("p", "good", event.Passed), event.Event{Type: event.CaseFinished, Project: "p", Case: "bad", Outcome: event.Failed, Details: "E  assert"},
		ended("p", event.Bad, nil),
	).Document()
	if d.Finished || d.Exit != 1 || d.Sums.Tests != 2 || len(d.Projects) != 1 {
		t.Fatalf("got %+v", d)
	}
	want := []report.Entry{{Kind: report.Failed, Case: true, Title: "bad", Outcome: "failed", Details: "E  assert"}}
	if diff := cmp.Diff(want, d.Projects[0].Bad); diff != "" {
		t.Errorf("what is bad differs (-want +got):\n%s", diff)
	}
}
