package testrun_test

import (
	"maps"
	"testing"

	"github.com/wr-build/wr/host/event"
)

// animal is one way in which tests behave.
type animal struct {
	files  map[string]string
	args   []string
	empty  bool // AllowEmpty
	want   map[string]event.Outcome
	status event.Status
	code   string            // of the fault
	exit   int               // of wr
	texts  map[string]string // short texts of some cases
}

func one(content string) map[string]string { return map[string]string{"test_a.py": content} }

// outcomesOf is pairs of a function in test_a.py and an outcome.
func outcomesOf(pairs ...string) map[string]event.Outcome {
	all := map[string]event.Outcome{}
	for i := 0; i < len(pairs); i += 2 {
		all["test_a.py::"+pairs[i]] = event.Outcome(pairs[i+1])
	}
	return all
}

// gentle is tests that only pass, fail and are collected, or not.
var gentle = map[string]animal{
	"every outcome": {
		files: one(`
import pytest, unittest

def test_pass(): pass
def test_fail(): assert 1 == 2
def test_skip(): pytest.skip("not today")
@pytest.mark.skip(reason="never")
def test_mark(): pass
@pytest.mark.xfail(reason="known")
def test_xfail(): assert 0
def test_xfail_call(): pytest.xfail("in the middle")
@pytest.mark.xfail(reason="fixed")
def test_xpass(): pass
@pytest.mark.xfail(reason="fixed", strict=True)
def test_strict(): pass
@pytest.fixture
def broken(): raise RuntimeError("no db")
def test_setup(broken): pass
@pytest.fixture
def leaky():
    yield
    raise RuntimeError("still open")
def test_teardown(leaky): pass
def test_both(leaky): assert 0, "first"
@pytest.mark.xfail(reason="leaks")
def test_xfail_teardown(leaky): pass
@pytest.mark.xfail(reason="no db yet")
def test_xfail_setup(broken): pass
def test_skip_teardown(leaky): pytest.skip("then it leaks")
class TestUnit(unittest.TestCase):
    def test_ok(self): pass
    def test_bad(self): self.assertEqual(1, 2)
    @unittest.skip("old")
    def test_old(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail()
`),
		want: outcomesOf(
			"test_pass", "passed", "test_fail", "failed", "test_skip", "skipped", "test_mark", "skipped",
			"test_xfail", "xfailed", "test_xfail_call", "xfailed", "test_xpass", "xpassed", "test_strict", "failed",
			"test_setup", "errored", "test_teardown", "errored", "test_both", "failed",
			"test_xfail_teardown", "xfailed", "test_xfail_setup", "xfailed", "test_skip_teardown", "errored",
			"TestUnit::test_ok", "passed", "TestUnit::test_bad", "failed", "TestUnit::test_old", "skipped", "TestUnit::test_expected", "xfailed"),
		status: event.Bad, exit: 1,
		texts: map[string]string{
			"test_a.py::test_fail": "assert 1 == 2", "test_a.py::test_skip": "not today", "test_a.py::test_mark": "never",
			"test_a.py::test_xfail": "known", "test_a.py::test_setup": "setup: RuntimeError: no db",
			"test_a.py::test_teardown": "teardown: RuntimeError: still open", "test_a.py::test_xpass": "fixed",
			"test_a.py::test_both": "AssertionError: first\nassert 0", "test_a.py::test_xfail_call": "in the middle", "test_a.py::test_xfail_teardown": "leaks",
		},
	},
	"all is well": {
		files: one(`
import pytest
@pytest.mark.parametrize("x", [1, 2])
def test_x(x): pass
@pytest.mark.xfail
def test_xpass(): pass
`),
		want:   outcomesOf("test_x[1]", "passed", "test_x[2]", "passed", "test_xpass", "xpassed"),
		status: event.OK,
	},
	"odd ids": {
		files: one("import pytest\n" +
			`@pytest.mark.parametrize("x", ["a b", "c::d", "e\nf", "g[h]", "zażółć", "\U0001F98A", "i/j", "\\", '"', ""])` + "\ndef test_x(x): pass\n"),
		want: outcomesOf(`test_x[a b]`, "passed", `test_x[c::d]`, "passed", `test_x[e\nf]`, "passed", `test_x[g[h]]`, "passed",
			`test_x[za\u017c\xf3\u0142\u0107]`, "passed", `test_x[\U0001f98a]`, "passed", `test_x[i/j]`, "passed", `test_x[\\]`, "passed",
			`test_x["]`, "passed", `test_x[]`, "passed"),
		status: event.OK,
	},
	"odd ids, not escaped": {
		files: map[string]string{
			"pytest.ini": "[pytest]\ndisable_test_id_escaping_and_forfeit_all_rights_to_community_support = True\n",
			"test_a.py":  "import pytest\n@pytest.mark.parametrize('x', ['zażółć', '\U0001F98A', 'new\\nline'])\ndef test_x(x): pass\n",
		},
		want:   outcomesOf("test_x[zażółć]", "passed", "test_x[\U0001F98A]", "passed", "test_x[new\nline]", "passed"),
		status: event.OK,
	},
	"syntax error": {
		files:  map[string]string{"test_a.py": "def test_never(:\n", "test_b.py": "def test_good(): pass\n"},
		want:   map[string]event.Outcome{"test_b.py::test_good": event.NotRun},
		status: event.Bad, exit: 1,
		texts: map[string]string{"test_b.py::test_good": "Interrupted: 1 error during collection"},
	},
	"missing import": {
		files: one("import a_library_that_is_nowhere\ndef test_never(): pass\n"), want: outcomesOf(), status: event.Bad, exit: 1,
	},
	"collection error, and on": {
		files: map[string]string{"test_a.py": "1 / 0\n", "test_b.py": "def test_good(): pass\n"}, args: []string{"--continue-on-collection-errors"},
		want: map[string]event.Outcome{"test_b.py::test_good": event.Passed}, status: event.Bad, exit: 1,
	},
	"broken conftest": {
		files:  map[string]string{"conftest.py": "import a_library_that_is_nowhere\n", "test_a.py": "def test_never(): pass\n"},
		want:   outcomesOf(),
		status: event.Broken, code: "test.conftest_failed", exit: 1,
	},
	"a file skips itself": {
		files: map[string]string{
			"test_a.py": "import pytest\npytest.skip('no gpu', allow_module_level=True)\n",
			"test_b.py": "def test_good(): pass\n",
		},
		want:   map[string]event.Outcome{"test_a.py": event.Skipped, "test_b.py::test_good": event.Passed},
		status: event.OK, texts: map[string]string{"test_a.py": "no gpu"},
	},
	"all files skip themselves": {
		files:  one("import pytest\npytest.importorskip('a_library_that_is_nowhere')\n"),
		want:   map[string]event.Outcome{"test_a.py": event.Skipped},
		status: event.Bad, code: "test.none_collected", exit: 1,
	},
	"nothing collected": {
		files: one("def helper(): pass\n"), want: outcomesOf(), status: event.Bad, code: "test.none_collected", exit: 1,
	},
	"nothing collected, as allowed": {
		files: one("def helper(): pass\n"), want: outcomesOf(), empty: true, status: event.OK,
	},
	"nothing selected": {
		files: one("def test_x(): pass\n"), args: []string{"-k", "nothing"}, want: outcomesOf(),
		status: event.Bad, code: "test.none_collected", exit: 1,
	},
	"only collected": {
		files: one("def test_x(): pass\ndef test_y(): pass\n"), args: []string{"--co"},
		want:   outcomesOf("test_x", "not_run", "test_y", "not_run"),
		status: event.OK, texts: map[string]string{"test_a.py::test_x": "only collected, as asked"},
	},
	"stop at the first failure": {
		files:  one("def test_x(): assert 0\ndef test_y(): pass\n"),
		args:   []string{"-x"},
		want:   outcomesOf("test_x", "failed", "test_y", "not_run"),
		status: event.Bad, exit: 1, texts: map[string]string{"test_a.py::test_y": "stopping after 1 failures"},
	},
	"stop at the second failure": {
		files: one("def test_w(): assert 0\ndef test_x(): pass\ndef test_y(): assert 0\ndef test_z(): pass\n"), args: []string{"--maxfail=2"},
		want:   outcomesOf("test_w", "failed", "test_x", "passed", "test_y", "failed", "test_z", "not_run"),
		status: event.Bad, exit: 1, texts: map[string]string{"test_a.py::test_z": "stopping after 2 failures"},
	},
	"stopped although nothing failed": {
		files: map[string]string{
			"conftest.py": "def pytest_runtest_teardown(item): item.session.shouldfail = 'enough'\n",
			"test_a.py":   "def test_x(): pass\ndef test_y(): pass\n",
		},
		want:   outcomesOf("test_x", "passed", "test_y", "not_run"),
		status: event.Bad, code: "test.exit_mismatch", exit: 1,
	},
	"stopped by a plugin, as --stepwise does": {
		files: map[string]string{
			"conftest.py": "def pytest_runtest_teardown(item): item.session.shouldstop = 'enough'\n",
			"test_a.py":   "def test_x(): assert 0\ndef test_y(): pass\n",
		},
		want:   outcomesOf("test_x", "failed", "test_y", "not_run"),
		status: event.Bad, code: "test.stopped", exit: 1,
	},
	"stop at the first failure, as xdist does": {
		files: map[string]string{
			"conftest.py": "def pytest_runtest_teardown(item): item.session.shouldstop = 'stopping after 1 failures'\n",
			"test_a.py":   "def test_x(): assert 0\ndef test_y(): pass\n",
		},
		want:   outcomesOf("test_x", "failed", "test_y", "not_run"),
		status: event.Bad, exit: 1,
	},
	"asked for twice": {
		files: one("def test_x(): pass\ndef test_y(): assert 0\n"), args: []string{"--keep-duplicates", "test_a.py", "test_a.py"},
		want:   outcomesOf("test_x", "passed", "test_y", "failed"),
		status: event.Bad, exit: 1, texts: map[string]string{"test_a.py::test_x": "attempt 2", "test_a.py::test_y": "attempt 2: assert 0"},
	},
	"pytest.exit in a test": {
		files:  one("import pytest\ndef test_x(): pytest.exit('enough', returncode=0)\ndef test_y(): pass\n"),
		want:   outcomesOf("test_x", "not_run", "test_y", "not_run"),
		status: event.Bad, code: "test.exit_mismatch", exit: 1,
	},
	"KeyboardInterrupt in a test": {
		files:  one("def test_x(): raise KeyboardInterrupt\ndef test_y(): pass\n"),
		want:   outcomesOf("test_x", "not_run", "test_y", "not_run"),
		status: event.Bad, code: "test.stopped", exit: 1,
	},
	"sys.exit in a test": {
		files:  one("import sys\ndef test_x(): sys.exit(0)\ndef test_y(): pass\n"),
		want:   outcomesOf("test_x", "failed", "test_y", "passed"),
		status: event.Bad, exit: 1,
	},
	"unknown option": {
		files: one("def test_x(): pass\n"), args: []string{"--no-such-option"}, want: outcomesOf(),
		status: event.Broken, code: "test.usage", exit: 2,
	},
	"unknown file": {
		files: one("def test_x(): pass\n"), args: []string{"no_such_file.py"}, want: outcomesOf(),
		status: event.Broken, code: "test.usage", exit: 2,
	},
}

func TestEveryAnimalOfTheZooIsReportedAsItIs(t *testing.T) {
	for house, animals := range map[string]map[string]animal{"gentle": gentle, "hostile": hostile, "hooked": hooked} {
		for name, a := range animals {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, a.files)
				w.unit.Args, w.unit.AllowEmpty = a.args, a.empty
				r := w.run(t.Context())
				a.check(t, r)
				if house != "hostile" { // plain pytest does not survive those
					w.asPlain(t, name, a, r)
				}
			})
		}
	}
}

// check compares what was told of a with what it is.
func (a animal) check(t *testing.T, r result) {
	t.Helper()
	if got := r.outcomes(); !maps.Equal(got, a.want) {
		t.Errorf("outcomes\n got %v\nwant %v", got, a.want)
	}
	if r.Status != a.status || r.code() != a.code || r.exit != a.exit {
		t.Errorf("got %s, %q, exit %d, want %s, %q, exit %d", r.Status, r.code(), r.exit, a.status, a.code, a.exit)
	}
	for id, want := range a.texts {
		if got := r.of(id).Text; got != want {
			t.Errorf("%s: text is %q, want %q", id, got, want)
		}
	}
}
