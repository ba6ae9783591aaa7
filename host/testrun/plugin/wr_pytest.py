"""Tells wr what pytest does: one JSON line a fact, in an append-only file.

PYTEST_DONT_REWRITE: there is no assertion in here, and rewriting costs time.

Loaded with ``-p wr_pytest`` and told where to write by the JSON file that the
environment variable WR_PYTEST names. Without that variable it does nothing. Where
people run pytest themselves it is found as any plugin that is installed, and the
file names no place to write to: then it only leaves out what belongs elsewhere.

What tests may do to the process must not touch the facts. So
  * only the process that opened the session writes, checked at each fact;
    under xdist that is the controller;
  * the descriptor is checked before each write, and opened again when a test
    has closed it or put another file in its place;
  * a fact that cannot be written is kept and written before the next one;
  * lines are numbered and the last one says how many there are;
  * all functions are fetched at import and kept in instances, where libraries
    that replace os, time, open or json in loaded modules do not look.

Works with Python >= 3.8 and pytest >= 6; needs nothing else.
"""

import errno
import faulthandler
import fcntl
import glob
import hashlib
import json
import os
import platform
import re
import sys
import time

import pytest

_VERSION = 1  # of the configuration and of the facts
_CHUNK = 500  # cases a line
_TEXT = 256 * 1024  # characters of a traceback or of captured output
_SHORT = 4 * 1024  # characters of a message
_WARNINGS = 200  # different warnings a session
_THREADS = 20  # that are named
_HIGH = 700  # where the descriptor is out of the way of those of tests


class _File:
    """A file that this process alone appends to, whatever tests do to its descriptor."""

    def __init__(self, path, flags=0):
        self.pid = os.getpid()
        self.getpid, self.exit = os.getpid, os._exit
        self._open, self._fstat, self._write, self._close = os.open, os.fstat, os.write, os.close
        self._fcntl, self._high = fcntl.fcntl, fcntl.F_DUPFD_CLOEXEC
        self._flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | flags
        self.encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
        self._path = path
        self._fd, self._id = -1, None
        self._reopen()

    def foreign(self):
        """Whether this is a process that the session has forked."""
        return self.getpid() != self.pid

    def _usable(self):
        try:
            found = self._fstat(self._fd)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._id

    def _reopen(self):
        """Opens the file; the old descriptor is left alone, it is not ours any more."""
        low = self._open(self._path, self._flags, 0o644)
        try:
            self._fd = self._fcntl(low, self._high, _HIGH)
        except OSError:
            self._fd = low  # the limit of descriptors is below _HIGH, or reached
        else:
            self._close(low)
        found = self._fstat(self._fd)
        self._id = (found.st_dev, found.st_ino)


class _Facts(_File):
    """The file of facts. Lines that could not be written wait in _pending."""

    def __init__(self, path):
        super().__init__(path)
        self._count = 0
        self._pending = []
        self._torn = False  # the last line may have been written in part
        if self._fstat(self._fd).st_size:
            raise OSError(errno.EEXIST, "another session has written to it", path)

    def put(self, **fact):
        """Writes a fact, unless this process is not the session's."""
        if self.getpid() == self.pid:
            self.line(self.encode(fact)[1:-1])

    def line(self, members):
        """Writes the members of a JSON object as the next fact."""
        self._count += 1
        self._pending.append(('{"n":%d,%s}\n' % (self._count, members)).encode("ascii"))
        self._flush()

    def _flush(self):
        try:
            while self._pending:
                self._send(self._pending[0])
                del self._pending[0]
        except OSError:
            self._id = None  # whatever it was, a new descriptor is the next thing to try

    def finish(self, **fact):
        """Writes the last fact, which holds the number of lines."""
        self.put(t="finish", lines=self._count + 1, **fact)
        for _ in range(3):  # nobody comes after it
            if self._pending:
                self._flush()

    def _send(self, data):
        if not self._usable():
            self._reopen()
        if self._torn:
            data = b"\n" + data
        self._torn = True  # until all is out; a signal handler may raise in between
        while data:
            data = data[self._write(self._fd, data):]
        self._torn = False


