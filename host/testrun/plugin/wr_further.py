"""Collects tests that wr was told of and that pytest finds no reason to look at.

PYTEST_DONT_REWRITE: there is no assertion in here, and rewriting costs time.

Notebooks need nothing but pytest: neither Jupyter nor IPython. Works with Python >= 3.8
and pytest >= 6.
"""

import ast
import builtins
import json
import linecache
import os
import pathlib
import re
import sys
import traceback
import types

import pytest

try:
    from _pytest.assertion.rewrite import rewrite_asserts as _rewrite_asserts
except ImportError:  # asserts in notebooks say less then

    def _rewrite_asserts(tree, source, path, config):
        pass


class _Collector:
    """Collects files that wr was told of and that nobody else does: notebooks, and modules of other names."""

    def __init__(self, files, assigned):
        self._files, self._assigned = set(files), assigned

    def collect(self, path, parent, outcome):
        if path not in self._files or outcome.get_result():
            return
        if path.endswith(".ipynb"):
            node = _from_parent(_Notebook, parent, path)
            node.told(self._assigned.ids(path))
        else:
            node = _from_parent(pytest.Module, parent, path)
        outcome.force_result([node])

    @pytest.hookimpl(tryfirst=True)
    def pytest_itemcollected(self, item):
        """Has a test in a notebook lie at the line of the notebook that wr was told of."""
        if item.getparent(_Notebook) is not None:
            told = self._assigned.says(item, "line")
            item.__dict__["location"] = (item.nodeid.partition("::")[0], told["line"] - 1 if told else None, item.name)


if int(pytest.__version__.split(".")[0]) >= 7:

    class Collector(_Collector):
        @pytest.hookimpl(hookwrapper=True)
        def pytest_collect_file(self, file_path, parent):
            self.collect(str(file_path), parent, (yield))

    def _from_parent(kind, parent, path):
        return kind.from_parent(parent, path=pathlib.Path(path))

else:

    class Collector(_Collector):
        @pytest.hookimpl(hookwrapper=True)
        def pytest_collect_file(self, path, parent):
            self.collect(str(path), parent, (yield))

    def _from_parent(kind, parent, path):
        return kind.from_parent(parent, fspath=type(parent.fspath)(path))


class _Notebook(pytest.Module):
    """A notebook: tests that its cells define, as in a module, and cells that are tests as a whole.

    Only the former need that something runs before there are tests: all cells but
    those that are tests, as all of a module does.
    """

    def told(self, ids):
        """Says which tests there are."""
        cells = [re.match(r"cell\[(\d+)\]$", nodeid) for nodeid in ids if nodeid]
        self._tests = sorted(int(found.group(1)) for found in cells if found)
        self._defines = not cells or None in cells

    def _getobj(self):
        try:
            self._cells = _Cells(str(getattr(self, "path", None) or self.fspath), self.config)
            module = types.ModuleType(self.name)
            module.__dict__.update(self._cells.namespace())
            for number in self._cells.numbers() if self._defines else ():
                if number not in self._tests:
                    self._cells.run(number, module.__dict__)
            return module
        except Exception as err:
            raise self.CollectError(_outside(err))

    def collect(self):
        found = list(super().collect())
        session = _Kernel(self._cells)
        for number in self._tests:
            found.append(pytest.Function.from_parent(self, name="cell[%d]" % number, callobj=session.test(number)))
        return found


class _Kernel:
    """Runs cells as somebody at the notebook would: in their order, in one namespace."""

    def __init__(self, cells):
        self._cells = cells
        self._begin()

    def _begin(self):
        self._namespace, self._done, self._failed = self._cells.namespace(), 0, None

    def test(self, number):
        """The cell as a test: those before it come first. One that ran already runs in a new namespace."""

        def cell():
            __tracebackhide__ = True
            if self._done >= number:
                self._begin()
            for earlier in range(self._done + 1, number):
                self._prepare(earlier)
            if self._failed:
                raise self._failed[0].with_traceback(self._failed[1])
            self._done = number
            self._cells.run(number, self._namespace)

        return cell

    def _prepare(self, number):
        if self._failed:
            return
        try:
            self._cells.run(number, self._namespace)
            self._done = number
        except Exception as err:
            self._failed = err, err.__traceback__


class _Cells:
    """The cells of a notebook that have code.

    There is no IPython: cells that begin with %% do nothing, and neither do lines with
    % or ! or ? in cells that would be no Python with them.
    """

    def __init__(self, path, config):
        with open(path, encoding="utf-8") as f:
            cells = json.load(f)["cells"]
        sources = [cell.get("source", "") for cell in cells if cell.get("cell_type") == "code"]
        self._sources = [source if isinstance(source, str) else "".join(source) for source in sources]
        self._path, self._config = path, config
        self._name = os.path.relpath(path, str(config.invocation_params.dir))
        if os.path.dirname(path) not in sys.path:
            sys.path.insert(0, os.path.dirname(path))  # as Jupyter and pytest have it

    def numbers(self):
        return range(1, len(self._sources) + 1)

    def namespace(self):
        return {"__name__": "__main__", "__file__": self._path, "__builtins__": builtins, "display": print}

    def run(self, number, namespace):
        """Runs a cell in the directory of its notebook."""
        __tracebackhide__ = True
        if number > len(self._sources):
            raise LookupError("there is no cell[%d]: the notebook has %d with code" % (number, len(self._sources)))
        code = self._compiled(number)
        before = os.getcwd()
        os.chdir(os.path.dirname(self._path))
        try:
            exec(code, namespace)
        finally:
            os.chdir(before)

    def _compiled(self, number):
        name, source = "%s::cell[%d]" % (self._name, number), _plain(self._sources[number - 1])
        linecache.cache[name] = len(source), None, source.splitlines(True), name  # for tracebacks
        tree = ast.parse(source, name)
        if self._config.getoption("assertmode", "rewrite") == "rewrite":
            _rewrite_asserts(tree, source.encode("utf-8"), name, self._config)
        return compile(tree, name, "exec", dont_inherit=True)


def _plain(source):
    """A cell without what only IPython understands."""
    if source.startswith("%%"):
        return ""
    try:
        ast.parse(source)
        return source
    except SyntaxError:
        return "".join(_plain_line(line) for line in source.splitlines(True))


def _plain_line(line):
    text = line.strip()
    if text and (text[0] in "%!?" or text[-1] == "?"):
        return line[:len(line) - len(line.lstrip())] + "pass\n"
    return line


def _outside(err):
    """The traceback of an error in a cell, without what is wr's."""
    frames = err.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(err), err, frames))
