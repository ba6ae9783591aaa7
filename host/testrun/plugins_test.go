//go:build pytestplugins

package testrun_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report/reporttest"
)

// These tests need Python with the plugins below, and pytest-forked where pytest is
// older than 9, with which it fails by itself. .ci/bootstrap full makes several such
// environments, from .ci/pytest. The zoo holds stand-ins that behave the same.

// plugins are the distributions of which each has to be there.
var plugins = []string{"pytest-asyncio", "pytest-cov", "pytest-django", "pytest-rerunfailures", "pytest-timeout", "pytest-xdist"}

// withPlugins fails the test, and does not skip it, unless all plugins are there.
func withPlugins(t *testing.T) {
	t.Helper()
	script := "import importlib.metadata, sys\nfor name in sys.argv[1:]: print(name, importlib.metadata.version(name))"
	out, err := exec.CommandContext(t.Context(), python(t), append([]string{"-c", script}, plugins...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("these tests need the plugins of .ci/pytest: %v\n%s", err, out)
	}
}

// used is tests that use a plugin.
type used struct {
	files map[string]string
	args  []string
	says  string // what a plugin that is active makes pytest print
	cases int
	ok    bool
}

// flaky passes at the third attempt, fails in its fixture once, or always fails.
const flaky = `
import pytest
tries = []
def test_flaky():
    tries.append(1)
    assert len(tries) > 2
setups = []
@pytest.fixture
def slow_db():
    setups.append(1)
    if len(setups) < 2: raise RuntimeError("not yet")
def test_setup(slow_db): pass
def test_hopeless(): assert 0
@pytest.mark.flaky(reruns=1)
def test_marked(): assert 0
def test_good(): pass
@pytest.mark.xfail
def test_known(): assert 0
`

// hooking is a conftest.py with every hook that wr's plugin has as well.
const hooking = `
import pytest
seen = []
def pytest_configure(config): config.addinivalue_line("markers", "slow: as the project says")
def pytest_sessionstart(session): seen.append("start")
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    seen.append(item.nodeid)
    yield
@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item): item.user_properties.append(("seen", True))
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config, items):
    yield
    items.reverse()
    gone = [item for item in items if "gone" in item.name]
    items[:] = [item for item in items if item not in gone]
    config.hook.pytest_deselected(items=gone)
@pytest.hookimpl(tryfirst=True)
def pytest_deselected(items): seen.append(len(items))
@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session): session.items.sort(key=lambda item: item.name)
@pytest.hookimpl(tryfirst=True)
def pytest_collectreport(report): pass
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid, location): pass
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report): report.sections.append(("Captured stdout call", "from a hook"))
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logfinish(nodeid, location): pass
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if "forgiven" in item.name and report.failed: report.outcome = "passed"
def pytest_exception_interact(node, call, report): pass
def pytest_keyboard_interrupt(excinfo): pass
def pytest_internalerror(excrepr): pass
def pytest_warning_recorded(warning_message): pass
def pytest_terminal_summary(terminalreporter): terminalreporter.write_line("hooked %s" % seen[0])
@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session): pass
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_unconfigure(config): yield
`

func TestPluginsChangeNoOutcome(t *testing.T) {
	withPlugins(t)
	several := map[string]string{"test_a.py": gentle["every outcome"].files["test_a.py"], "sub/test_b.py": flaky}
	for name, u := range map[string]used{
		"all there, none used":   {files: several, says: "plugins: ", cases: 24},
		"xdist":                  {files: several, args: []string{"-n", "2"}, says: "gw0", cases: 24},
		"xdist, by file":         {files: several, args: []string{"-n", "2", "--dist", "loadfile"}, says: "gw0", cases: 24},
		"timeout":                {files: hang("def test_hangs(): threading.Event().wait()"), args: []string{"--timeout=1", "--timeout-method=signal"}, says: "timeout: 1", cases: 3},
		"timeout, by mark":       {files: one("import pytest, time\n@pytest.mark.timeout(1)\ndef test_x(): time.sleep(60)\ndef test_y(): pass\n"), says: "Timeout", cases: 2},
		"rerunfailures":          {files: one(flaky), args: []string{"--reruns", "2"}, says: "rerun", cases: 6},
		"rerunfailures, by mark": {files: one(flaky), says: "1 rerun", cases: 6},
		"rerunfailures in xdist": {files: one(flaky), args: []string{"--reruns", "2", "-n", "1"}, says: "rerun", cases: 6},
		"cov": {
			files: map[string]string{"m.py": "def f():\n    return 1\n", "test_a.py": "import m\ndef test_x(): assert m.f() == 1\n"},
			args:  []string{"--cov=m", "--cov-branch"}, says: "m.py", cases: 1, ok: true,
		},
		"asyncio": {
			files: one("import asyncio, pytest\npytestmark = pytest.mark.asyncio\nasync def test_x(): await asyncio.sleep(0)\n" +
				"async def test_y(): assert await asyncio.sleep(0, 1) == 2\n@pytest.mark.xfail\nasync def test_z(): assert 0\n"),
			says: "asyncio", cases: 3,
		},
		"django": {
			files: map[string]string{
				"pytest.ini":  "[pytest]\nDJANGO_SETTINGS_MODULE = settings\n",
				"settings.py": "SECRET_KEY = 'x'\nINSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth']\nDATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n",
				"test_a.py": "import pytest\nfrom django.test import TestCase\nfrom django.contrib.auth.models import User\n" +
					"@pytest.mark.django_db\ndef test_x(): assert User.objects.count() == 0\ndef test_denied(): User.objects.count()\n" +
					"def test_client(client): client.get('/')\n@pytest.mark.django_db\n@pytest.mark.xfail\ndef test_xfail(): assert User.objects.exists()\n" +
					"class TestUsers(TestCase):\n    def test_made(self):\n        User.objects.create(username='a')\n        assert User.objects.count() == 1\n    def test_bad(self): self.assertEqual(User.objects.count(), 1)\n",
			},
			says: "settings", cases: 6,
		},
		"hooks of a conftest": {
			files: map[string]string{"conftest.py": hooking, "test_a.py": several["test_a.py"] + "def test_gone(): pass\ndef test_forgiven(): assert 0\n", "sub/test_b.py": flaky},
			says:  "hooked start", cases: 25,
		},
		"hooks of a conftest, in xdist": {
			files: map[string]string{"conftest.py": hooking, "test_a.py": several["test_a.py"] + "def test_forgiven(): assert 0\n"},
			args:  []string{"-n", "2"}, says: "hooked start", cases: 19,
		},
		"strict markers": {
			files: map[string]string{"pytest.ini": "[pytest]\nmarkers =\n    mine: of the project\n", "test_a.py": "import pytest\n@pytest.mark.mine\ndef test_x(): pass\n@pytest.mark.parametrize('x', [1])\ndef test_y(x): assert 0\n"},
			args:  []string{"--strict-markers"}, says: "2 items", cases: 2,
		},
		"strict markers, and one that nobody knows": {
			files: map[string]string{"test_a.py": "import pytest\n@pytest.mark.nobodys\ndef test_x(): pass\n", "test_b.py": "def test_y(): pass\n"},
			args:  []string{"--strict-markers"}, says: "nobodys", cases: 1,
		},
		"all at once": {
			files: several, args: []string{"-n", "2", "--reruns", "1", "--timeout", "60", "--cov=.", "--strict-markers"},
			says: "gw0", cases: 24,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u.check(t)
		})
	}
}

