package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// began is when the runs of these tests began.
var began = time.Date(2026, 11, 23, 2, 15, 33, 0, time.UTC)

// fold numbers events as a stream would and applies them.
func fold(events ...event.Event) *report.Run {
	r := &report.Run{}
	stream := event.NewStream(func() time.Time { return began }, r)
	for _, e := range events {
		stream.Emit(e)
	}
	return r
}

func finished(project, id string, o event.Outcome) event.Event {
	return event.Event{Type: event.CaseFinished, Project: project, Case: id, Outcome: o}
}

func ended(project string, s event.Status, f *fault.Error) event.Event {
	return event.Event{Type: event.ProjectFinished, Project: project, Status: s, Fault: f}
}

func TestTheLastOutcomeOfACaseCounts(t *testing.T) {
	r := fold(
		event.Event{Type: event.Collected, Project: "p", Cases: []string{"a", "b"}},
		finished("p", "a", event.Failed), finished("p", "b", event.Passed), finished("p", "a", event.Passed),
	)
	if got, want := r.Total(), (report.Counts{Collected: 2, Passed: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhoeverUsesAnImageIsToldOfIt(t *testing.T) {
	planned := func(project, container, image string) event.Event {
		return event.Event{Type: event.ProjectPlanned, Project: project, Container: container, Image: image}
	}
	r := fold(
		planned("web", "", "web:1"), planned("borrower", "", "web:1"), planned("infra", "e2e", "e2e:1"), planned("infra", "", "infra:1"),
		event.Event{Type: event.BuildFinished, Project: "web", Image: "web:1", Digest: "sha256:web"},
		event.Event{Type: event.BuildFinished, Project: "e2e", Image: "e2e:1", Digest: "sha256:e2e"},
	)
	for i, want := range []string{"sha256:web", "sha256:web", "sha256:e2e", ""} {
		if p := r.Projects[i]; p.Digest != want {
			t.Errorf("%s: got digest %q, want %q", p.Name(), p.Digest, want)
		}
	}
}

func TestACaseWithoutOutcomeHasNotRun(t *testing.T) {
	r := fold(event.Event{Type: event.Collected, Project: "p", Cases: []string{"a", "b"}}, finished("p", "b", event.Passed))
	if got, want := r.Total(), (report.Counts{Collected: 2, Passed: 1, NotRun: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestExitCode(t *testing.T) {
	environment := &fault.Error{Code: "image.build_failed"}
	none := &fault.Error{Code: "test.none_collected", Class: fault.Failed}
	cases := map[string]struct {
		events []event.Event
		want   int
	}{
		"nothing planned is 3":                {nil, 3},
		"all passed is 0":                     {[]event.Event{finished("p", "a", event.Passed), ended("p", event.OK, nil)}, 0},
		"none by declaration is 0":            {[]event.Event{ended("p", event.None, nil)}, 0},
		"a failure is 1":                      {[]event.Event{finished("p", "a", event.Failed), ended("p", event.Bad, nil)}, 1},
		"a failure hidden behind an ok is 1":  {[]event.Event{finished("p", "a", event.Failed), ended("p", event.OK, nil)}, 1},
		"a project that never ended is 3":     {[]event.Event{finished("p", "a", event.Passed)}, 3},
		"nothing collected is 1":              {[]event.Event{ended("p", event.Bad, none)}, 1},
		"a broken project is 3":               {[]event.Event{ended("p", event.Broken, environment)}, 3},
		"a broken project beats a failed one": {[]event.Event{ended("a", event.Bad, none), ended("b", event.Broken, environment), ended("c", event.OK, nil)}, 3},
		"usage is 2":                          {[]event.Event{ended("p", event.Broken, &fault.Error{Class: fault.Usage}), ended("q", event.Bad, none)}, 2},
		"a bug beats a broken project":        {[]event.Event{ended("a", event.Broken, environment), ended("b", event.Broken, &fault.Error{Class: fault.Bug})}, 4},
		"a time limit beats a failure":        {[]event.Event{ended("a", event.Bad, none), ended("b", event.TimedOut, &fault.Error{Code: "limit.timeout"})}, 124},
		"an interrupt beats all":              {[]event.Event{ended("a", event.Broken, &fault.Error{Class: fault.Bug}), ended("b", event.Interrupted, nil)}, 130},
		"an interrupted run is 130":           {[]event.Event{ended("a", event.OK, nil), {Type: event.RunFinished, Interrupted: true}}, 130},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := report.ExitCode(fold(c.events...)); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// write makes an event log of events in a fresh directory.
func write(t *testing.T, events ...event.Event) string {
	t.Helper()
	var b bytes.Buffer
	for i, e := range events {
		e.Seq, e.Time = int64(i+1), began
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	name := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLoadGivesTheRunThatWasWritten(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		events := append([]event.Event{{Type: event.RunStarted, Run: "id", Version: "1"}}, randomRun(rng)...)
		events = append(events, event.Event{Type: event.RunFinished, Exit: 1, Elapsed: time.Second})
		want := fold(events...)
		got, err := report.Load(write(t, events...))
		if err != nil {
			t.Fatal(err)
		}
		if !got.Finished || got.ID != "id" || got.Total() != want.Total() || got.Sums() != want.Sums() || report.ExitCode(got) != report.ExitCode(want) {
			t.Fatalf("loaded %+v, want %+v", got.Total(), want.Total())
		}
	}
}

func TestATruncatedLogIsARunThatDidNotFinish(t *testing.T) {
	name := write(
		t, event.Event{Type: event.RunStarted, Run: "id"},
		event.Event{Type: event.ProjectPlanned, Project: "p"}, finished("p", "a", event.Passed), ended("p", event.OK, nil),
		event.Event{Type: event.RunFinished},
	)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for size := range len(whole) {
		if err := os.WriteFile(name, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := report.Load(name)
		if err != nil {
			t.Fatalf("cut to %d of %d bytes: %v", size, len(whole), err)
		}
		if r.Finished {
			t.Fatalf("cut to %d of %d bytes, it counts as finished", size, len(whole))
		}
	}
}

func TestADamagedLogIsRefused(t *testing.T) {
	good := event.Event{Type: event.ProjectPlanned, Project: "p"}
	name := write(t, good, good, good)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for what, content := range map[string][]byte{
		"a line is missing":      bytes.Join([][]byte{lines[0], lines[2]}, nil),
		"a line comes twice":     bytes.Join([][]byte{lines[0], lines[0], lines[1]}, nil),
		"a line is no event":     bytes.Join([][]byte{lines[0], []byte("{]\n"), lines[2]}, nil),
		"two lines were joined":  bytes.Join([][]byte{lines[0], bytes.TrimSpace(lines[1]), lines[2]}, nil),
		"the first line is gone": bytes.Join(lines[1:], nil),
	} {
		t.Run(what, func(t *testing.T) {
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := report.Load(name); !fault.HasCode(err, "report.damaged") {
				t.Errorf("got %v, want report.damaged", err)
			}
		})
	}
	if _, err := report.Load(name + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing log gives %v", err)
	}
}

var outcomes = []event.Outcome{event.Passed, event.Failed, event.Skipped, event.XFailed, event.XPassed, event.Errored, event.NotRun}

var nasty = []string{"", "plain", "<&>\"']]>", "\x00\x1b[31mred\x0b\uFFFE", "broken \xff\xfe \xed\xa0\x80", "zażółć 🦊 \n\t\r"}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// randomRun is any sequence of events that projects could give, also ones that
// make little sense: repeated, uncollected, unfinished.
func randomRun(rng *rand.Rand) []event.Event {
	var all []event.Event
	for project := range rng.IntN(5) {
		p := fmt.Sprintf("apps/p%d", project)
		all = append(all, event.Event{Type: event.ProjectPlanned, Project: p, Image: "image:" + p})
		for range rng.IntN(30) {
			e := randomFact(rng)
			e.Project = p
			all = append(all, e)
		}
		if rng.IntN(8) > 0 {
			all = append(all, ended(p, pick(rng, []event.Status{event.OK, event.Bad, event.Broken, event.None, event.Interrupted}), randomFault(rng)))
		}
	}
	if rng.IntN(2) > 0 {
		all = append(all, randomCoverage(rng))
	}
	return all
}

// randomCoverage is that of a run that has measured all it was to measure.
func randomCoverage(rng *rand.Rand) event.Event {
	some := func() event.Covered {
		lines, branches := rng.IntN(50), rng.IntN(9)
		return event.Covered{Lines: lines, CoveredLines: rng.IntN(lines + 1), Branches: branches, CoveredBranches: rng.IntN(branches + 1)}
	}
	c := event.Coverage{Covered: some(), Notes: []string{pick(rng, nasty)}}
	for _, project := range []string{"apps/p0", "apps/p1", ""} {
		c.Projects = append(c.Projects, event.ProjectCoverage{Project: project, Covered: some()})
	}
	return event.Event{Type: event.CoverageMade, Coverage: &c}
}

func randomFact(rng *rand.Rand) event.Event {
	id := fmt.Sprintf("test/test_a.py::T::test_%d[%s::x]", rng.IntN(10), pick(rng, nasty))
	text := pick(rng, nasty)
	switch rng.IntN(8) {
	case 0:
		return event.Event{Type: event.Collected, Cases: []string{id, id + "2"}}
	case 1:
		return event.Event{Type: event.CollectFailed, Case: "test/test_b.py", Text: text, Details: text}
	case 2:
		return event.Event{Type: event.CaseDeselected, Case: id}
	case 3:
		return event.Event{Type: event.SessionFinished, Text: text}
	case 4:
		return event.Event{
			Type: event.CaseRetried, Case: id, Outcome: pick(rng, outcomes), Attempt: 1 + rng.IntN(3), Text: text, Details: text, Stdout: text, Stderr: text,
		}
	default:
		return event.Event{
			Type: event.CaseFinished, Attempt: rng.IntN(4), Case: id, Outcome: pick(rng, outcomes), Elapsed: time.Duration(rng.Int64N(1e10)),
			File: "apps/test_a.py", Line: rng.IntN(3), Text: text, Details: text, Stdout: text, Stderr: text,
		}
	}
}

func randomFault(rng *rand.Rand) *fault.Error {
	if rng.IntN(3) > 0 {
		return nil
	}
	return &fault.Error{
		Code: "test.any", Class: pick(rng, []fault.Class{fault.Environment, fault.Usage, fault.Failed, fault.Bug}),
		Message: pick(rng, nasty), Details: pick(rng, nasty),
	}
}
