"""A pytest plugin that writes what was collected, one JSON line an item."""

import json
import os


def container(item):
    """The closest container: of the parameters, the function, a class, the module."""
    callspec = getattr(item, "callspec", None)
    for mark in getattr(callspec, "marks", ()):
        mark = getattr(mark, "mark", mark)
        if mark.name == "container":
            return argument(mark)
    mark = item.get_closest_marker("container")
    return argument(mark) if mark else ""


def argument(mark):
    return (mark.args or tuple(mark.kwargs.values()) or ("",))[0]


def pytest_collection_finish(session):
    with open(os.environ["WR_COLLECT"], "w") as out:
        for item in session.items:
            marks = sorted({m.name for m in item.iter_markers()})
            out.write(json.dumps({"id": item.nodeid, "container": container(item), "marks": marks}) + "\n")
