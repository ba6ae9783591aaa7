package testrun_test

import "github.com/wr-build/wr/host/event"

// hooked is what other plugins do, by the same hooks.
var hooked = map[string]animal{
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
`),
		want:   outcomesOf("TestSub::test_one_of_three_fails", "failed", "TestSub::test_all_pass", "passed"),
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
    if not pluginmanager.hasplugin("xdist"):
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
