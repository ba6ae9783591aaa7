package testrun_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/mark"
	"github.com/wr-build/wr/host/plan"
)

// suited is a file whose cases are in the suites that they are named after.
const suited = `
import pytest

def test_fast(): pass

@pytest.mark.slow
def test_slow(): pass

@pytest.mark.slow
class TestSlow:
    def test_slow(self): pass

    @pytest.mark.gpu
    def test_gpu_and_slow(self): pass

@pytest.mark.parametrize("v", ["fast", pytest.param("slow", marks=pytest.mark.slow)])
def test_by(v): pass
`

// suites are gpu, slow and fast with their fates.
func suites(gpu, slow, fast plan.Fate) []plan.Suite {
	return []plan.Suite{
		{Name: "gpu", Marks: mark.Name("gpu"), Fate: gpu},
		{Name: "slow", Marks: mark.Name("slow"), Fate: slow},
		{Name: "fast", Fate: fast},
		{Fate: fast},
	}
}

// bySuite are the cases of events of one type, by suite.
func (r result) bySuite(t event.Type) map[string]string {
	found := map[string][]string{}
	for _, e := range r.events {
		if e.Type == t {
			name := strings.TrimPrefix(e.Case, "test_a.py::")
			found[e.Suite] = append(found[e.Suite], strings.Join(append([]string{name}, e.AlsoIn...), " also "))
		}
	}
	joined := map[string]string{}
	for name, cases := range found {
		slices.Sort(cases)
		joined[name] = strings.Join(cases, ", ")
	}
	return joined
}

func TestCasesAreSortedIntoSuitesByTheirMarks(t *testing.T) {
	const slow = "TestSlow::test_slow, test_by[slow], test_slow"
	gpu := map[string]string{"gpu": "TestSlow::test_gpu_and_slow also slow"}
	for name, tt := range map[string]struct {
		suites    []plan.Suite
		args      []string
		ran, left map[string]string
	}{
		"fast":     {suites("left", "left", "run"), nil, map[string]string{"fast": "test_by[fast], test_fast"}, map[string]string{"slow": slow, "gpu": gpu["gpu"]}},
		"all":      {suites("run", "run", "run"), nil, map[string]string{"fast": "test_by[fast], test_fast", "slow": slow, "gpu": gpu["gpu"]}, nil},
		"one part": {suites("run", "other", "other"), nil, gpu, nil},
		"with -k":  {suites("left", "run", "left"), []string{"-k", "by"}, map[string]string{"slow": "test_by[slow]"}, map[string]string{"fast": "test_by[fast]", "": "TestSlow::test_gpu_and_slow, TestSlow::test_slow, test_fast, test_slow"}},
		"xdist":    {suites("left", "run", "run"), []string{"-n", "2"}, map[string]string{"fast": "test_by[fast], test_fast", "slow": slow}, gpu},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"test_a.py": suited})
			w.unit.Suites, w.unit.Args = tt.suites, append(w.unit.Args, tt.args...)
			r := w.run(t.Context())
			if r.Status != event.OK {
				t.Errorf("status %s", r.Status)
			}
			if got := r.bySuite(event.CaseFinished); !maps.Equal(got, tt.ran) {
				t.Errorf("ran %v, want %v", got, tt.ran)
			}
			if got := r.bySuite(event.CaseDeselected); !maps.Equal(got, tt.left) {
				t.Errorf("left %v, want %v", got, tt.left)
			}
			for _, e := range r.events {
				if e.Type == event.CaseFinished && (e.File == "" || e.Line == 0) {
					t.Errorf("%s is nowhere: %q:%d", e.Case, e.File, e.Line)
				}
			}
		})
	}
}

func TestAUnitWithoutCasesOfItsSuitesIsFine(t *testing.T) {
	w := newWorld(t, map[string]string{"test_a.py": "def test_fast(): pass\n"})
	w.unit.Suites = suites("left", "run", "left")
	r := w.run(t.Context())
	if n := r.project.Counts(); r.Status != event.OK || n.Collected != 0 || n.Deselected != 1 {
		t.Errorf("status %s, %+v", r.Status, n)
	}
}

func TestEachSuiteHasItsOwnTimeout(t *testing.T) {
	w := newWorld(t, map[string]string{"test_a.py": `
import time, threading, pytest
def test_hangs(): threading.Event().wait()
@pytest.mark.slow
def test_takes_longer(): time.sleep(2)
`})
	w.unit.Suites = suites("run", "run", "run")
	w.unit.Suites[2].Timeout = time.Second
	r := w.run(t.Context())
	outcomes := map[string]event.Outcome{}
	for _, c := range r.project.Cases {
		outcomes[c.ID] = c.Outcome
	}
	if want := map[string]event.Outcome{"test_a.py::test_hangs": event.Failed, "test_a.py::test_takes_longer": event.Passed}; !maps.Equal(outcomes, want) {
		t.Errorf("got %v, want %v", outcomes, want)
	}
	if text := r.project.Case("test_a.py::test_hangs").Text; !strings.Contains(text, "longer than 1s") {
		t.Errorf("it says %q", text)
	}
}
