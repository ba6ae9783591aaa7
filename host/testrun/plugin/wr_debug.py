"""Lets a person look into tests while pytest runs them.

PYTEST_DONT_REWRITE: there is no assertion in here, and rewriting costs time.

Loaded with ``-p wr_debug`` after wr_pytest, and told how by the same file. Has one
process run all tests, since only one can have the terminal, or the port.

Works with Python >= 3.8 and pytest >= 6; needs nothing else, but for debugpy
where that is asked for.
"""

import json
import os
import shutil
import signal
import socket
import termios
import threading

import pytest
from _pytest.config import create_terminal_writer

# The exit code of a shell after which no test is to follow. Why no usual one:
# exit without a number, or Ctrl-D, gives that of the last command.
_STOP = 99


@pytest.hookimpl(hookwrapper=True)
def pytest_cmdline_main(config):
    """Keeps pytest-xdist, if it is there, from distributing."""
    for name, off in (("numprocesses", None), ("distload", False), ("dist", "no"), ("tx", [])):
        if hasattr(config.option, name):
            setattr(config.option, name, off)
    yield


def pytest_configure(config):
    with open(os.environ["WR_PYTEST"], encoding="utf-8") as f:
        debug = json.load(f)["debug"]
    if debug.get("shell"):
        config.pluginmanager.register(_Shells(config), "wr_shells")
    if debug.get("port"):
        _wait(config, debug["port"])


def _wait(config, port):
    """Waits until an editor has attached."""
    try:
        import debugpy
    except ImportError as err:
        raise pytest.UsageError("wr: debugpy is missing: %s" % err)
    try:
        debugpy.listen(("127.0.0.1", port))
    except Exception as err:
        raise pytest.UsageError("wr: debugpy cannot listen: %s" % err)
    config.pluginmanager.getplugin("wr_recorder").debugger()
    over, gone = threading.Event(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(debugpy, port, over, gone), daemon=True)
    watcher.start()
    try:
        debugpy.wait_for_client()
    finally:
        over.set()
        watcher.join()
    if gone.is_set():
        raise pytest.UsageError("wr: debugpy has ended: nobody listens on port %d any more" % port)


def _watch(debugpy, port, over, gone):
    """Ends the waiting when there is nobody left to attach to.

    Why it can come to that: debugpy listens in a process of its own, which ends when
    several clients have hung up without a word, as those do that look for open ports.
    """
    missed = 0
    while not over.wait(0.5):
        missed = 0 if _listens(port) else missed + 1
        if missed > 1:
            gone.set()
            debugpy.wait_for_client.cancel()
            return


def _listens(port):
    """Whether somebody listens on a port, found out without a connection."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


class _Shells:
    """Opens a shell where a case has failed, before its fixtures are torn down.

    It is on the terminal, whatever pytest captures and tests do to descriptors. All
    that tests like to replace is fetched before the first of them.
    """

    def __init__(self, config):
        self._config = config
        self._pid, self._getpid = os.getpid(), os.getpid
        self._spawn, self._wait = os.posix_spawn, os.waitpid
        self._open, self._close = os.open, os.close
        self._signal = signal.signal
        self._usual = shutil.which("bash") or shutil.which("sh")

    @pytest.hookimpl(trylast=True)
    def pytest_exception_interact(self, node, report):
        if not isinstance(node, pytest.Item) or self._getpid() != self._pid:
            return
        tty = self._open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            self._tell(tty, node, report)
            status = self._run(tty, dict(os.environ, **_names(node)))
        finally:
            self._close(tty)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _STOP:
            pytest.exit("wr: the shell ended with %d" % _STOP)

    def _tell(self, tty, node, report):
        """Shows the failure as pytest does before pdb, and what can be typed."""
        with open(tty, "w", encoding="utf-8", errors="replace", closefd=False) as screen:
            tw = create_terminal_writer(self._config, screen)
            tw.line()
            for name, text in (("stdout", report.capstdout), ("stderr", report.capstderr), ("log", report.caplog)):
                if text and self._config.option.showcapture in (name, "all"):
                    tw.sep(">", "captured " + name)
                    tw.line(text.rstrip("\n"))
            tw.sep(">", "traceback")
            report.toterminal(tw)
            tw.sep(">", "a shell after the %s of %s" % (report.when, node.name))
            tw.line("exit: go on; exit %d: run no further tests; $WR_TEST is the test, $WR_TEST_FILE its file" % _STOP)

    def _run(self, tty, env):
        """Runs a shell in the foreground, and has the terminal back as it was."""
        # Ctrl-C is for the shell, and taking the terminal back is no misuse of it.
        ours = (signal.SIGINT, signal.SIGQUIT, signal.SIGTTOU)
        before = termios.tcgetattr(tty)
        handlers = [(number, self._signal(number, signal.SIG_IGN)) for number in ours]
        try:
            shell = _usable(env.get("SHELL")) or self._usual
            child = self._spawn(
                shell, [shell], env,
                file_actions=[(os.POSIX_SPAWN_DUP2, tty, fd) for fd in (0, 1, 2)],
                setsigdef=ours + (signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores the last two
            )
            return self._wait(child, 0)[1]
        finally:
            os.tcsetpgrp(tty, os.getpgrp())
            termios.tcsetattr(tty, termios.TCSADRAIN, before)
            for number, handler in handlers:
                self._signal(number, signal.SIG_DFL if handler is None else handler)


def _usable(shell):
    return shell if shell and os.path.isabs(shell) and os.access(shell, os.X_OK) else None


def _names(item):
    """The variables that name a case; its id is that of wr, from where pytest was started."""
    config = item.config
    file, colons, rest = item.nodeid.partition("::")
    path = os.path.join(str(getattr(config, "rootpath", None) or config.rootdir), file)
    here = os.path.relpath(path, str(config.invocation_params.dir))
    return {"WR_TEST": here + colons + rest, "WR_TEST_FILE": path}
