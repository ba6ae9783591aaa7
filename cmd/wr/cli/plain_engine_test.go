//go:build linux && engine

package cli

import (
	"cmp"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/report/reporttest"
	"github.com/wr-build/wr/runtime/spec"
)

// TestResultsAreThoseOfPlainPytest has wr run all tests of each example, and then
// runs plain pytest by hand in the same containers.
func TestResultsAreThoseOfPlainPytest(t *testing.T) {
	w := realWr(t)
	examples, err := filepath.Glob("../../../examples/*/wr.toml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	before := w.census()
	for _, file := range examples {
		source := filepath.Dir(file)
		t.Run(filepath.Base(source), func(t *testing.T) {
			testAndCompare(t, w, workspaceCopy(t, source))
		})
	}
	w.leavesNothing(before)
}

// TestEveryOutcomeIsThatOfPlainPytest has what no example has: failures, the same
// names in several files and projects, and marks at every level.
func TestEveryOutcomeIsThatOfPlainPytest(t *testing.T) {
	w := realWr(t)
	before := w.census()
	dir := t.TempDir()
	lay(t, dir, map[string]string{
		"wr.toml":                      "[workspace]\nname = \"same\"\n[project]\n",
		"conftest.py":                  "def pytest_collection_modifyitems(items): items.reverse()\ndef pytest_runtest_logreport(report): pass\n",
		"devops/Dockerfile":            "FROM acme/python\n",
		"cases.py":                     "class Base:\n    def test_inherited(self): assert type(self).__name__ != 'TestB'\n",
		"test_same.py":                 outcomesInPython,
		"sub/test_same2.py":            outcomesInPython,
		"test_moved.py":                movedInPython,
		"test_all_moved.py":            "import pytest, only_there\npytestmark = pytest.mark.container('web')\ndef test_x(): pass\ndef test_y(): assert 0\n",
		"test_gone.py":                 "import pytest\npytest.skip('no gpu', allow_module_level=True)\n",
		"web/wr.toml":                  "[project]\n[test]\npaths = [\"test\"]\n",
		"web/pytest.ini":               "[pytest]\nxfail_strict = true\n",
		"web/devops/Dockerfile":        "FROM acme/python\nCOPY devops/only_there.py /usr/lib/python3/dist-packages/\n",
		"web/devops/only_there.py":     "",
		"web/test/test_same.py":        outcomesInPython,
		"web/test/deep/test_deeper.py": "def test_pass(): pass\n",
		"web/not_tested/test_never.py": "def test_never(): assert 0\n",
	})
	testAndCompare(t, w, dir)
	w.leavesNothing(before)
}

// outcomesInPython has a case of each outcome.
const outcomesInPython = `
import pytest, unittest
from cases import Base

class TestA(Base): pass
class TestB(Base): pass
@pytest.mark.parametrize("x", ["a b", "c::d", "g[h]", "zażółć", "i/j", "x - y", ""])
def test_pass(x): pass
def test_fail(): assert 1 == 2
def test_skip(): pytest.skip("not today")
@pytest.mark.xfail(reason="known")
def test_xfail(): assert 0
@pytest.mark.xfail(reason="fixed")
@pytest.mark.parametrize("x", ["a b", "c - d"])
def test_xpass(x): pass
@pytest.mark.xfail(strict=True)
def test_strict(): pass
@pytest.fixture
def broken(): raise RuntimeError("no db")
def test_setup(broken): pass
@pytest.mark.xfail
def test_xfail_in_setup(broken): pass
@pytest.fixture
def leaky():
    yield
    raise RuntimeError("still open")
def test_teardown(leaky): pass
def test_both(leaky): assert 0, "first"
def test_skip_and_teardown(leaky): pytest.skip("then it leaks")
@pytest.mark.xfail
def test_xpass_and_teardown(leaky): pass
class TestUnit(unittest.TestCase):
    def test_bad(self): self.assertEqual(1, 2)
    @unittest.skip("old")
    def test_old(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    @unittest.expectedFailure
    def test_unexpected(self): pass
@pytest.mark.slow
def test_slow(): pass
`

// movedInPython has cases that belong in another container, at every level.
const movedInPython = `
import importlib.util, pytest

there = importlib.util.find_spec("only_there") is not None
web = pytest.mark.container("web")

def test_here(): assert not there
@web
def test_there(): assert there
@web
@pytest.mark.xfail(reason="only here")
def test_xpassed_there(): assert there
@pytest.mark.parametrize("x", [1, pytest.param(2, marks=web)])
def test_some(x): assert there == (x == 2)
@web
class TestThere:
    def test_in_class(self): assert there
    @pytest.mark.container("same")
    def test_back(self): assert not there
`

// testAndCompare fails the test for each case of a workspace that plain pytest has
// and wr has not, or the other way round, or that has not ended the same way.
func testAndCompare(t *testing.T, w real, dir string) {
	t.Helper()
	w.t = t
	_, errs, code := w.run(dir, "test", "--recursive", "--suite", "all")
	if code > 1 {
		t.Fatalf("wr test: exit %d\n%s", code, errs)
	}
	b := byHand{w, dir, lastReport(t, dir), planOf(t, w, dir)}
	wr, compared := casesOfWr(t, dir, b.run), 0
	for _, project := range b.projects() {
		compared += b.compare(project, wr)
	}
	if compared == 0 {
		t.Error("not one case was compared")
	}
	t.Logf("%d cases compared", compared)
}

// casesOfWr are those of the newest run in dir, by where they ran.
func casesOfWr(t *testing.T, dir string, r *report.Run) map[string][]reporttest.Case {
	t.Helper()
	junit, err := os.ReadFile(filepath.Join(dir, ".wr/runs/latest/junit.xml"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := reporttest.OfWr(junit, r)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// planOf is what wr would do now to run all tests in dir.
func planOf(t *testing.T, w real, dir string) plan.Plan {
	t.Helper()
	out, errs, code := w.run(dir, "test", "--recursive", "--suite", "all", "--dry-run", "--json")
	var p plan.Plan
	if err := json.Unmarshal([]byte(out), &p); err != nil || code != 0 {
		t.Fatalf("plan: exit %d, %v\n%s%s", code, err, out, errs)
	}
	return p
}

// byHand runs plain pytest where and as wr has run tests.
type byHand struct {
	real

	dir  string // of the workspace
	run  *report.Run
	plan plan.Plan
}

// projects are the paths of those that have tests.
func (b byHand) projects() []string {
	var all []string
	for _, p := range b.run.Projects {
		if p.Status != event.None && !slices.Contains(all, p.Path) {
			all = append(all, p.Path)
		}
	}
	return all
}

// compare compares all cases of a project, each where wr has run it, and returns how
// many wr has.
func (b byHand) compare(project string, wr map[string][]reporttest.Case) int {
	b.t.Helper()
	ran, places, n := map[string]string{}, b.places(project), 0
	for _, place := range places {
		for _, c := range wr[place.String()] {
			if other, twice := ran[c.ID]; twice && other != place.String() {
				b.t.Errorf("%s ran in %s and in %s", c.ID, other, place)
			}
			ran[c.ID] = place.String()
			n++
		}
	}
	for _, place := range places {
		plain := slices.DeleteFunc(b.plainly(place, places), func(c reporttest.Case) bool {
			where, found := ran[c.ID]
			return found && where != place.String() // it belongs there, by its mark
		})
		if diff := reporttest.Diff(plain, wr[place.String()]); diff != "" {
			b.t.Errorf("%s:\n%s", place, diff)
		}
	}
	return n
}

// places are the containers in which cases of a project ran.
func (b byHand) places(project string) []event.Unit {
	var all []event.Unit
	for _, p := range b.run.Projects {
		if place := p.Unit().Place(); p.Path == project && !slices.Contains(all, place) {
			all = append(all, place)
		}
	}
	return all
}

// plainly runs plain pytest in the container of a place: at home on all of the
// project but files that have cases elsewhere only, and elsewhere on the files of
// those cases.
func (b byHand) plainly(place event.Unit, places []event.Unit) []reporttest.Case {
	b.t.Helper()
	home := event.Unit{Project: place.Project}
	as := b.planned(place)
	// The environment is the project's, also in an image that is no project's.
	words := slices.Concat([]string{"env"}, as.Container.Env, as.Command, as.Args, reporttest.PlainArgs(spec.Workspace+"/plain.xml"))
	for _, nested := range as.Nested {
		words = append(words, "--ignore="+nested)
	}
	atHome := b.files(home)
	switch {
	case place != home && slices.Contains(places, home):
		words = append(words, b.files(place)...)
	default:
		for _, other := range places {
			for _, file := range b.files(other) {
				if !slices.Contains(atHome, file) && place == home {
					words = append(words, "--ignore="+file)
				}
			}
		}
		words = append(words, as.Paths...)
	}
	return b.pytest(place, as.Dir, words)
}

// planned is how the tests of a place run; those that only Python could place run as
// their project's own.
func (b byHand) planned(place event.Unit) plan.Tests {
	b.t.Helper()
	for _, want := range []event.Unit{place, {Project: place.Project}} {
		for _, a := range b.plan.Actions {
			if a.Test != nil && a.Unit().Place() == want {
				return *a.Test
			}
		}
	}
	b.t.Fatalf("the plan has no tests of %s", place)
	return plan.Tests{}
}

// files are those of the cases that ran at a place, relative to the project.
func (b byHand) files(place event.Unit) []string {
	var all []string
	for _, p := range b.run.In(place.Project, place.Container) {
		for _, c := range p.Cases {
			if file, _, _ := strings.Cut(c.ID, "::"); !slices.Contains(all, file) {
				all = append(all, file)
			}
		}
	}
	return all
}

// pytest runs a command line of plain pytest in a directory of a container, and
// reads what it has reported.
func (b byHand) pytest(place event.Unit, in string, words []string) []reporttest.Case {
	b.t.Helper()
	junit := filepath.Join(b.dir, "plain.xml")
	if err := os.RemoveAll(junit); err != nil {
		b.t.Fatal(err)
	}
	command := []string{"exec", cmp.Or(place.Container, place.Project), "--", "sh", "-c", `cd "$0" && exec "$@"`, in}
	out, errs, code := b.real.run(b.dir, append(command, words...)...)
	if code != 0 && code != 1 || strings.Contains(out, "wr_pytest-") {
		b.t.Fatalf("plain pytest in %s: exit %d\n%s%s", place, code, out, errs)
	}
	return readPlain(b.t, junit, out, spec.Workspace)
}

// readPlain reads the report of plain pytest that printed out.
func readPlain(t *testing.T, junit, out, workspace string) []reporttest.Case {
	t.Helper()
	written, err := os.ReadFile(junit)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cases, err := reporttest.OfPytest(written, []byte(out), path.Clean(workspace))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return cases
}
