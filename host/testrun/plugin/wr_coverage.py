"""Measures what tests cover, for wr test --coverage.

PYTEST_DONT_REWRITE: there is no assertion in here, and rewriting costs time.

Loaded with ``-p wr_coverage``, before pytest has imported anything of a project.
WR_COVERAGE names the folder to write to, WR_COVERAGE_ROOT the workspace. There it
leaves

  rc            the configuration of coverage.py, for all processes: the project's
                own [run], with absolute paths, so that it holds in any directory
  data.*        what a process has covered, written when it ends
  status.json   with what is measured, or the problem that keeps it from being
  began.*       for as long as a process of pytest has still to write its data
  lost.*        for a process in which something, as a debugger does, has taken
                the place of what measures

Children are measured through COVERAGE_PROCESS_START, which sitecustomize.py beside
this file obeys, as do workers of xdist.

Works with Python >= 3.8, pytest >= 6 and coverage.py >= 6.3.
"""

import configparser
import json
import os
import platform
import sys

import pytest

_OLDEST = (6, 3)  # the first that writes lcov
_INSTALL = "add coverage to the image: python3-coverage of Debian, or pip install coverage"
_LISTS = ("disable_warnings", "omit", "patch", "plugins", "source", "source_dirs", "source_pkgs")
_WORDS = ("context", "core", "cover_pylib", "dynamic_context", "sigterm", "timid")
_CHOOSE = ("source", "source_dirs", "source_pkgs", "include")  # what is measured


class _Problem(Exception):
    """Why this process cannot be measured, and what to do about it."""


class _Measuring:
    """The measuring of one process of pytest."""

    def __init__(self, folder, root):
        self._folder, self._root = folder, root
        self._pid = os.getpid()
        self._status = {"python": sys.executable, "pythonVersion": platform.python_version()}
        self._began = os.path.join(folder, "began.%s" % os.urandom(8).hex())
        self._rc = os.path.join(folder, "rc")
        self._environ = {name: os.environ.get(name) for name in ("COVERAGE_PROCESS_START", "COVERAGE_RCFILE")}
        self._own = None  # what self._rc is made of, in the process that makes it
        self._coverage = None
        self._trace = None  # what traces, if that is how coverage.py measures

    def start(self):
        if not self._folder:
            return  # a worker of a process that has given up
        try:
            self._coverage = self._started()
        except _Problem as err:
            self.give_up(*err.args)
            return
        self._trace = sys.gettrace()
        open(self._began, "x").close()

    def _started(self):
        try:
            import coverage
        except ImportError as err:
            raise _Problem("coverage.py is not in the image: %s" % err, _INSTALL)
        if coverage.version_info[:2] < _OLDEST:
            raise _Problem("coverage.py %s in the image is older than %d.%d" % ((coverage.__version__,) + _OLDEST), _INSTALL)
        if os.environ.get("COVERAGE_PROCESS_START") != self._rc:  # else this is a worker of xdist
            if coverage.Coverage.current() is not None:
                raise _Problem("coverage.py runs here already, by COVERAGE_PROCESS_START or the command of the tests", "take that out")
            self._configure(coverage)
        coverage.process_startup()  # nothing if the process has started so
        return coverage.Coverage.current()

    def _configure(self, coverage):
        """Writes the configuration, and has children find it."""
        try:
            self._own = _Own(coverage, self._root, os.path.join(self._folder, "data"))
        except Exception as err:  # which ones depends on the version
            raise _Problem("the configuration of coverage.py cannot be used: %s" % err, "mend it in the project's directory")
        self._own.write(self._rc, [name for name in self._own.concurrency if name != "multiprocessing"])
        os.environ["COVERAGE_PROCESS_START"] = self._rc
        self._status.update(coverage=coverage.__version__, **self._own.told())
        self._tell()

    def go_on(self):
        """Also measures children of multiprocessing. Why not from the start: it cannot be taken back."""
        if self._own is None or self._coverage is None or "multiprocessing" not in self._own.concurrency:
            return
        from coverage.multiproc import patch_multiprocessing

        self._own.write(self._rc, self._own.concurrency)
        patch_multiprocessing(self._rc)

    def save(self):
        """Writes what was covered so far; what comes later is written at exit."""
        if self._coverage is None or os.getpid() != self._pid:
            return
        lost = sys.gettrace() != self._trace
        try:
            self._coverage.save()
            if lost:
                open(os.path.join(self._folder, "lost.%s" % os.urandom(8).hex()), "x").close()
        except Exception as err:  # of sqlite as well, when the disk is full
            self.give_up("what was covered could not be written: %s" % err, "")
        else:
            os.remove(self._began)

    def give_up(self, problem, next):
        """Measures nothing, and says why."""
        if not self._folder:
            return
        if self._coverage is not None:
            self._coverage.stop()
            self._coverage = None
        for name, value in dict(self._environ, WR_COVERAGE="").items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._status.update(problem=problem, next=next)
        self._tell()

    def _tell(self):
        fresh = "%s.%s" % (self._began, "status")
        with open(fresh, "w", encoding="utf-8") as f:
            json.dump(self._status, f)
        os.replace(fresh, os.path.join(self._folder, "status.json"))