class _Stacks(_File):
    """Has the stacks of all threads written down while a case takes too long, by a
    thread of faulthandler's that needs no interpreter: C code may hold it.

    The file tells of one case at a time: its id as a line of JSON, then the stacks.
    """

    def __init__(self, path, suites):
        super().__init__(path, os.O_CREAT)
        self._suites = suites
        self._later, self._cancel = faulthandler.dump_traceback_later, faulthandler.cancel_dump_traceback_later
        self._truncate, self._now = os.ftruncate, time.monotonic
        self._case, self._end = None, 0.0  # what runs, and when it is too late

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        limit = self._suites.limit(item)
        if not limit:
            yield
            return
        self._case, self._end = item.nodeid, self._now() + limit
        self._arm(limit)
        yield
        self._case = None
        if not self.foreign():  # a forked process has no such thread, and would wait for it
            self._cancel()

    @pytest.hookimpl(trylast=True)
    def pytest_exception_interact(self):
        if self._case is not None and not self.foreign():
            self._arm(max(self._end - self._now(), 0.001))  # again: pytest has just cancelled it, for those who debug

    def _arm(self, left):
        try:
            if not self._usable():
                self._reopen()
            self._truncate(self._fd, 0)
            self._write(self._fd, (self.encode(self._case) + "\n").encode("ascii"))
            self._later(left, file=self._fd)
        except Exception:
            pass  # the case is told to be late all the same, without the stacks


