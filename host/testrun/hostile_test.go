package testrun_test

import "github.com/wr-build/wr/host/event"

// hostile is tests that do to their process what they should not.
var hostile = map[string]animal{
	"os._exit in a fixture": {
		files: one(`
import os, pytest
@pytest.fixture
def exits(): os._exit(0)
def test_before(): pass
def test_exits(exits): pass
def test_after(): pass
`),
		want:   outcomesOf("test_before", "passed", "test_exits", "errored", "test_after", "passed"),
		status: event.Bad, exit: 1,
		texts: map[string]string{
			"test_a.py::test_exits": "its process died: exit code 0 in the middle of the case",
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
		want:   outcomesOf("test_before", "passed", "test_kills", "errored", "test_after", "passed"),
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
def test_closes(tmp_path, request):
    other = os.open(str(tmp_path / "other"), os.O_CREAT | os.O_RDWR)
    for fd in range(3, min(2000, resource.getrlimit(resource.RLIMIT_NOFILE)[0])):
        if fd != other:
            try: os.dup2(other, fd)
            except OSError: pass  # the kernel has plans for this number
    ours = request.config.pluginmanager.get_plugin("wr_recorder")._facts._fd
    assert os.path.samestat(os.fstat(ours), os.fstat(other))
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
	"removes the file of facts": {
		files: one(`
import json, os
def test_removes():
    os.unlink(json.load(open(os.environ["WR_PYTEST"]))["events"])
def test_after(): assert 0
`),
		want: outcomesOf("test_removes", "passed", "test_after", "failed"), status: event.Bad, exit: 1,
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
}
