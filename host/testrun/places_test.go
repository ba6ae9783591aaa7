package testrun_test

import (
	"fmt"
	"maps"
	"os"
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

@other
class TestOldO(unittest.TestCase):
    def test_o(self): pass

    @pytest.mark.container("p")
    def test_h(self): pass

class TestOldChild(TestOldO):
    pytestmark = [pytest.mark.container("here")]

    def test_h_of_child(self): pass

    @other
    def test_o(self): pass

class TestListed:
    pytestmark = [pytest.mark.filterwarnings("ignore"), other]

    def test_o(self): pass

    class TestIn:
        def test_o(self): pass

        @pytest.mark.container("p")
        def test_h(self): pass

    @pytest.mark.container("here")
    class TestBack:
        def test_h(self): pass

        class TestDeep:
            pytestmark = other

            def test_o(self): pass

class TestListedOld(unittest.TestCase):
    pytestmark = [other]

    def test_o(self): pass
`

// fixtures is placed for marks of parametrized fixtures.
const fixtures = `
import pytest

other = pytest.mark.container("other")

@pytest.fixture(params=["h", pytest.param("o", marks=other)])
def where(request): return request.param

@pytest.fixture
def indirect(where): return where

def test_by(where): pass

def test_through(indirect): pass

@other
@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.container("p"), id="h")])
def test_closest(x): pass

@pytest.mark.container("p")
class TestIn:
    def test_in(self, where): pass

    @pytest.mark.parametrize("where", [pytest.param("h", marks=other, id="o")], indirect=True)
    def test_given(self, where): pass
`

// last turns the hook of a conftest.py into one that comes after all others.
func last(conftest string) string {
	conftest = strings.Replace(conftest, "def pytest_collection_modifyitems", "@pytest.hookimpl(hookwrapper=True, tryfirst=True)\ndef pytest_collection_modifyitems", 1)
	return strings.Replace(conftest, "(items):\n", "(items):\n    yield\n", 1)
}

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
		"by a mark that a hook adds after all others": {files: map[string]string{
			"conftest.py": last(addsMarks), "test_a.py": "def test_h(): pass\ndef test_o_by_hook(): pass",
		}},
		"by a mark that such a hook adds in a directory": {files: map[string]string{
			"test_a.py": "def test_h(): pass", "sub/conftest.py": last(addsMarks), "sub/test_b.py": "def test_o_by_hook(): pass",
		}},
		"by a mark that such a hook adds under xdist": {args: []string{"-n2"}, files: map[string]string{
			"sub/conftest.py": last(addsMarks), "sub/test_b.py": "def test_h(): pass\ndef test_o_by_hook(): pass",
		}},
		"by a mark that is added when it is collected": {files: map[string]string{
			"conftest.py": "import pytest\ndef pytest_itemcollected(item):\n    if 'test_o' in item.name: item.add_marker(pytest.mark.container('other'))\n",
			"test_a.py":   "def test_h(): pass\ndef test_o(): pass",
		}},
		"by parameters of fixtures": {files: map[string]string{"test_a.py": fixtures}},
		"by parameters of fixtures, under xdist": {
			files: map[string]string{"test_a.py": fixtures}, args: []string{"-n2"},
		},
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
		case e.Type == event.CaseElsewhere && !is && e.Belongs == elsewhere && e.Line > 0 && strings.HasPrefix(e.File, "p/") && strings.Contains(e.File, "/test_"):
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

func TestLinksAreFollowedAsPytestDoesButNotRoundAndRound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		links map[string]string // in the project, to what they lead
		want  []string
	}{
		"to a directory":                  {map[string]string{"link": "test"}, []string{"link/test_a.py"}},
		"to a file":                       {map[string]string{"test/test_b.py": "test_a.py"}, []string{"test/test_b.py"}},
		"to another project":              {map[string]string{"link": "../q"}, []string{"link/test_q.py"}},
		"to a project further down":       {links: map[string]string{"link": "deep/inner"}},
		"to what is above such a project": {map[string]string{"link": "deep"}, []string{"link/test_d.py"}},
		"to what is in such a project":    {map[string]string{"link": "deep/inner/test"}, []string{"link/test_i.py"}},
		"to itself":                       {links: map[string]string{"test/link": "."}},
		"to what is above":                {links: map[string]string{"test/link": "../.."}},
		"to each other":                   {map[string]string{"test/link": "../deep", "deep/link": "../test"}, []string{"deep/link/test_a.py", "test/link/test_d.py"}},
		"to nowhere":                      {links: map[string]string{"test/test_gone.py": "gone.py", "link": "gone", "test/round": "round"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const test = "def test_x(): pass"
			w := newWorld(t, map[string]string{
				"test/test_a.py": test, "deep/test_d.py": test, "deep/inner/test/test_i.py": test, "../q/test_q.py": test,
			})
			for link, to := range tt.links {
				if err := os.Symlink(to, filepath.Join(w.root, "p", link)); err != nil {
					t.Fatal(err)
				}
			}
			w.unit.Args = []string{"--import-mode=importlib"}
			w.unit.Nested = []string{filepath.Join(w.root, "p/deep/inner")}
			r := w.run(t.Context())
			want := []string{"deep/test_d.py::test_x", "test/test_a.py::test_x"}
			for _, file := range tt.want {
				want = append(want, file+"::test_x")
			}
			slices.Sort(want)
			if got := slices.Sorted(maps.Keys(r.outcomes())); r.Status != event.OK || !slices.Equal(got, want) {
				t.Errorf("%s\n got %q\nwant %q", r.Status, got, want)
			}
		})
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