class _Recorder:
    """Turns pytest's hooks into facts."""

    def __init__(self, config, facts, suites, first):
        self._config = config
        self._suites = suites
        self._facts = facts
        self._first = first  # whether this is the first process of its run
        self._session = None
        self._index = {}  # node id -> number of the case
        self._plain = {}  # node id -> phases not yet told, nothing to say about them
        self._warnings = set()
        self._dropped = set()
        self._stopped = ""

    # The session.

    def debugger(self):
        """Tells that an editor may attach now, and that nothing happens before."""
        self._facts.put(t="debugger")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session):
        self._session = session
        self._facts.put(
            t="session", version=_VERSION, pytest=pytest.__version__, python=platform.python_version(),
            rootdir=_rootdir(self._config), plugins=_plugins(self._config),
            single=_interactive(self._config) or bool(self._config.getoption("collectonly", False)),
            repeats=_repeats(self._config), maxfail=_maxfail(self._config),
        )

    def pytest_keyboard_interrupt(self, excinfo):
        self._leave_fork(2)
        self._stopped = self._stopped or _short("%s: %s" % (excinfo.typename, excinfo.value))

    def pytest_internalerror(self, excrepr):
        self._facts.put(t="internal_error", details=_cut(excrepr), text=_last_line(excrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        self._leave_fork(2)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_unconfigure(self):
        yield  # whatever the others do in there, or fail in
        if self._facts.foreign() or self._session is None:
            return
        session = self._session
        stopped = self._stopped or getattr(session, "shouldfail", "") or getattr(session, "shouldstop", "")
        exit_status = getattr(session, "exitstatus", None)
        self._facts.finish(
            exit=int(exit_status) if isinstance(exit_status, int) else None,
            collect_only=bool(self._config.getoption("collectonly", False)),
            stopped=_short(stopped) if stopped else "",
            threads=_left_threads(),
        )

    # Collection.

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report):
        self._leave_fork(1 if report.failed else 0)
        if report.failed:
            self._facts.put(t="collect_error", id=report.nodeid, details=_longrepr(report), text=_reason(report))
        elif report.skipped:
            self._facts.put(t="collect_skip", id=report.nodeid, text=_reason(report))

    def elsewhere(self, found):
        """Tells cases that belong in other containers: [node id, file, line, container, text, suites]."""
        if not self._first:
            return  # the first process has told of all
        for start in range(0, len(found), _CHUNK):
            self._facts.put(t="elsewhere", elsewhere=found[start:start + _CHUNK])

    def left(self, cases):
        """Tells cases of suites that are not to run, as those that are collected."""
        if not self._first:
            return
        for start in range(0, len(cases), _CHUNK):
            self._facts.put(t="left", left=cases[start:start + _CHUNK])

    def dropped(self, ids):
        """Tells cases of this container that will not run, once each."""
        if not self._first:
            return  # the first process has told of all but those that it was to run
        ids = [nodeid for nodeid in ids if nodeid not in self._dropped]
        self._dropped.update(ids)
        for start in range(0, len(ids), _CHUNK):
            self._facts.put(t="deselected", ids=ids[start:start + _CHUNK])

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session):
        self._collected([_collected(item, self._suites) for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids):
        if self._index:  # all workers collect the same, the first one tells
            return
        known = self._suites.told_by_worker()
        self._collected([known.get(nodeid) or [nodeid, "", 0, []] for nodeid in ids])

    def _collected(self, cases):
        self._index = {case[0]: number for number, case in enumerate(cases)}
        for start in range(0, len(cases), _CHUNK):
            self._facts.put(t="collected", cases=cases[start:start + _CHUNK])

    # Cases. Most facts are of these two kinds, so they are written without the encoder.

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid, location):
        facts = self._facts
        if facts.getpid() == facts.pid:
            facts.line('"t":"start",' + self._case(nodeid, location))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self, nodeid):
        facts = self._facts
        if facts.getpid() == facts.pid:
            facts.line('"t":"done",%s,"plain":[%s]' % (self._case(nodeid), self._told(nodeid)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report):
        facts = self._facts
        nodeid, when = report.nodeid, report.when
        context = getattr(report, "context", None)  # of a subtest
        if facts.getpid() != facts.pid:
            if context is None:  # a test has forked and the child came back: one of the two must go
                facts.exit(1 if report.failed else 0)
            return
        sections = _sections(report, when) if report.sections else None
        if report.outcome == "passed" and not sections and not hasattr(report, "wasxfail"):
            if context is None:
                self._plain.setdefault(nodeid, []).append('["%s",%s]' % (when, _seconds(report)))
            return
        self._remarkable(report, sections or {}, context)

    def _remarkable(self, report, sections, context):
        """Tells a phase that is more than passed, after those not yet told."""
        fact = {"when": str(report.when), "outcome": str(report.outcome)}
        fact.update(sections)
        if report.outcome != "passed":
            fact.update(details=_longrepr(report), text=_reason(report))
        if hasattr(report, "wasxfail"):
            fact["xfail"] = _short(report.wasxfail)
        if context is not None:
            fact["sub"] = _subtest(context)
        self._facts.line('"t":"phase",%s,"plain":[%s],"seconds":%s,%s' % (
            self._case(report.nodeid), self._told(report.nodeid), _seconds(report), self._facts.encode(fact)[1:-1]))

    def _told(self, nodeid):
        return ",".join(self._plain.pop(nodeid, ()))

    def _case(self, nodeid, location=None):
        """Names a case: by number if it was collected, else by all we know."""
        number = self._index.get(nodeid)
        if number is not None:
            return '"c":%d' % number
        file, line = _location(location)
        return self._facts.encode({"id": nodeid, "file": file, "line": line})[1:-1]

    # Warnings.

    @pytest.hookimpl(optionalhook=True)
    def pytest_warning_recorded(self, warning_message, nodeid):
        try:
            name = warning_message.category.__name__
            text = _short("%s: %s" % (name, warning_message.message))
            key = (text, str(warning_message.filename), int(warning_message.lineno or 0))
        except Exception:
            return  # somebody else's object that cannot be shown
        if key in self._warnings or len(self._warnings) >= _WARNINGS:
            return
        self._warnings.add(key)
        self._facts.put(t="warning", text=key[0], file=key[1], line=key[2], id=str(nodeid or ""))

    def _leave_fork(self, code):
        """Ends a forked process that returned into pytest: it would run the suite again."""
        if self._facts.foreign():
            self._facts.exit(code)


class _Nested:
    """Leaves out the directories of projects further down, unless they were asked for.

    Links do not lead there either, nor back to where they came from. And files
    are left out that have no case for this container.
    """

    def __init__(self, config, ignored, ours, placing):
        self._placing = placing
        self._ignored = [os.path.normpath(path) for path in ignored]
        self._ours = ours  # the paths are those of [test], which the user did not name
        self._config = config
        self._left = None

    def leaves_out(self, path):
        if self._left is None:
            asked = [] if self._ours else _asked(self._config)
            self._left = [p for p in self._ignored if not any(_within(a, p) for a in asked)]
        path = str(path)
        # None, not False: other plugins may still say what they think.
        if any(_within(path, ignored) for ignored in self._left):
            return True
        if os.path.isdir(path) and (os.path.realpath(path) in map(os.path.realpath, self._left) or _turns_back(path)):
            return True
        return self._placing.leaves_out(path)


if int(pytest.__version__.split(".")[0]) >= 7:

    class _Ignore(_Nested):
        @pytest.hookimpl(tryfirst=True)
        def pytest_ignore_collect(self, collection_path):
            return self.leaves_out(collection_path)

else:

    class _Ignore(_Nested):
        @pytest.hookimpl(tryfirst=True)
        def pytest_ignore_collect(self, path):
            return self.leaves_out(path)


class _EmptyFile(pytest.File):
    """A file with no case for this container."""

    def collect(self):
        return []


if int(pytest.__version__.split(".")[0]) >= 7:

    class _Empty:
        """Imports no file."""

        @pytest.hookimpl(tryfirst=True)
        def pytest_pycollect_makemodule(self, module_path, parent):
            return _EmptyFile.from_parent(parent, path=module_path)

else:

    class _Empty:
        """Imports no file."""

        @pytest.hookimpl(tryfirst=True)
        def pytest_pycollect_makemodule(self, path, parent):
            return _EmptyFile.from_parent(parent, fspath=path)


def _may_be_left_out(path):
    """Whether it is a file that others do not need."""
    return os.path.isfile(path) and os.path.basename(path) not in ("conftest.py", "__init__.py")


def _remember_nothing(config):
    """Keeps pytest from choosing anew, by what it remembers of other runs."""
    for choice in ("lf", "failedfirst", "newfirst", "stepwise", "stepwise_skip", "stepwise_reset"):
        if hasattr(config.option, choice):
            setattr(config.option, choice, False)


class _Only:
    """Keeps the cases that a further process of a run is for, and imports no other files."""

    def __init__(self, config, ids):
        self._ids = set(ids)
        files = {os.path.normpath(os.path.join(_rootdir(config), nodeid.split("::")[0])) for nodeid in ids}
        # Why all or nothing: an id that a plugin has made need not begin with a file.
        self._files = files | {os.path.realpath(file) for file in files} if all(map(os.path.isfile, files)) else None
        _remember_nothing(config)

    def leaves_out(self, path):
        return self._files is not None and path not in self._files and os.path.realpath(path) not in self._files and _may_be_left_out(path)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if item.nodeid in self._ids]
        yield


