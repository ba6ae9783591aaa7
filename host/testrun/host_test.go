package testrun_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
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
	"github.com/wr-build/wr/runtime/local"
	"github.com/wr-build/wr/runtime/spec"
)

// findPython returns the interpreter of this machine that has pytest.
var findPython = sync.OnceValues(func() (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(context.Background(), python, "-c", "import pytest, sys; print(sys.executable)").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", python, err, out)
	}
	return strings.TrimSpace(string(out)), nil
})

// python fails the test, and does not skip it, when there is nothing to test with.
func python(t testing.TB) string {
	t.Helper()
	found, err := findPython()
	if err != nil {
		t.Fatalf("these tests run pytest of this machine, which needs python3 with pytest on PATH (apt-get install python3-pytest): %v", err)
	}
	return found
}

// onHost is this machine, without containers. A unit that it runs is Local.
type onHost struct {
	before func(p *spec.Process) // may change what is about to run
}

func (h onHost) Run(ctx context.Context, c spec.Container, p spec.Process, stdio spec.Stdio) (spec.Exit, error) {
	c.Env = append([]string{"PYTHONDONTWRITEBYTECODE=1"}, c.Env...)
	if h.before != nil {
		h.before(&p)
	}
	if p.Terminal {
		return runOnTerminal(ctx, c, p, stdio)
	}
	p.Ports = nil // they are here
	return local.Runner{}.Run(ctx, c, p, stdio)
}

// world is a workspace on this machine with the project p in it.
type world struct {
	testing.TB
	root   string
	unit   testrun.Unit
	runner spec.Runner
}

// newWorld makes a workspace of files, named relative to the project.
func newWorld(t testing.TB, files map[string]string) *world {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, root: root, runner: onHost{}}
	for name, content := range files {
		w.write(filepath.Join("p", name), content)
	}
	w.write("p/devops/Dockerfile", "FROM scratch\n")
	w.unit = testrun.Unit{
		Project: "p", Image: "wr.local/p:1",
		Container: spec.Container{Mounts: []spec.Mount{{Source: root, Target: root, Owned: true}}},
		Command:   []string{python(t), "-m", "pytest", "-p", "no:cacheprovider"},
		Root:      root, Dir: filepath.Join(root, "p"), Local: true,
		Record: newRun(t, root, time.Now()),
	}
	return w
}

func (w *world) write(name, content string) {
	w.Helper()
	name = filepath.Join(w.root, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		w.Fatal(err)
	}
}

// recorded is the directory of the world's unit.
func (w *world) recorded() string {
	return w.unit.Record.Unit(event.Unit{Project: w.unit.Project, Container: w.unit.Lender, Slice: w.unit.Slice}.String())
}

// result is what a unit told.
type result struct {
	testing.TB
	testrun.Verdict
	events  []event.Event
	folded  *report.Run
	project *report.Project
	exit    int // that wr would have
	log     string
}

// run tests the world's unit and checks what must be true of every run: the
// table agrees with the events, and each collected case has one outcome.
func (w *world) run(ctx context.Context) result {
	w.Helper()
	folded := &report.Run{}
	r := result{TB: w.TB, folded: folded}
	stream := event.NewStream(time.Now, folded)
	_, w.unit.Local = w.runner.(onHost) // others look for what is mounted
	r.Verdict = w.unit.Run(ctx, w.runner, func(e event.Event) {
		r.events = append(r.events, e)
		stream.Emit(e)
	})
	log, _ := os.ReadFile(filepath.Join(w.recorded(), "output.log"))
	r.log, r.exit, r.project = string(log), report.ExitCode(folded), only(folded.In("p", w.unit.Lender))
	w.Cleanup(func() {
		if w.Failed() {
			w.Logf("verdict %+v, fault %v\n%.6000s", r.Verdict, r.Fault, r.log)
		}
	})
	r.conserved()
	return r
}

// limit has the policy hold for each case.
func (w *world) limit(p plan.Policy) { w.unit.Suites = []plan.Suite{{Policy: p, Fate: plan.Run}} }

// only is the only project of all, or nil.
func only(all []*report.Project) *report.Project {
	if len(all) != 1 {
		return nil
	}
	return all[0]
}

// conserved fails unless every collected case finished, and nothing else did.
func (r result) conserved() {
	r.Helper()
	collected, ended := map[string]bool{}, map[string]bool{}
	for _, e := range r.events {
		if e.Project != "p" {
			r.Errorf("an event without project: %+v", e)
		}
		switch e.Type {
		case event.Collected:
			for _, id := range e.Cases {
				if collected[id] {
					r.Errorf("%s was collected twice", id)
				}
				collected[id] = true
			}
		case event.CaseFinished:
			ended[e.Case] = true
		}
	}
	for id := range collected {
		if !ended[id] {
			r.Errorf("%s was collected and has no outcome", id)
		}
	}
	n := r.project.Counts()
	if sum := n.Passed + n.Failed + n.Skipped + n.XFailed + n.XPassed + n.Errored + n.NotRun; sum != n.Collected {
		r.Errorf("the outcomes add up to %d, collected are %d", sum, n.Collected)
	}
}

// outcomes maps node ids, without the file when there is one only, to outcomes.
func (r result) outcomes() map[string]event.Outcome {
	all := map[string]event.Outcome{}
	for _, c := range r.project.Cases {
		all[c.ID] = c.Outcome
	}
	return all
}

// of returns the last end of the case with that id.
func (r result) of(id string) event.Event {
	r.Helper()
	for _, e := range slices.Backward(r.events) {
		if e.Type == event.CaseFinished && e.Case == id {
			return e
		}
	}
	r.Fatalf("no case %s has ended", id)
	return event.Event{}
}

func (r result) code() string {
	if r.Fault == nil {
		return ""
	}
	return r.Fault.Code
}

// texts are the texts of the events of one type.
func (r result) texts(of event.Type) []string {
	var all []string
	for _, e := range r.events {
		if e.Type == of {
			all = append(all, e.Text)
		}
	}
	return all
}
