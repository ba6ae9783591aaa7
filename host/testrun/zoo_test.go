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

var zoo = map[string]animal{
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
			"TestUnit::test_ok", "passed", "TestUnit::test_bad", "failed", "TestUnit::test_old", "skipped", "TestUnit::test_expected", "xfailed"),
		status: event.Bad, exit: 1,
		texts: map[string]string{
			"test_a.py::test_fail": "assert 1 == 2", "test_a.py::test_skip": "not today", "test_a.py::test_mark": "never",
			"test_a.py::test_xfail": "known", "test_a.py::test_setup": "setup: RuntimeError: no db",
			"test_a.py::test_teardown": "teardown: RuntimeError: still open", "test_a.py::test_xpass": "fixed",
			"test_a.py::test_both": "AssertionError: first\nassert 0", "test_a.py::test_xfail_call": "in the middle",
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
		texts: map[string]string{"test_b.py::test_good": "pytest stopped before: Interrupted: 1 error during collection"},
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
		status: event.Bad, exit: 1, texts: map[string]string{"test_a.py::test_y": "pytest stopped before: stopping after 1 failures"},
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
	"os._exit in a fixture": {
		files: one(`
import os, pytest
@pytest.fixture
def exits(): os._exit(0)
def test_before(): pass
def test_exits(exits): pass
def test_after(): pass
`),
		want:   outcomesOf("test_before", "passed", "test_exits", "errored", "test_after", "not_run"),
		status: event.Bad, exit: 1,
		texts: map[string]string{
			"test_a.py::test_exits": "its process died: exit code 0 in the middle of the case",
			"test_a.py::test_after": "the process died in test_a.py::test_exits: exit code 0",
		},
	},
	"os._exit after the last test": {
		files: map[string]string{
			"conftest.py": "import os\ndef pytest_sessionfinish(): os._exit(0)\n", "test_a.py": "def test_x(): pass\n",
		},
		want:   outcomesOf("test_x", "passed"),
		status: event.Bad, code: "test.process_died", exit: 1,
	},
	"kills itself": {
		files: one(`
import os, signal
def test_before(): pass
def test_kills(): os.kill(os.getpid(), signal.SIGKILL)
def test_after(): pass
`),
		want:   outcomesOf("test_before", "passed", "test_kills", "errored", "test_after", "not_run"),
		status: event.Bad, exit: 1,
		texts: map[string]string{"test_a.py::test_kills": "its process died: signal 9 (SIGKILL)"},
	},
	"dies in teardown of a failure": {
		files: one(`
import os, signal, pytest
@pytest.fixture
def f():
    yield
    os.kill(os.getpid(), signal.SIGSEGV)
def test_x(f): assert 0, "this must be seen"
`),
		want:   outcomesOf("test_x", "errored"),
		status: event.Bad, exit: 1,
		texts: map[string]string{"test_a.py::test_x": "its process died: signal 11 (SIGSEGV)"},
	},
	"forks and raises in the child": {
		files: one(`
import os
def test_forks():
    pid = os.fork()
    if pid == 0:
        raise RuntimeError("in the child")
    _, status = os.waitpid(pid, 0)
    assert os.WEXITSTATUS(status) == 1
def test_forks_and_returns():
    pid = os.fork()
    if pid:
        assert os.waitpid(pid, 0)[1] == 0
def test_interrupts_the_child():
    pid = os.fork()
    if pid == 0:
        raise KeyboardInterrupt
    assert os.waitpid(pid, 0)[1] != 0
def test_after(): pass
`),
		want:   outcomesOf("test_forks", "passed", "test_forks_and_returns", "passed", "test_interrupts_the_child", "passed", "test_after", "passed"),
		status: event.OK,
	},
	"forks while it is collected": {
		files:  one("import os\nif os.fork(): os.wait()\ndef test_x(): pass\n"),
		want:   outcomesOf("test_x", "passed"),
		status: event.OK,
	},
	"starts a daemon": {
		files: one(`
import os, time
def test_daemon():
    if os.fork() == 0:
        os.setsid()
        os.closerange(0, 1024)
        time.sleep(0.2)
        os._exit(0)
def test_after(): pass
`),
		want: outcomesOf("test_daemon", "passed", "test_after", "passed"), status: event.OK,
	},
	"puts a file in place of every descriptor": {
		files: one(`
import os, resource
def test_closes(tmp_path):
    other = os.open(str(tmp_path / "other"), os.O_CREAT | os.O_RDWR)
    for fd in range(3, min(2000, resource.getrlimit(resource.RLIMIT_NOFILE)[0])):
        if fd != other:
            os.dup2(other, fd)
def test_nothing_of_ours_was_written_there(tmp_path):
    assert (tmp_path.parent / "test_closes0" / "other").stat().st_size == 0
def test_after(): assert 0
`),
		args: []string{"-s"},
		want: outcomesOf("test_closes", "passed", "test_nothing_of_ours_was_written_there", "passed", "test_after", "failed"), status: event.Bad, exit: 1,
	},
	"closes every descriptor": {
		files:  one("import os\ndef test_closes(): os.closerange(3, 65536)\ndef test_after(): pass\n"),
		args:   []string{"-s"},
		want:   outcomesOf("test_closes", "passed", "test_after", "passed"),
		status: event.Bad, code: "test.exit_mismatch", exit: 1, // pytest itself cannot close its log
	},
	"closes every descriptor while pytest captures": {
		files:  one("import os\ndef test_closes(): os.closerange(3, 65536)\ndef test_after(): pass\n"),
		want:   outcomesOf("test_closes", "failed", "test_after", "errored"), // of pytest's own capture
		status: event.Bad, exit: 1,
	},
	"uses up all descriptors": {
		files: one(`
import os, resource
held = []
def test_exhausts():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    os.closerange(600, 2000)  # the plugin's is among them
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
def test_meanwhile(): pass
def test_gives_back():
    for fd in held: os.close(fd)
def test_after(): pass
`),
		args:   []string{"-s"},
		want:   outcomesOf("test_exhausts", "passed", "test_meanwhile", "passed", "test_gives_back", "passed", "test_after", "passed"),
		status: event.OK,
	},
	"replaces the clock, open, os and json": {
		files: one(`
import builtins, json, os, time
def test_patches(monkeypatch):
    def no(*a, **k): raise RuntimeError("patched")
    for name in ("open", "write", "fstat", "getpid", "close"):
        monkeypatch.setattr(os, name, no)
    monkeypatch.setattr(builtins, "open", no)
    monkeypatch.setattr(json, "dumps", no)
    monkeypatch.setattr(json.JSONEncoder, "encode", no)
    monkeypatch.setattr(time, "time", no)
    import sys
    module = sys.modules["wr_pytest"]
    for name, value in vars(module).copy().items():
        if name in ("os", "json", "fcntl"):
            monkeypatch.setattr(module, name, None)
    assert 0
def test_leaves_them_so():
    os.write = os.fstat = None
    json.JSONEncoder.encode = None
def test_after(): assert 0
`),
		args:   []string{"-s"},
		want:   outcomesOf("test_patches", "failed", "test_leaves_them_so", "passed", "test_after", "failed"),
		status: event.Bad, exit: 1,
	},
	"changes the directory, removes it, changes umask": {
		files: one(`
import os
def test_goes(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(str(gone))
    os.umask(0o777)
    gone.rmdir()
def test_after(): pass
`),
		want: outcomesOf("test_goes", "passed", "test_after", "passed"), status: event.OK,
	},
	"writes fail in the middle": {
		files: map[string]string{
			"conftest.py": `
import errno, pytest
@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    facts = config.pluginmanager.get_plugin("wr_recorder")._facts
    write, calls = facts._write, []
    def torn(fd, data):
        calls.append(1)
        if len(calls) % 3 == 0:
            write(fd, data[:len(data) // 2])
            raise OSError(errno.EINTR, "in the middle")
        if len(calls) % 3 == 1:
            return write(fd, data[:7])
        return write(fd, data)
    facts._write = torn
def pytest_internalerror(): return True
`,
			"test_a.py": "def test_x(): pass\ndef test_y(): assert 0\ndef test_z(): pass\n",
		},
		want: outcomesOf("test_x", "passed", "test_y", "failed", "test_z", "passed"), status: event.Bad, exit: 1,
	},
	"a plugin fails the session": {
		files: map[string]string{
			"conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 1\n", "test_a.py": "def test_x(): pass\n",
		},
		want: outcomesOf("test_x", "passed"), status: event.Bad, code: "test.exit_mismatch", exit: 1,
	},
	"a plugin hides failures": {
		files: map[string]string{
			"conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 0\n", "test_a.py": "def test_x(): assert 0\n",
		},
		want: outcomesOf("test_x", "failed"), status: event.Bad, code: "test.exit_mismatch", exit: 1,
	},
	"the process changes its mind": {
		files: map[string]string{
			"conftest.py": "import atexit, os\natexit.register(os._exit, 7)\n", "test_a.py": "def test_x(): pass\n",
		},
		want: outcomesOf("test_x", "passed"), status: event.Bad, code: "test.exit_mismatch", exit: 1,
	},
	"pytest itself fails": {
		files: map[string]string{
			"conftest.py": "def pytest_runtest_logstart(nodeid):\n    if nodeid.endswith('y'): raise RuntimeError('in a hook')\n",
			"test_a.py":   "def test_x(): pass\ndef test_y(): pass\ndef test_z(): pass\n",
		},
		want:   outcomesOf("test_x", "passed", "test_y", "errored", "test_z", "not_run"),
		status: event.Bad, code: "test.internal_error", exit: 1,
		texts: map[string]string{"test_a.py::test_y": "pytest itself failed: RuntimeError: in a hook"},
	},
	"the same hooks in a conftest, strict markers, no terminal": {
		files: map[string]string{
			"conftest.py": `
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report): pass
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid, location): pass
def pytest_collection_modifyitems(items): items.reverse()
def pytest_unconfigure(config): pass
`,
			"test_a.py": "def test_x(): pass\ndef test_y(): assert 0\n",
		},
		args: []string{"--strict-markers", "-p", "no:terminal"},
		want: outcomesOf("test_x", "passed", "test_y", "failed"), status: event.Bad, exit: 1,
	},
	"subtests": {
		files: one(`
import unittest
class TestSub(unittest.TestCase):
    def test_one_of_three_fails(self):
        for n in range(3):
            with self.subTest(n=n): self.assertNotEqual(n, 1)
    def test_all_pass(self):
        for n in range(3):
            with self.subTest(n=n): pass
    def test_one_is_skipped(self):
        for n in range(2):
            with self.subTest(n=n):
                if n: self.skipTest("not this one")
`),
		want:   outcomesOf("TestSub::test_one_of_three_fails", "failed", "TestSub::test_all_pass", "passed", "TestSub::test_one_is_skipped", "passed"),
		status: event.Bad, exit: 1,
	},
	"workers collect and report in parallel": {
		files:  map[string]string{"conftest.py": workers, "test_a.py": "def test_x(): pass\n"},
		want:   outcomesOf("test_x", "passed", "test_y", "failed", "test_z", "errored", "test_never", "not_run"),
		status: event.Bad, exit: 1,
		texts: map[string]string{"test_a.py::test_y": "assert no", "test_a.py::test_z": "worker 'gw0' crashed while running 'test_a.py::test_z'"},
	},
	"a worker": {
		files: map[string]string{
			"wr_worker.py": "def pytest_load_initial_conftests(early_config): early_config.workerinput = {}\n",
			"test_a.py":    "def test_x(): pass\n",
		},
		args: []string{"-p", "wr_worker"}, want: outcomesOf(), status: event.Broken, code: "test.no_session", exit: 3,
	},
	"a plugin tries again": {
		files: map[string]string{"conftest.py": retries, "test_a.py": `
tries = []
def test_flaky():
    tries.append(1)
    assert len(tries) > 2
def test_hopeless(): assert 0
def test_good(): pass
`},
		want:   outcomesOf("test_flaky", "passed", "test_hopeless", "failed", "test_good", "passed"),
		status: event.Bad, exit: 1,
		texts: map[string]string{"test_a.py::test_flaky": "attempt 3", "test_a.py::test_hopeless": "attempt 3: assert 0"},
	},
	"a plugin runs what nobody collected": {
		files: map[string]string{
			"conftest.py": `
import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtestloop(session):
    clone = type(session.items[0]).from_parent(session.items[0].parent, name="test_x", callobj=lambda: None)
    clone._nodeid = "test_a.py::test_guest"
    if hasattr(clone, "_id"):
        from _pytest.nodeid import NodeId
        clone._id = NodeId.parse("test_a.py::test_guest")
    session.items.append(clone)
    yield
`,
			"test_a.py": "def test_x(): pass\n",
		},
		want:   outcomesOf("test_x", "passed", "test_guest", "passed"),
		status: event.Bad, code: "test.unaccounted", exit: 1,
	},
}

