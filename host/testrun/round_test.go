package testrun_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/spec/spectest"
)

// said is what the plugin tells in one container.
type said struct {
	passed, failed, deselected []string
	elsewhere                  [][2]string // case and container
	text                       string      // of those elsewhere
	exit                       int
}

// facts are the lines of the plugin.
func (s said) facts() string {
	var lines []map[string]any
	say := func(kind string, members map[string]any) {
		members["t"], members["n"] = kind, len(lines)+1
		lines = append(lines, members)
	}
	say("session", map[string]any{"version": 1, "pytest": "8", "python": "3", "rootdir": "/app/p"})
	for _, e := range s.elsewhere {
		say("elsewhere", map[string]any{"elsewhere": [][]any{{e[0], "test_base.py", 1, e[1], s.text, []int{}}}})
	}
	if len(s.deselected) > 0 {
		say("deselected", map[string]any{"ids": s.deselected})
	}
	for i, id := range slices.Concat(s.passed, s.failed) {
		say("collected", map[string]any{"cases": [][]any{{id, "test_base.py", 1, []int{}}}})
		say("start", map[string]any{"c": i})
		if i >= len(s.passed) {
			say("phase", map[string]any{"c": i, "when": "call", "outcome": "failed", "text": "no"})
		}
		say("done", map[string]any{"c": i, "plain": [][]any{{"call", 0.1}}})
	}
	say("finish", map[string]any{"lines": len(lines) + 1, "exit": s.exit})
	var text strings.Builder
	for _, line := range lines {
		encoded, _ := json.Marshal(line)
		text.Write(append(encoded, '\n'))
	}
	return text.String()
}

// tellers are containers by their images; each tells one thing after another.
type tellers struct {
	mu   sync.Mutex
	tell map[string][]said
	stop context.CancelCauseFunc // called when nothing is left to tell
}

func (s *tellers) run(ctx context.Context, c spec.Container, _ spec.Process, stdio spec.Stdio) (spec.Exit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tell[c.Image]) == 0 {
		if s.stop != nil {
			s.stop(errors.New("Ctrl-C"))
		}
		return spec.Exit{}, errors.New("it is lost")
	}
	now := s.tell[c.Image][0]
	fmt.Fprintln(stdio.Out, "ran", now.passed)
	s.tell[c.Image] = s.tell[c.Image][1:]
	for _, m := range c.Own {
		if m.Target == "/.wr/run" {
			return spec.Exit{Code: now.exit}, os.WriteFile(filepath.Join(m.Source, "events.ndjson"), []byte(now.facts()), 0o600)
		}
	}
	return spec.Exit{}, errors.New("no place for facts")
}

// unitOf plans tests of the project p in the container of another, whose image has its name.
func unitOf(container string, take ...string) []plan.Action {
	a := plan.Action{ID: "test:" + (event.Unit{Project: "p", Container: container}).String(), Kind: plan.Test, Project: "p", Needs: []string{"build:" + container}, Test: &plan.Tests{
		Container: spec.Container{Image: container}, Command: []string{"pytest"}, Dir: "/app/p", Places: plan.Places{Default: "p", Take: take},
	}}
	if container != "p" {
		a.Container = container
	}
	return []plan.Action{{ID: "build:" + container, Kind: plan.Build, Project: container, Build: &spec.Build{Project: container, Ref: container}}, a}
}

// rounds is a run of the project p whose second round is planned as wanted.
type rounds struct {
	*testing.T

	first, second []plan.Action
	wrong         error  // that More ends with
	planning      func() // called by More
	moved         []testrun.Moved
	containers    *tellers
	events        []event.Event
	root          string
	dir           testrun.RunDir
}

func (r *rounds) Emit(e event.Event) { r.events = append(r.events, e) }

func (r *rounds) do(ctx context.Context) *report.Run {
	r.Helper()
	r.root = r.TempDir()
	result, dir, err := testrun.Do(ctx, plan.Plan{Root: r.root, Actions: r.first}, testrun.Config{
		Builder: &spectest.Builder{}, Runner: &spectest.Runner{OnRun: r.containers.run}, Jobs: 1, Builds: 1, Owner: owner(), Now: time.Now,
		Sinks: []event.Sink{r},
		More: func(_ context.Context, moved []testrun.Moved) (plan.Plan, error) {
			if r.moved != nil {
				r.Error("there is a third round")
			}
			if r.moved = moved; r.planning != nil {
				r.planning()
			}
			return plan.Plan{Root: r.root, Actions: r.second}, r.wrong
		},
	})
	if err != nil {
		r.Fatal(err)
	}
	r.dir = dir
	recordsAgree(r.T, dir, result)
	return result
}

// ends are the ends of all cases, by unit and name.
func ends(r *report.Run) map[string]string {
	all := map[string]string{}
	for _, p := range r.Projects {
		for _, c := range p.Cases {
			all[p.Name()+" "+c.ID] = strings.TrimSuffix(string(c.Outcome)+": "+c.Text, ": ")
		}
		all[p.Name()] = string(p.Status)
	}
	return all
}