// check runs u with wr's plugin and without.
func (u used) check(t *testing.T) {
	t.Helper()
	w := newWorld(t, u.files)
	w.unit.Args = u.args
	r := w.run(t.Context())
	plain, exit := w.plainly()
	ours := r.cases()
	if diff := reporttest.Diff(plain, ours); diff != "" || len(plain) != u.cases {
		t.Errorf("plain pytest has %d cases, want %d; they differ in\n%s", len(plain), u.cases, diff)
	}
	if ok := r.Status == event.OK; ok != u.ok || (exit == 0) != u.ok {
		t.Errorf("wr ended as %s and plain pytest with %d, want passed: %v", r.Status, exit, u.ok)
	}
	if !strings.Contains(r.log, u.says) {
		t.Errorf("the plugin is not active, nothing says %q", u.says)
	}
	for _, name := range plugins {
		if short := strings.TrimPrefix(name, "pytest-") + "-"; !strings.Contains(r.log, short) {
			t.Errorf("%s is not among the plugins of the session", name)
		}
	}
}

// pytestVersion is the major version of pytest.
func pytestVersion(t *testing.T) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), python(t), "-c", "import pytest; print(pytest.__version__.split('.')[0])").Output()
	if err != nil {
		t.Fatal(err)
	}
	version, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func TestRealPluginsAreUnderstood(t *testing.T) {
	many := map[string]event.Outcome{}
	for n := range 40 {
		many[fmt.Sprintf("test_a.py::test_x[%d]", n)] = event.Passed
	}
	cases := map[string]animal{
		"xdist": {
			files: one("import pytest\n@pytest.mark.parametrize('n', range(40))\ndef test_x(n): pass\n"), args: []string{"-n", "2"},
			want: many, status: event.OK,
		},
		"xdist, failing": {
			files: map[string]string{"test_a.py": "def test_x(): pass\ndef test_y(): assert 0\n", "test_b.py": "1 / 0\n"},
			args:  []string{"-n", "2", "--continue-on-collection-errors"},
			want:  outcomesOf("test_x", "passed", "test_y", "failed"), status: event.Bad, exit: 1,
		},
		"xdist, nested left out": {
			files: map[string]string{"test_a.py": "def test_x(): pass\n", "nested/test_n.py": "def test_n(): pass\n"},
			args:  []string{"-n", "2"}, want: outcomesOf("test_x", "passed"), status: event.OK,
		},
		"xdist, a worker dies": {
			files: one("import os\ndef test_x(): os._exit(3)\ndef test_y(): pass\n"), args: []string{"-n", "1"},
			want: outcomesOf("test_x", "errored", "test_y", "passed"), status: event.Bad, exit: 1,
		},
		"forked": {
			files: one("import os\ndef test_x(): os.kill(os.getpid(), 9)\ndef test_y(): pass\ndef test_z(): assert 0\n"), args: []string{"--forked"},
			want: outcomesOf("test_x", "errored", "test_y", "passed", "test_z", "failed"), status: event.Bad, exit: 1,
		},
		"rerunfailures": {
			files: one("tries = []\ndef test_x():\n    tries.append(1)\n    assert len(tries) > 2\ndef test_y(): assert 0\n"), args: []string{"--reruns", "2"},
			want: outcomesOf("test_x", "passed", "test_y", "failed"), status: event.Bad, exit: 1,
			texts: map[string]string{"test_a.py::test_x": "attempt 3", "test_a.py::test_y": "attempt 3: assert 0"},
		},
		"cov, below its threshold": {
			files: map[string]string{"m.py": "def f():\n    return 1\n    return 2\n", "test_a.py": "import m\ndef test_x(): pass\n"},
			args:  []string{"--cov=m", "--cov-fail-under=100"},
			want:  outcomesOf("test_x", "passed"), status: event.Bad, code: "test.exit_mismatch", exit: 1,
		},
	}
	if pytestVersion(t) >= 9 {
		delete(cases, "forked")
	}
	for name, a := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, a.files)
			w.unit.Args, w.unit.Nested = a.args, []string{w.unit.Dir + "/nested"}
			a.check(t, w.run(t.Context()))
		})
	}
}