// retries is how plugins that rerun failures report: the same case again.
const retries = `
import pytest
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for attempt in range(3):
        item._initrequest()
        last = attempt == 2
        again = False
        for report in runtestprotocol(item, nextitem=nextitem if last else item, log=False):
            again = report.failed and not last
            if again:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
            if again:
                break
        if not again:
            break
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True

def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", "RERUN"
`

// workers is what pytest-xdist does in its controller: it collects nothing and
// passes on what several workers report, in any order.
const workers = `
import pytest
from _pytest.reports import TestReport

class Specs:
    def pytest_xdist_node_collection_finished(self, node, ids): pass

def pytest_addhooks(pluginmanager):
    pluginmanager.add_hookspecs(Specs)

@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    return True

def report(nodeid, when, outcome, longrepr=None):
    return TestReport(nodeid, ("test_a.py", None, nodeid), {}, outcome, longrepr, when, duration=0.5)

@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    hook = session.config.hook
    x, y, z, never = ids = ["test_a.py::test_" + n for n in ("x", "y", "z", "never")]
    for node in ("gw0", "gw1"):
        hook.pytest_xdist_node_collection_finished(node=node, ids=ids)
    session.testscollected = len(ids)
    for nodeid in (x, y):
        hook.pytest_runtest_logstart(nodeid=nodeid, location=("test_a.py", 0, nodeid))
    for when in ("setup", "call", "teardown"):
        hook.pytest_runtest_logreport(report=report(x, when, "passed"))
        hook.pytest_runtest_logreport(report=report(y, when, *(("failed", "assert no") if when == "call" else ("passed",))))
    for nodeid in (y, x):
        hook.pytest_runtest_logfinish(nodeid=nodeid, location=("test_a.py", 0, nodeid))
    hook.pytest_runtest_logstart(nodeid=z, location=("test_a.py", 0, z))
    hook.pytest_runtest_logreport(report=report(z, "???", "failed", "worker 'gw0' crashed while running '%s'" % z))
    hook.pytest_runtest_logfinish(nodeid=z, location=("test_a.py", 0, z))
    session.shouldstop = "enough"
    session.testsfailed = 2
    return True
`

func TestEveryAnimalOfTheZooIsReportedAsItIs(t *testing.T) {
	for name, a := range zoo {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, a.files)
			w.unit.Args, w.unit.AllowEmpty = a.args, a.empty
			r := w.run(t.Context())
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
		})
	}
}