func TestCasesThatHaveMovedGetASecondRound(t *testing.T) {
	const a, b = "test_a.py::test_a", "test_b.py::test_b"
	for name, tt := range map[string]struct {
		first, second []plan.Action
		wrong         error
		tell          map[string][]said
		moved         []testrun.Moved
		want          map[string]string
		exit          int
	}{
		"into a container that nobody needed": {
			first: unitOf("p"), second: unitOf("o", "/app/p/test_b.py"),
			tell:  map[string][]said{"p": {{passed: []string{a}, elsewhere: [][2]string{{b, "o"}}}}, "o": {{passed: []string{b}, elsewhere: [][2]string{{a, "p"}}}}},
			moved: []testrun.Moved{{Project: "p", Container: "o", Files: []string{"p/test_b.py"}, Cases: []string{b}}},
			want:  map[string]string{"p": "ok", "p " + a: "passed", "p[o]": "ok", "p[o] " + b: "passed"},
		},
		"into one that had other files": {
			first:  slices.Concat(unitOf("p"), unitOf("o", "/app/p/test_c.py")),
			second: unitOf("o", "/app/p/test_b.py"),
			tell: map[string][]said{
				"p": {{passed: []string{a}, elsewhere: [][2]string{{b, "o"}}}},
				"o": {{failed: []string{"test_c.py::test_c"}, exit: 1}, {passed: []string{b}}},
			},
			moved: []testrun.Moved{{Project: "p", Container: "o", Files: []string{"p/test_b.py"}, Cases: []string{b}}},
			want: map[string]string{
				"p": "ok", "p " + a: "passed", "p[o]": "failed", "p[o] test_c.py::test_c": "failed: no", "p[o] " + b: "passed",
			},
			exit: 1,
		},
		"all of them, and then there is nothing": {
			first: unitOf("p"), second: unitOf("o", "/app/p/test_b.py"),
			tell:  map[string][]said{"p": {{elsewhere: [][2]string{{b, "o"}}, exit: 5}}, "o": {{deselected: []string{b}, exit: 5}}},
			moved: []testrun.Moved{{Project: "p", Container: "o", Files: []string{"p/test_b.py"}, Cases: []string{b}}},
			want:  map[string]string{"p": "ok", "p[o]": "failed"},
			exit:  1,
		},
		"into one that is lost, after other files": {
			first:  slices.Concat(unitOf("p"), unitOf("o", "/app/p/test_c.py")),
			second: slices.Concat(unitOf("o", "/app/p/test_b.py")),
			tell: map[string][]said{
				"p": {{passed: []string{a}, elsewhere: [][2]string{{b, "o"}}}}, "o": {{passed: []string{"test_c.py::test_c"}}},
			},
			moved: []testrun.Moved{{Project: "p", Container: "o", Files: []string{"p/test_b.py"}, Cases: []string{b}}},
			want: map[string]string{
				"p": "ok", "p " + a: "passed", "p[o]": "broken", "p[o] test_c.py::test_c": "passed",
				"p[o] " + b: "not_run: its container has not come to it: broken",
			},
			exit: 3,
		},
		"which cannot be planned": {
			first: unitOf("p"), wrong: &fault.Error{Code: "workspace.gone", Message: "gone"},
			tell:  map[string][]said{"p": {{passed: []string{a}, elsewhere: [][2]string{{b, "o"}}}}},
			moved: []testrun.Moved{{Project: "p", Container: "o", Files: []string{"p/test_b.py"}, Cases: []string{b}}},
			want: map[string]string{
				"p": "ok", "p " + a: "passed", "p[o]": "broken", "p[o] " + b: "not_run: its container has not come to it: broken",
			},
			exit: 3,
		},
		"once": {
			first: unitOf("p"), second: unitOf("o", "/app/p/test_b.py"),
			tell:  map[string][]said{"p": {{passed: []string{a}, elsewhere: [][2]string{{b, "o"}}}}, "o": {{elsewhere: [][2]string{{b, "q"}}, exit: 5}}},
			moved: []testrun.Moved{{Project: "p", Container: "o", Files: []string{"p/test_b.py"}, Cases: []string{b}}},
			want: map[string]string{
				"p": "failed", "p " + a: "passed", "p[o]": "ok",
				"p " + b: "errored: it belongs in the container of o, where it was not collected: there its mark names q",
			},
			exit: 1,
		},
		"but not those that were not chosen": {
			first: unitOf("p"),
			tell:  map[string][]said{"p": {{passed: []string{a}, elsewhere: [][2]string{{b, "o"}}, text: "deselected"}}},
			want:  map[string]string{"p": "ok", "p " + a: "passed"},
		},
		"nor those that somebody has": {
			first: slices.Concat(unitOf("p"), unitOf("o", "/app/p/test_b.py")),
			tell: map[string][]said{
				"p": {{passed: []string{a}, elsewhere: [][2]string{{b, "o"}}}}, "o": {{passed: []string{b}, elsewhere: [][2]string{{a, "q"}}}},
			},
			want: map[string]string{"p": "ok", "p " + a: "passed", "p[o]": "ok", "p[o] " + b: "passed"},
		},
		"nor those of a file that was collected there": {
			first: slices.Concat(unitOf("p"), unitOf("o", "/app/p/test_b.py")),
			tell: map[string][]said{
				"p": {{passed: []string{a}, elsewhere: [][2]string{{b, "o"}}}}, "o": {{passed: []string{"test_b.py::test_c"}}},
			},
			want: map[string]string{
				"p": "failed", "p " + a: "passed", "p[o]": "ok", "p[o] test_b.py::test_c": "passed",
				"p " + b: "errored: it belongs in the container of o, where it was not collected",
			},
			exit: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := rounds{T: t, first: tt.first, second: tt.second, wrong: tt.wrong, containers: &tellers{tell: tt.tell}}
			result := r.do(t.Context())
			if got, want := fmt.Sprintf("%+v", r.moved), fmt.Sprintf("%+v", tt.moved); got != want {
				t.Errorf("moved are %s, want %s", got, want)
			}
			if got := ends(result); !maps.Equal(got, tt.want) || result.Exit != tt.exit {
				t.Errorf("exit %d, want %d\n got %v\nwant %v", result.Exit, tt.exit, got, tt.want)
			}
		})
	}
}