func TestPluginCoverageIsThatOfAllProcessesTogether(t *testing.T) {
	for _, args := range [][]string{{"--cov=m", "--cov-fail-under=100"}, {"--cov=m", "--cov-fail-under=100", "-n2"}} {
		w := newWorld(t, map[string]string{
			"m.py":      "def f(x):\n    if x:\n        return 1\n    return 2\n",
			"test_a.py": counted + "import m\ndef test_1(): assert m.f(1) == 1\ndef test_2():\n    assert m.f(0) == 2\n    assert tries('two') > 1\n",
		})
		w.unit.Args = args
		w.limit(plan.Policy{Reruns: plan.Reruns{Any: 1}})
		if r := w.run(t.Context()); r.Status != event.OK || r.processes() != 2 {
			t.Errorf("%v: %s, %v, in %d processes", args, r.Status, r.Fault, r.processes())
		}
	}
}

func TestThePluginRerunfailuresIsLeftToRunFailuresAgain(t *testing.T) {
	w := newWorld(t, one("def test_x(): assert 0\n"))
	w.unit.Args = []string{"--reruns=2"}
	w.limit(plan.Policy{Reruns: plan.Reruns{Any: 1}})
	r := w.run(t.Context())
	warned := slices.ContainsFunc(r.texts(event.Warning), func(text string) bool { return strings.HasPrefix(text, "pytest-rerunfailures is set to") })
	if got := r.attempts("test_a.py::test_x"); got != "1 failed, 2 failed, failed" || r.processes() != 1 || !warned {
		t.Errorf("%s, in %d processes, warned: %v", got, r.processes(), warned)
	}
}

func TestATimeoutOfThePluginsOwnComesFirst(t *testing.T) {
	for method, want := range map[string]event.Outcome{"signal": event.Failed, "thread": event.Errored} {
		w := newWorld(t, hang("def test_hangs(): threading.Event().wait()"))
		w.unit.Args = []string{"--timeout=1", "--timeout-method=" + method}
		w.limit(plan.Policy{Timeout: 20 * time.Second})
		r := w.run(t.Context())
		if e := r.of("test_a.py::test_hangs"); e.Outcome != want || strings.Contains(e.Text, "longer than 20s") || r.of("test_a.py::test_after").Outcome != event.Passed {
			t.Errorf("%s: %s, %q", method, e.Outcome, e.Text)
		}
	}
}
