"""Has the processes that tests start measured as well, for wr test --coverage.

Python imports this at its start. Then comes the sitecustomize that this one hides.
"""

import importlib.machinery
import importlib.util
import os
import sys

if os.environ.get("WR_COVERAGE") and os.environ.get("COVERAGE_PROCESS_START"):
    try:
        import coverage

        coverage.process_startup()
    except Exception:
        pass  # another interpreter, or another user: what a test has started must not fail for it

_here = os.path.dirname(os.path.abspath(__file__))
_hidden = importlib.machinery.PathFinder.find_spec("sitecustomize", [path for path in sys.path if os.path.abspath(path) != _here])
if _hidden is not None and _hidden.loader is not None:
    sys.modules["sitecustomize"] = importlib.util.module_from_spec(_hidden)
    _hidden.loader.exec_module(sys.modules["sitecustomize"])