class _Own:
    """The configuration of coverage.py in the project's directory, else in the workspace's root."""

    def __init__(self, coverage, root, data):
        self._root, self._data = root, data
        here = os.getcwd()
        for self._dir in (here, root):
            os.chdir(self._dir)  # it is looked for where the process is, and nowhere else
            try:
                self._coverage = coverage.Coverage(config_file=True)
            finally:
                os.chdir(here)
            if self._file() is not None:
                break
        chosen = self._list("run:concurrency")
        # Why multiprocessing: its children end without what writes the data of others.
        self.concurrency = chosen if chosen and chosen != ["thread"] else ["thread", "multiprocessing"]

    def _file(self):
        return getattr(self._coverage.config, "config_file", None)

    def _option(self, name):
        try:
            return self._coverage.get_option(name)
        except Exception:
            return None  # this version does not know it

    def _list(self, name):
        found = self._option(name)
        return list(found) if isinstance(found, (list, tuple)) else [found] if found else []

    def _omit(self):
        """What is left out. Why that of [report] as well: the report is one for all projects."""
        return [self._pattern(p) for p in self._list("run:omit") + self._list("report:omit")]

    def _pattern(self, pattern):
        """A pattern as coverage.py reads it in the directory of the configuration."""
        return pattern if pattern.startswith(("*", "?", "/")) else os.path.join(self._dir, pattern)

    def _source(self, source):
        """A directory, or as it is: the name of a package."""
        path = os.path.join(self._dir, source)
        return os.path.abspath(path) if os.path.isdir(path) else source

    def write(self, rc, concurrency):
        run = {"branch": "true", "parallel": "true", "data_file": self._data}
        for name in _WORDS:
            value = self._option("run:" + name)
            if value not in (None, False, ""):
                run[name] = str(value)
        lists = {name: self._list("run:" + name) for name in _LISTS}
        lists["source"] = [self._source(s) for s in lists["source"]]
        lists["source_dirs"] = [self._source(s) for s in lists["source_dirs"]]
        lists["include"] = [self._pattern(p) for p in self._list("run:include")]
        lists["omit"] = self._omit()
        lists["patch"] = [name for name in lists["patch"] if name != "subprocess"]  # sitecustomize.py does that
        lists["concurrency"] = concurrency
        if not self.chooses():
            lists["include"] = [os.path.join(self._root, "*")]
            lists["omit"] += ["*/site-packages/*", "*/dist-packages/*", os.path.join(self._root, ".wr", "*")]
        run.update({name: "\n".join(values) for name, values in lists.items() if values})
        parser = configparser.ConfigParser(interpolation=None)
        parser["run"] = run
        for plugin in lists["plugins"]:
            parser[plugin] = {k: "\n".join(v) if isinstance(v, list) else str(v) for k, v in self._coverage.config.get_plugin_options(plugin).items()}
        for section in parser.values():
            for key in section:
                section[key] = section[key].replace("$", "$$")  # it stands for variables there
        with open(rc, "w", encoding="utf-8") as f:
            parser.write(f)

    def chooses(self):
        """Whether the configuration says what is measured."""
        return any(self._list("run:" + name) for name in _CHOOSE)

    def told(self):
        """What those have to know who combine the data."""
        paths = self._option("paths") or {}
        return {
            "config": self._file(), "omit": self._omit(), "chooses": self.chooses(),
            "paths": {name: [self._pattern(path) for path in some] for name, some in paths.items()},
        }


_measuring = _Measuring(os.environ.get("WR_COVERAGE", ""), os.environ.get("WR_COVERAGE_ROOT", ""))
_measuring.start()


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests(early_config):
    """Leaves the field to a pytest-cov that measures: of two, the later one gets all."""
    known = early_config.known_args_namespace
    if getattr(known, "cov_source", None) and not getattr(known, "no_cov", False):
        _measuring.give_up(
            "pytest-cov measures here, by --cov in the arguments or the configuration of pytest",
            'leave it out under wr: [test] args = ["--no-cov"] in wr.toml of the project')
    _measuring.go_on()
    yield


@pytest.hookimpl(trylast=True)
def pytest_unconfigure():
    _measuring.save()