// joined is a run in which a case joins others in the second round.
func joined(t *testing.T) *rounds {
	return &rounds{
		T: t, first: slices.Concat(unitOf("p"), unitOf("o", "/app/p/test_c.py")), second: unitOf("o", "/app/p/test_b.py"),
		containers: &tellers{tell: map[string][]said{
			"p": {{passed: []string{"test_a.py::test_a"}, elsewhere: [][2]string{{"test_b.py::test_b", "o"}}}}, "o": {{passed: []string{"test_c.py::test_c"}}},
		}},
	}
}

func TestBothRoundsOfAContainerAreOneRecord(t *testing.T) {
	r := joined(t)
	r.containers.tell["o"] = append(r.containers.tell["o"], said{passed: []string{"test_b.py::test_b"}})
	result := r.do(t.Context())
	if n := len(result.Projects); n != 2 {
		t.Errorf("there are %d projects, want 2", n)
	}
	log, err := os.ReadFile(filepath.Join(r.dir.Unit("p[o]"), "output.log"))
	if want := "ran [test_c.py::test_c]\nran [test_b.py::test_b]\n"; err != nil || string(log) != want {
		t.Errorf("the log is %q, error %v, want %q", log, err, want)
	}
	var planned [][]string
	var elapsed time.Duration
	for _, e := range r.events {
		switch {
		case e.Unit().String() != "p[o]":
		case e.Type == event.ProjectPlanned:
			planned = append(planned, e.Cases)
		case e.Type == event.ProjectFinished && e.Elapsed <= elapsed:
			t.Errorf("the second round ends with %s, the first with %s: not their sum", e.Elapsed, elapsed)
		case e.Type == event.ProjectFinished:
			elapsed = e.Elapsed
		}
	}
	if want := [][]string{nil, {"test_b.py::test_b"}}; !slices.EqualFunc(planned, want, slices.Equal) {
		t.Errorf("planned are %q, want %q", planned, want)
	}
	if p := result.In("p", "o")[0]; p.Cached || p.Log == "" || p.Session == "" {
		t.Errorf("the image of the first round counts: %+v", p)
	}
}

func TestTheSecondRoundCanBeInterrupted(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(r *rounds, stop context.CancelCauseFunc)
		cases   int // that it tells of
	}{
		"while it runs": {func(r *rounds, stop context.CancelCauseFunc) { r.containers.stop = stop }, 1},
		"while it is planned": {func(r *rounds, stop context.CancelCauseFunc) {
			r.wrong = errors.New("Ctrl-C")
			r.planning = func() { stop(r.wrong) }
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancelCause(t.Context())
			defer stop(nil)
			r := joined(t)
			tt.prepare(r, stop)
			result := r.do(ctx)
			if p := result.In("p", "o")[0]; p.Status != event.Interrupted || result.Exit != 130 || len(p.Cases) != tt.cases {
				t.Errorf("exit %d, %v", result.Exit, ends(result))
			}
		})
	}
}

func TestALogThatWasReplacedIsNotWrittenTo(t *testing.T) {
	r := joined(t)
	target := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(target, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.planning = func() {
		log := filepath.Join(r.root, ".wr/runs/latest/projects/p[o]/output.log")
		if err := errors.Join(os.Remove(log), os.Symlink(target, log)); err != nil {
			t.Error(err)
		}
	}
	result := r.do(t.Context())
	if text, err := os.ReadFile(target); err != nil || string(text) != "as it was" {
		t.Errorf("it is %q now, error %v", text, err)
	}
	if p := result.In("p", "o")[0]; p.Status != event.Broken {
		t.Errorf("ended as %v", ends(result))
	}
}