class _Shuffle:
    """Orders modules, in them classes, and in those cases, as a seed has it.

    The place of a case depends on its id and the seed alone, so that each process
    and each worker has the same order, of however many cases.
    """

    def __init__(self, seed):
        self._seed = seed

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: self._place(item.nodeid))

    def _place(self, nodeid):
        names = nodeid.split("[")[0].split("::")
        return tuple(self._hash(part) for part in (names[0], "::".join(names[:-1]), nodeid))

    def _hash(self, part):
        return hashlib.sha256(json.dumps([self._seed, part]).encode("ascii")).digest()


class _Order:
    """Keeps the cases of a run that is repeated, in their order."""

    def __init__(self, config, ids, base):
        self._root, self._base = _rootdir(config), base
        self._places = {nodeid: place for place, nodeid in enumerate(ids)}
        _remember_nothing(config)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        yield
        places = {item: self._places.get(self._own(item.nodeid)) for item in items}
        items[:] = sorted((item for item in items if places[item] is not None), key=places.get)

    def _own(self, nodeid):
        """The id relative to where pytest starts, as wr has it."""
        if self._root == self._base:
            return nodeid
        file, colons, rest = nodeid.partition("::")
        return os.path.relpath(os.path.join(self._root, file), self._base) + colons + rest


