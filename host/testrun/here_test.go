package testrun_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
)

// here is a plan of the tests of p in its own container, which this machine is.
func here(t *testing.T, root string, others ...plan.Elsewhere) plan.Plan {
	t.Helper()
	dir := filepath.Join(root, "p")
	return plan.Plan{Root: root, Here: "p", Actions: []plan.Action{{ID: "test:p", Kind: plan.Test, Project: "p", Test: &plan.Tests{
		Command: []string{python(t), "-m", "pytest"}, Dir: dir, NotHere: others,
		Places: plan.Places{Default: "p", Names: names, Leave: []string{filepath.Join(dir, "test_left.py")}},
	}}}}
}

func doHere(t *testing.T, p plan.Plan) (*report.Run, []event.Event) {
	t.Helper()
	var all []event.Event
	result, dir, err := testrun.Do(t.Context(), p, testrun.Config{
		Runner: onHost{}, Jobs: 1, Owner: owner(), Now: time.Now, Sinks: []event.Sink{sink(func(e event.Event) { all = append(all, e) })},
	})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := report.Load(filepath.Join(dir.Path, testrun.EventsFile))
	if err != nil || loaded.Here != "p" || loaded.Exit != result.Exit {
		t.Errorf("the record says %+v, %v", loaded, err)
	}
	return result, all
}

type sink func(event.Event)

func (s sink) Emit(e event.Event) { s(e) }

func TestCasesOfOtherContainersAreToldAndNoFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"test_a.py": placed, "test_left.py": "import what_another_container_has\n"})
	left := plan.Elsewhere{Case: "test_left.py::test_x", File: "p/test_left.py", Line: 3, Belongs: "web"}
	result, all := doHere(t, here(t, w.root, left))
	if p := result.Project("p"); result.Exit != 0 || p.Status != event.OK || p.Counts().Passed != 11 {
		t.Errorf("exit %d, %s, %+v", result.Exit, p.Status, p.Counts())
	}
	if got, want := result.NotHere(), []report.NotHere{{Container: "other", Cases: 11}, {Container: "web", Cases: 1}}; !slices.Equal(got, want) {
		t.Errorf("not here: %v, want %v", got, want)
	}
	told := slices.ContainsFunc(all, func(e event.Event) bool {
		return e.Type == event.CaseElsewhere && e.Project == "p" && e.Case == left.Case && e.File == left.File && e.Line == 3 && e.Belongs == "web"
	})
	if !told {
		t.Error("a case in a file that is not collected is told by no event")
	}
}

func TestANameThatNoProjectHasIsAnErrorHereToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("import pytest\ndef test_x(): pass\n@pytest.mark.container('no' + 'where')\ndef test_y(): pass\n"))
	result, _ := doHere(t, here(t, w.root))
	if c := result.Project("p").Case("test_a.py::test_y"); result.Exit != 1 || c == nil || c.Outcome != event.Errored || !strings.Contains(c.Text, "nowhere") {
		t.Errorf("exit %d, %+v", result.Exit, c)
	}
}

func TestThatNothingIsHereIsAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("import pytest\npytestmark = pytest.mark.container('other')\ndef test_x(): pass\n"))
	result, _ := doHere(t, here(t, w.root, plan.Elsewhere{Case: "test_b.py::test_y", File: "p/test_b.py", Belongs: "other"}))
	if f := result.Project("p").Fault; result.Exit != 1 || f == nil || f.Code != "test.none_collected" || !strings.Contains(f.Message, "all 2 collected belong in other containers") {
		t.Errorf("exit %d, %v", result.Exit, f)
	}
}

// TestNothingIsWrittenBesideTheState compares the workspace before and after.
func TestNothingIsWrittenBesideTheState(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("def test_x(): assert 0\n"))
	before := tree(t, w.root)
	doHere(t, here(t, w.root))
	if after := tree(t, w.root); !slices.Equal(before, after) {
		t.Errorf("before %v, after %v", before, after)
	}
	if entries, err := os.ReadDir(filepath.Join(w.root, ".wr", "pytest", "p")); err != nil || len(entries) == 0 {
		t.Errorf("pytest's cache has %v, %v", entries, err)
	}
}

// tree lists what is in a workspace, without wr's state.
func tree(t *testing.T, root string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if d != nil && d.Name() == ".wr" {
			return filepath.SkipDir
		}
		all = append(all, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatWasNotToRunAnywhereIsNotMissedHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("import pytest\ndef test_x(): pass\n@pytest.mark.container('other')\ndef test_y(): pass\n@pytest.mark.container('other')\ndef test_xy(): pass\n"))
	p := here(t, w.root)
	p.Actions[0].Test.Args = []string{"-k", "x"}
	result, _ := doHere(t, p)
	if got, want := result.NotHere(), []report.NotHere{{Container: "other", Cases: 1}}; result.Exit != 0 || !slices.Equal(got, want) {
		t.Errorf("exit %d, not here: %v, want %v", result.Exit, got, want)
	}
	if n := result.Project("p").Counts(); n.Passed != 1 || n.Deselected != 1 {
		t.Errorf("got %+v", n)
	}
}

// TestEachProcessIsToldWhereToWriteHere has a case end its process, be run again
// and take too long: all of that needs further files of facts and of stacks.
func TestEachProcessIsToldWhereToWriteHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("import os, time\ndef test_a():\n    if not os.path.exists('again'):\n        open('again', 'w').close()\n        os._exit(3)\ndef test_b():\n    time.sleep(60)\ndef test_c(): pass\n"))
	p := here(t, w.root, plan.Elsewhere{Case: "test_b.py::test_y", File: "p/test_b.py", Belongs: "other"})
	p.Actions[0].Test.Suites = []plan.Suite{{Policy: plan.Policy{Timeout: time.Second, Reruns: plan.Reruns{Error: 1}}, Fate: plan.Run}}
	result, all := doHere(t, p)
	unit := result.Project("p")
	if c := unit.Case("test_a.py::test_a"); c == nil || c.Outcome != event.Passed || !slices.Equal(c.Earlier, []event.Outcome{event.Errored}) {
		t.Errorf("the one that ended its process: %+v", c)
	}
	if c := unit.Case("test_a.py::test_b"); c == nil || c.Outcome != event.Failed || !strings.Contains(c.Details, "in test_b") {
		t.Errorf("the one that took too long: %+v", c)
	}
	if c := unit.Case("test_a.py::test_c"); c == nil || c.Outcome != event.Passed {
		t.Errorf("the one after them: %+v", c)
	}
	told := 0
	for _, e := range all {
		if e.Type == event.CaseElsewhere {
			told++
		}
	}
	if told != 1 {
		t.Errorf("what is not here was told %d times", told)
	}
}
