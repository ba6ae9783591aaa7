package testrun_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
)

// placed is a file whose cases say in their names where they belong: h here, o
// in the container of other.
const placed = `
import unittest
import pytest

other = pytest.mark.container("other")

def test_h(): pass

@other
def test_o(): pass

@pytest.mark.container("p")
@pytest.mark.parametrize("v", ["h", pytest.param("o", marks=other)])
def test_by(v): pass

@pytest.mark.parametrize("v", [pytest.param("h", marks=pytest.mark.container("here"))])
@other
def test_closest(v): pass

@other
class TestO:
    def test_o(self): pass

    @pytest.mark.container("p")
    def test_h(self): pass

    class TestIn:
        def test_o(self): pass

@other
class Mixin:
    def test_h_of_mixin(self): pass

@pytest.mark.container(name="p")
class TestChild(Mixin): pass

class TestOld(unittest.TestCase):
    def test_h(self): pass

    @other
    def test_o(self): pass
`

// names is what the marks of placed call containers.
var names = map[string]string{"other": "other", "p": "p", "here": "p"}

func TestEachCaseIsTestedWhereItBelongsAndToldOfElsewhere(t *testing.T) {
	t.Parallel()
	addsMarks := `
import pytest
def pytest_collection_modifyitems(items):
    for item in items:
        if item.name == "test_o_by_hook":
            item.add_marker(pytest.mark.container("other"))
`
	for name, tt := range map[string]struct {
		files map[string]string
		args  []string
	}{
		"by every kind of mark": {files: map[string]string{"test_a.py": placed}},
		"under strict markers":  {files: map[string]string{"test_a.py": placed}, args: []string{"--strict-markers"}},
		"under xdist":           {files: map[string]string{"test_a.py": placed}, args: []string{"-n2"}},
		"for a whole module": {files: map[string]string{
			"test_a.py": "def test_h(): pass", "test_o.py": "import pytest\npytestmark = [pytest.mark.container('other')]\ndef test_o(): pass",
		}},
		"by a mark that a hook adds": {files: map[string]string{
			"conftest.py": addsMarks, "test_a.py": "def test_h(): pass\ndef test_o_by_hook(): pass",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.files)
			w.unit.Args, w.unit.Places = tt.args, plan.Places{Default: "p", Names: names}
			here := w.run(t.Context())
			here.wantPlaces('h', "other")

			w.unit.Lender, w.unit.Record = "other", newRun(t, w.root, time.Now())
			there := w.run(t.Context())
			there.wantPlaces('o', "p")
		})
	}
}

// wantPlaces fails unless the cases that ran have the letter, and all others
// were left to the container of elsewhere.
func (r result) wantPlaces(letter byte, elsewhere string) {
	r.Helper()
	ran, left := 0, 0
	for _, e := range r.events {
		id := e.Case
		is := strings.Contains(id, "test_"+string(letter)) && !strings.Contains(id, "[") || strings.Contains(id, "["+string(letter))
		switch {
		case e.Type == event.CaseFinished && is && e.Outcome == event.Passed:
			ran++
		case e.Type == event.CaseElsewhere && !is && e.Belongs == elsewhere && e.Line > 0 && strings.HasPrefix(e.File, "p/test_"):
			left++
		case e.Type == event.CaseFinished, e.Type == event.CaseElsewhere:
			r.Errorf("%s %s %s %s", e.Type, id, e.Outcome, e.Belongs)
		}
	}
	if ran == 0 || left == 0 || r.Status != event.OK {
		r.Errorf("%d ran, %d were left, status %s", ran, left, r.Status)
	}
}

func TestAFileThatHasNoCaseForTheContainerIsNotImported(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"conftest.py": "", "test_a.py": "def test_a(): pass", "test_b.py": "raise ImportError", "pkg/__init__.py": "", "pkg/test_c.py": "def test_c(): pass",
	})
	at := func(name string) string { return filepath.Join(w.root, "p", name) }
	w.unit.Places = plan.Places{Default: "p", Leave: []string{at("test_b.py")}}
	if r := w.run(t.Context()); r.Status != event.OK || !slices.Equal(slices.Sorted(maps.Keys(r.outcomes())), []string{"pkg/test_c.py::test_c", "test_a.py::test_a"}) {
		t.Errorf("here: %s, %v", r.Status, slices.Sorted(maps.Keys(r.outcomes())))
	}
	w.unit.Record = newRun(t, w.root, time.Now())
	w.unit.Places = plan.Places{Default: "p", Take: []string{at("pkg/test_c.py")}}
	if r := w.run(t.Context()); r.Status != event.OK || !slices.Equal(slices.Sorted(maps.Keys(r.outcomes())), []string{"pkg/test_c.py::test_c"}) {
		t.Errorf("in another's: %s, %v", r.Status, slices.Sorted(maps.Keys(r.outcomes())))
	}
}

func TestAFileForSeveralContainersThatCannotBeImportedGetsAdvice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"test_a.py": "import pytest\nimport nowhere\n\ndef test_a(): pass", "test_b.py": "import nowhere"})
	w.unit.Places = plan.Places{Default: "p", Mixed: []string{filepath.Join(w.root, "p", "test_a.py")}}
	r := w.run(t.Context())
	var advice []string
	for _, e := range r.events {
		if e.Type == event.Warning && e.Fault != nil {
			advice = append(advice, fmt.Sprint(e.Fault.Code, " ", e.Fault.File, ":", e.Fault.Line))
		}
	}
	if want := []string{"test.mixed_import p/test_a.py:2"}; !slices.Equal(advice, want) || r.Status != event.Bad {
		t.Errorf("got %q, status %s", advice, r.Status)
	}
}