class _Placing:
    """Leaves to other containers the cases that name them."""

    def __init__(self, config, places, suites, assigned, only):
        self._config = config
        self._suites = suites
        self._assigned = assigned
        self._only = only
        self._here = places["here"]  # whose container this is
        self._default = places["default"]  # where a case without a mark belongs
        self._names = places["names"] or {}  # name in a mark -> whose container that is
        self._open = places.get("open", False)  # names of other projects are not among them
        self._leave = set(places["leave"] or ())
        self._take = None if places["take"] is None else set(places["take"])
        self._left = {}  # container -> number of cases
        self._told = False
        self._seen = {}  # items, in order
        self._sorted = False

    def leaves_out(self, path):
        """Whether a file has no case for this container: then it is not even imported."""
        path = str(path)
        if path in self._leave or self._only is not None and self._only.leaves_out(path):
            return True
        if self._takes(path):
            return None
        return _may_be_left_out(path) or None

    def _takes(self, path):
        """Whether cases of a file are run in this session: a package is also imported for its modules."""
        return self._take is None or path in self._take

    def leave_out_named(self):
        """Drops files that were named and have no case here: pytest ignores none of those itself."""
        base = str(self._config.invocation_params.dir)
        here = [arg for arg in self._config.args if not self.leaves_out(os.path.normpath(os.path.join(base, str(arg).split("::")[0])))]
        if here or not self._config.args:
            self._config.args = here
        else:  # all of them: pytest would take everything instead
            self._config.args = [str(arg).split("::")[0] for arg in self._config.args]
            self._config.pluginmanager.register(_Empty(), "wr_empty")

    @pytest.hookimpl(tryfirst=True)
    def pytest_itemcollected(self, item):
        self._seen[item] = None  # hooks may drop it without saying so

    @pytest.hookimpl(tryfirst=True)
    def pytest_deselected(self, items):
        if not self._sorted:
            self._seen.update(dict.fromkeys(items))
            return
        recorder = self._config.pluginmanager.getplugin("wr_recorder")
        if recorder is not None:
            recorder.dropped([item.nodeid for item in items if self._fate(item, self._place(item)) in ("run", "left")])

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session):
        """Leaves out what does not run here. Before, any hook may add marks, and drop cases."""
        self._sorted = True
        kept = dict.fromkeys(session.items)
        places = {item: self._place(item) for item in {**self._seen, **kept}}
        fates = {item: self._fate(item, place) for item, place in places.items()}
        session.items[:] = [item for item in session.items if fates[item] == "run"]
        told = {
            "elsewhere": [
                [item.nodeid, *_position(item), places[item], self._unless(item, kept), self._suites.of(item)]
                for item, fate in fates.items() if fate == "elsewhere"
            ],
            "left": [_collected(item, self._suites) for item in kept if fates[item] == "left"],
            "dropped": [item.nodeid for item, fate in fates.items() if fate in ("run", "left") and item not in kept],
        }
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["wr_told"] = told
        else:
            self._tell(told)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        """In the controller of xdist: all workers collect the same, the first one tells."""
        told = getattr(node, "workeroutput", {}).get("wr_told")
        if told and not self._told:
            self._tell(told)

    def _tell(self, told):
        self._told = True
        for _, _, _, place, _, _ in told["elsewhere"]:
            self._left[place] = self._left.get(place, 0) + 1
        recorder = self._config.pluginmanager.getplugin("wr_recorder")
        if recorder is not None:
            recorder.elsewhere(told["elsewhere"])
            recorder.dropped(told["dropped"])
            recorder.left(told["left"])

    def pytest_terminal_summary(self, terminalreporter):
        if self._config.pluginmanager.hasplugin("wr_recorder"):
            return  # wr shows where they run
        for name, count in sorted(self._left.items()):
            if name.startswith("?"):
                terminalreporter.write_line("wr: %d not here: no container is called %s" % (count, name[1:]), yellow=True)
            else:
                terminalreporter.write_line("wr: %d not here: they run in the container of %s, by wr test" % (count, name), yellow=True)

    def _fate(self, item, place):
        if place != self._here or not self._takes(_file(item)):
            return "elsewhere"
        return self._suites.fate(item)

    def _unless(self, item, kept):
        """Why a case may not run where it belongs; "": it must."""
        if item not in kept:
            return "deselected"
        if self._suites.fate(item) in ("left", "unasked"):
            return "not asked for"
        # Each container has its own choice of what failed last.
        return "last failed" if self._config.getoption("lf", False) else ""

    def _place(self, item):
        """In whose container a case belongs; what nobody knows is told as it is written."""
        if self._suites.contradiction(item):
            return "?!" + self._suites.contradiction(item)
        names, told = _container(item), self._assigned.says(item, "container")
        places = sorted({self._names.get(name, name if self._open else "?" + name) for name in names})
        if told and names and places != [told["container"]]:
            return "?!its mark wants the container %s, and %s says %s" % (" and ".join(sorted(names)), told["at"], told["container"])
        if told:
            return told["container"]
        if not names:
            return self._default
        return places[0] if len(places) == 1 else "?" + " and ".join(sorted(names))


class _Assigned:
    """What wr was told of cases besides their marks. The first that says a thing of a case counts."""

    def __init__(self, entries):
        self._entries = {}  # by file and id: number and entry
        for number, entry in enumerate(entries or ()):
            self._entries.setdefault((entry["file"], entry.get("id", "")), []).append((number, entry))

    def says(self, item, what):
        """The entry that says something of a case, of its class or of its file; or None."""
        if not self._entries:
            return None
        file, nodeid = _file(item), item.nodeid.partition("::")[2]
        stems = {"", nodeid} | {nodeid[:found.start()] for found in re.finditer(r"::|\[", nodeid)}
        found = [one for stem in stems for one in self._entries.get((file, stem), ()) if one[1].get(what)]
        return min(found, key=lambda one: one[0])[1] if found else None

    def ids(self, path):
        """The ids that are told of in a file."""
        return [nodeid for file, nodeid in self._entries if file == path]


class _Suites:
    """Sorts cases into suites by what wr was told, else by their marks, and leaves those that are not to run."""

    def __init__(self, config, suites, assigned, folder):
        self._config = config
        self._all = suites or []
        self._assigned = assigned
        self._contradictions = {}  # by item
        self._found = {}  # by item: asked for several times, and only once all hooks have added their marks
        self._path = folder and os.path.join(folder, "collected.json")  # from a worker to the controller

    def of(self, item):
        """The numbers of the suites that a case is in; it runs in the first."""
        found = self._found.get(item)
        if found is None:
            marks = {mark.name for mark in item.iter_markers()}
            found = self._found[item] = []
            for number, suite in enumerate(self._all):
                if not found if suite["marks"] is None else _match(suite["marks"], marks):
                    found.append(number)
            told = self._assigned.says(item, "suite")
            if told:
                self._tell(item, told, marks, found)
        return found

    def _tell(self, item, told, marks, found):
        """Puts a case where wr was told, unless its marks put it elsewhere."""
        names = [suite["name"] for suite in self._all]
        by_marks = [names[n] for n in found if self._all[n]["marks"] is not None and not _match(self._all[n]["marks"], set())]
        if by_marks and told["suite"] not in by_marks:
            self._contradictions[item] = "its marks put it into the suite %s, and %s into %s" % (by_marks[0], told["at"], told["suite"])
        elif told["suite"] in names:
            found[:] = [names.index(told["suite"])]

    def contradiction(self, item):
        """What marks and others say of the suite of a case, if that is not the same; or None."""
        self.of(item)
        return self._contradictions.get(item)

    def fate(self, item):
        found = self.of(item)
        return self._all[found[0]]["fate"] if found else "run"

    def limit(self, item):
        """Seconds that a case may take; 0 is as long as it takes."""
        found = self.of(item)
        return self._all[found[0]].get("timeout", 0) / 1e9 if found else 0

    def limited(self):
        return any(suite.get("timeout") for suite in self._all)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session):
        """In a worker of xdist: the controller, who is told next, only hears the ids."""
        if self._path is None or not hasattr(self._config, "workerinput"):
            return
        own = "%s.%d" % (self._path, os.getpid())
        with open(own, "w", encoding="utf-8") as f:
            json.dump({item.nodeid: _collected(item, self) for item in session.items}, f)
        os.replace(own, self._path)

    def told_by_worker(self):
        """What a worker knows of the cases, by node id."""
        try:
            with open(self._path, encoding="utf-8") as f:
                return json.load(f)
        except (OSError, ValueError):
            return {}  # an old xdist, or workers on another machine

    def names(self):
        """The marks by which cases are sorted."""
        found = set()
        for suite in self._all:
            found |= _names(suite["marks"])
        return sorted(found)


def _names(marks):
    """The names of marks in an expression."""
    if isinstance(marks, list):
        return set().union(*(_names(part) for part in marks[1:]))
    return {marks} if marks else set()


def _match(marks, found):
    """Whether an expression, as wr writes it, holds for the names of marks."""
    if isinstance(marks, str):
        return marks in found
    word, parts = marks[0], [_match(part, found) for part in marks[1:]]
    return not parts[0] if word == "not" else all(parts) if word == "and" else any(parts)


def _collected(item, suites):
    return [item.nodeid, *_position(item), suites.of(item)]


def _container(item):
    """The names in the closest marks: of the parameters, the function, the class, the module."""
    callspec = getattr(item, "callspec", None)
    levels = [list(getattr(callspec, "marks", ()))]
    for node in reversed(item.listchain()):
        levels += _marks_of_class(node.obj) if isinstance(node, pytest.Class) else []
        levels.append(node.own_markers)
    for marks in levels:
        names = [_named_container(mark) for mark in marks if mark.name == "container"]
        if names:
            return set(names)
    return set()


def _marks_of_class(cls):
    """The marks of a class and of each of its bases, which pytest has in one list."""
    levels = []
    for level in getattr(cls, "__mro__", ()):
        inherited = [mark for base in level.__mro__[1:] for mark in _list(vars(base).get("pytestmark"))]
        own = _list(vars(level).get("pytestmark"))  # before pytest 7.3 with what is inherited
        levels.append([getattr(m, "mark", m) for m in own if not any(m is other for other in inherited)])
    return levels


def _list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def _named_container(mark):
    names = list(mark.args) + list(mark.kwargs.values())
    if len(names) == 1 and isinstance(names[0], str) and set(mark.kwargs) <= {"name"}:
        return names[0]
    return "mark.container(%s)" % ", ".join(repr(name) for name in names)  # told as it is: there is none of that name


def _settings():
    """What wr has to say, or None."""
    path = os.environ.get("WR_PYTEST")
    if not path:
        return None
    with open(path, encoding="utf-8") as f:
        settings = json.load(f)
    if settings.get("version") != _VERSION:
        raise pytest.UsageError("wr: %s has version %r, not %d" % (path, settings.get("version"), _VERSION))
    return settings


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests(early_config):
    """Has pytest-cov add to what earlier processes of the run have measured."""
    settings = _settings()
    if settings and settings.get("only") and hasattr(early_config.known_args_namespace, "cov_append"):
        early_config.known_args_namespace.cov_append = True
    yield


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Starts recording; under xdist the workers only learn what to leave out."""
    settings = _settings()
    if not settings or config.pluginmanager.hasplugin("wr_nested"):
        return
    named = _named(config)
    ours = bool(settings.get("paths")) and not named
    if ours:
        # Why: pytest drops testpaths in silence when its rootdir is another
        # directory, and those of them that do not exist.
        config.args = _found(config, settings["paths"])
    config.addinivalue_line("markers", "container(name): the project, or the image, in whose container the test runs")
    events = settings["events"]
    assigned = _Assigned(settings.get("assigned"))
    suites = _Suites(config, settings["suites"], assigned, os.path.dirname(events) if events else None)
    config.pluginmanager.register(suites, "wr_suites")
    for name in suites.names():
        config.addinivalue_line("markers", "%s: sorts the test into a suite of wr" % name)
    only = _Only(config, settings["only"]) if settings.get("only") else None
    placing = _Placing(config, settings["places"], suites, assigned, only)
    if settings.get("further"):
        further = [path for path in settings["further"] if not placing.leaves_out(path)]
        import wr_further  # where there is something to collect, it lies beside this file

        config.pluginmanager.register(wr_further.Collector(further, assigned), "wr_further")
        if not named:
            config.args = config.args + _beside(config, further)
    config.pluginmanager.register(placing, "wr_placing")
    config.pluginmanager.register(_Ignore(config, _ignored(config, settings), ours, placing), "wr_nested")
    placing.leave_out_named()
    if settings.get("shuffle"):
        config.pluginmanager.register(_Shuffle(settings["shuffle"]), "wr_shuffle")
    if settings.get("order"):
        config.pluginmanager.register(_Order(config, settings["order"], settings["dir"]), "wr_order")
    if only:
        config.pluginmanager.register(only, "wr_only")
    _watch(config, settings, suites)
    if hasattr(config, "workerinput") or not settings["events"]:
        return
    try:
        facts = _Facts(settings["events"])
    except OSError as err:
        raise pytest.UsageError("wr: cannot write the events of this run: %s" % err)
    config.pluginmanager.register(_Recorder(config, facts, suites, only is None), "wr_recorder")


def _watch(config, settings, suites):
    """Has stacks dumped of cases that are late, unless the user has pytest do that already."""
    if not suites.limited() or _interactive(config) or _dumps_itself(config):
        return
    worker = getattr(config, "workerinput", {}).get("workerid", "main")
    try:
        stacks = _Stacks("%s.%s" % (settings["stacks"], worker), suites)
    except OSError:
        return  # that cases are late is seen from outside
    config.pluginmanager.register(stacks, "wr_stacks")


def _dumps_itself(config):
    try:
        return float(config.getini("faulthandler_timeout") or 0) > 0
    except (KeyError, ValueError):
        return False


def _interactive(config):
    """Whether a person is to look into the process while it runs."""
    return config.pluginmanager.hasplugin("wr_debug") or bool(config.getoption("usepdb", False) or config.getoption("trace", False))


def _maxfail(config):
    """How many failures stop pytest; 0 = none do. --stepwise stops at one, and may skip one before."""
    stepwise = bool(getattr(config.option, "stepwise", False))
    return config.getoption("maxfail", 0) or int(stepwise) + int(stepwise and getattr(config.option, "stepwise_skip", False))


def _repeats(config):
    """The active plugin that runs failures again itself, or ""."""
    for plugin, option in (("pytest-rerunfailures", "reruns"), ("flaky", "force_flaky"), ("pytest-retry", "retries")):
        if getattr(config.option, option, None):
            return plugin
    try:
        return "pytest-rerunfailures" if int(config.getini("reruns") or 0) > 0 else ""
    except (KeyError, TypeError, ValueError):
        return ""  # there is no such setting


def _rootdir(config):
    return str(getattr(config, "rootpath", None) or config.rootdir)


def _ignored(config, settings):
    """The directories to be left out; relative ones begin at the workspace, wherever it lies."""
    ignored = settings["ignore"] or []
    if all(os.path.isabs(path) for path in ignored):
        return ignored
    root = _workspace(str(config.invocation_params.dir))
    return [os.path.join(root, path) for path in ignored]


def _workspace(start):
    """As wr finds it: the nearest directory with a wr.toml that says so, else the outermost repository."""
    at, repository = start, start
    while True:
        if _is_workspace(os.path.join(at, "wr.toml")):
            return at
        if os.path.lexists(os.path.join(at, ".git")):
            repository = at
        if at == os.path.dirname(at):
            return repository
        at = os.path.dirname(at)


def _is_workspace(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return any(re.match(r"\s*\[\s*workspace\s*\]", line) for line in f)
    except OSError:
        return False


def _plugins(config):
    """Names and versions of the installed plugins that are active."""
    try:
        return sorted({"%s %s" % (d.project_name, d.version) for _, d in config.pluginmanager.list_plugin_distinfo()})
    except Exception:
        return []


def _named(config):
    """Whether the user named paths; those of the configuration do not count."""
    source = getattr(getattr(config, "args_source", None), "name", "")
    if source:
        return source not in ("TESTPATHS", "INVOCATION_DIR", "INCOVATION_DIR")  # pytest 7.2 cannot spell
    args = [str(arg) for arg in config.args]  # pytest < 7.2 does not say where they are from
    return args not in (config.getini("testpaths"), [str(config.invocation_params.dir)])


def _found(config, paths):
    """The paths and what the patterns among them match; one that is nothing is an error."""
    base = str(config.invocation_params.dir)
    found = []
    for path in paths:
        place = os.path.join(base, path.split("::")[0])
        matches = [os.path.join(base, path)] if os.path.lexists(place) else sorted(glob.glob(place, recursive=True))
        if not matches:
            raise pytest.UsageError("wr: [test] paths names %s, which does not exist" % path)
        found += matches
    return found


def _beside(config, files):
    """Those of the files that are in no directory that pytest looks into."""
    base = str(config.invocation_params.dir)
    places = [os.path.normpath(os.path.join(base, str(arg).split("::")[0])) for arg in config.args]
    return [file for file in files if not any(_within(file, place) for place in places)]


def _asked(config):
    """The paths the user named."""
    if not _named(config):
        return []
    base = str(config.invocation_params.dir)
    paths = [os.path.join(base, str(arg).split("::")[0]) for arg in config.args]
    return [os.path.normpath(p) for p in paths] + [os.path.realpath(p) for p in paths]


def _within(path, directory):
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _turns_back(path):
    """Whether a path is a link to a directory above it: pytest would come by again and again."""
    if not os.path.islink(path):
        return False
    real, above = os.path.realpath(path), os.path.dirname(path)
    while not _within(os.path.realpath(above), real):
        if above == os.path.dirname(above):
            return False
        above = os.path.dirname(above)
    return True


def _file(item):
    return str(getattr(item, "path", None) or item.fspath)


def _position(item):
    try:
        return _location(item.location)
    except Exception:
        return "", 0  # an item of a plugin that does not know where it is


def _location(location):
    """File, relative to rootdir, and 1-based line; 0 is unknown."""
    if not location:
        return "", 0
    file, line = location[0], location[1]
    return str(file or ""), line + 1 if isinstance(line, int) else 0


def _seconds(report):
    try:
        return "%.6f" % max(0.0, min(float(report.duration), 1e9))
    except Exception:
        return "0"  # a test has replaced the clock by something that is no number


def _sections(report, when):
    """What the phase itself printed; later phases repeat the sections of earlier ones."""
    found = {}
    for kind in ("stdout", "stderr", "log"):
        title = "Captured %s %s" % (kind, when)
        text = [content for name, content in report.sections if name == title]
        if text:
            found[kind] = _cut(text[0] if len(text) == 1 else "".join(text))
    return found


def _longrepr(report):
    """The whole story of a report."""
    try:
        if isinstance(report.longrepr, tuple):
            return ""  # of a skip; its reason says it all
        return _cut(report.longreprtext)
    except Exception as err:
        return "wr: this failure cannot be shown: %s" % type(err).__name__


def _reason(report):
    """One or a few lines that say why."""
    try:
        longrepr = report.longrepr
        if isinstance(longrepr, tuple):
            return _short(longrepr[2])
        crash = getattr(longrepr, "reprcrash", None)
        if crash is not None:
            return _short(crash.message)
        return _last_line(report.longreprtext)
    except Exception:
        return ""


def _subtest(context):
    try:
        parts = [] if context.msg is None else ["[%s]" % context.msg]
        if context.kwargs:
            parts.append("(%s)" % ", ".join("%s=%s" % pair for pair in context.kwargs.items()))
        return _short(" ".join(parts) or "(<subtest>)")
    except Exception:
        return "(<subtest>)"


def _left_threads():
    """The names of threads that the process will wait for, when it is to end."""
    threading = sys.modules.get("threading")
    try:
        return [_short(t.name) for t in threading.enumerate() if not t.daemon and t is not threading.main_thread()][:_THREADS]
    except Exception:  # tests replace all sorts of things
        return []


def _last_line(text):
    lines = [line for line in str(text).splitlines() if line.strip()]
    # Why: pytest marks the lines of an error in a module with "E   ".
    marked = [line[1:].strip() for line in lines if line.startswith("E  ")]
    return _short((marked or lines or [""])[-1])


def _short(text):
    return str(text)[:_SHORT]


def _cut(text):
    """Head and tail of a long text, with a mark that says what is missing."""
    text = str(text)
    if len(text) <= _TEXT:
        return text
    half = _TEXT // 2
    return "%s\n[... %d characters cut by wr ...]\n%s" % (text[:half], len(text) - 2 * half, text[-half:])
