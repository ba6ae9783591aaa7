"""Combines what the tests of a run have covered, for wr test --coverage.

    python wr_combine.py ROOT UNITS OUT PLAN

ROOT is the workspace, UNITS the folder with one for each unit, OUT where the result
goes, PLAN a JSON file: {"units": [{"folder", "project", "nested"}]}, all paths
relative to UNITS or to ROOT. Left in OUT are .coverage, coverage.json, coverage.xml,
lcov.info, html/ and totals.json, which wr reads. Paths in them are relative to
ROOT, so they hold on any machine.

Works with Python >= 3.8 and coverage.py >= 6.3, whatever wrote the data: all have one
format.
"""

import glob
import json
import os
import re
import sys
import warnings

import coverage
from coverage.exceptions import ConfigError, CoverageException, CoverageWarning

_NEVER = ["*/.*/*", "*/site-packages/*", "*/dist-packages/*", "*/node_modules/*"]  # is a project's own code


class _Unit:
    """What one process of wr's test run has left: a folder with data."""

    def __init__(self, root, units, planned):
        self.project = planned["project"]
        self.dir = os.path.normpath(os.path.join(root, self.project))
        self.nested = [os.path.join(root, path) for path in planned["nested"]]
        self._folder = os.path.join(units, planned["folder"])
        with open(os.path.join(self._folder, "status.json"), encoding="utf-8") as f:
            self.status = json.load(f)

    def data(self):
        return sorted(glob.glob(os.path.join(glob.escape(self._folder), "data.*")))


def _seen(units, out):
    """Writes data in which every file of the projects is there, also those that nobody imported."""
    written = []
    for number, unit in enumerate({unit.dir: unit for unit in units if not unit.status["chooses"]}.values()):
        seen = coverage.Coverage(
            config_file=False, branch=True, source=[unit.dir], data_file=os.path.join(out, ".seen.%d" % number),
            omit=unit.status["omit"] + [os.path.join(path, "*") for path in unit.nested] + _NEVER,
        )
        seen.set_option("run:disable_warnings", ["no-data-collected"])
        try:
            seen.set_option("report:include_namespace_packages", True)
        except ConfigError:
            pass  # before 7.0 only what lies in packages is found
        seen.start()
        (lambda: None)()  # without a call there is nothing to save
        seen.stop()
        seen.save()
        written.append(seen.get_data().data_filename())
    return written


def _combined(units, parts, out):
    """Combines data files, with the [paths] that projects have, and forgets where the workspace was."""
    whole = coverage.Coverage(config_file=False, branch=True, data_file=os.path.join(out, ".absolute"))
    whole.set_option("paths", {
        "%s %s" % (unit.project, name): some for unit in units for name, some in unit.status["paths"].items()})
    whole.combine(parts, strict=True, keep=True)
    data = whole.get_data()
    relative = coverage.CoverageData(os.path.join(out, ".coverage"))
    names = {path: os.path.relpath(path) for path in data.measured_files()}
    names = {path: name for path, name in names.items() if not name.startswith("../")}
    tracers = {name: data.file_tracer(path) for path, name in names.items()}
    for context in sorted(data.measured_contexts()) or [""]:
        data.set_query_context(context)
        relative.set_context(context)
        relative.add_arcs({name: data.arcs(path) or [] for path, name in names.items()})
    for name, tracer in tracers.items():
        relative.touch_file(name, tracer or "")
    relative.write()


def _report(units, out):
    """Writes the reports, with what the configuration says of them."""
    report = coverage.Coverage(config_file=_config(units), data_file=os.path.join(out, ".coverage"))
    for name in ("run:source", "run:source_pkgs", "run:source_dirs", "run:include", "run:omit", "report:include", "report:omit"):
        try:
            report.set_option(name, None)
        except ConfigError:
            pass  # this version does not know it
    report.set_option("run:relative_files", True)
    report.set_option("run:branch", True)
    report.load()
    # Why ignore_errors: a file that cannot be read is told as a warning, and the others count.
    report.html_report(directory=os.path.join(out, "html"), ignore_errors=True)
    xml = os.path.join(out, "coverage.xml")
    report.xml_report(outfile=xml, ignore_errors=True)
    _relocate(xml)
    report.lcov_report(outfile=os.path.join(out, "lcov.info"), ignore_errors=True)
    report.json_report(outfile=os.path.join(out, "coverage.json"), ignore_errors=True)


def _relocate(xml):
    """Has a report say that its paths are relative: before 7.0 it names the workspace in the container."""
    with open(xml, encoding="utf-8") as f:
        text = f.read()
    with open(xml, "w", encoding="utf-8") as f:
        f.write(re.sub("<source>.*</source>", "<source>.</source>", text))


def _config(units):
    """Whose [report] holds for all: that of the root, or the only one that there is."""
    found = {unit.status["config"] for unit in units}
    for path in found:
        if len(found) == 1 or path and os.path.dirname(path) == os.getcwd():
            return path or False
    warnings.warn("[report] in %s is not obeyed, since the report is one for several projects: say it in the root of the workspace" % " and ".join(
        sorted(os.path.relpath(path) for path in found if path)))
    return False


def _totals(units, out, told):
    """Sums up by project what coverage.json says of files."""
    with open(os.path.join(out, "coverage.json"), encoding="utf-8") as f:
        document = json.load(f)
    projects = {unit.project: _sum() for unit in units}
    others, whole = _sum(), _sum()
    for path, file in document["files"].items():
        for total in (whole, projects.get(_project(path, projects), others)):
            total["files"] += 1
            total["lines"] += file["summary"]["num_statements"]
            total["coveredLines"] += file["summary"]["covered_lines"]
            total["branches"] += file["summary"]["num_branches"]
            total["coveredBranches"] += file["summary"]["covered_branches"]
    listed = [{"project": project, **projects[project]} for project in sorted(projects)]
    if others["files"]:
        listed.append({"project": "", **others})
    with open(os.path.join(out, "totals.json"), "w", encoding="utf-8") as f:
        json.dump({"coverage": coverage.__version__, "total": whole, "projects": listed, "warnings": told}, f)


def _sum():
    return dict.fromkeys(("files", "lines", "coveredLines", "branches", "coveredBranches"), 0)


def _project(path, projects):
    """The nearest project above a file."""
    while path:
        path = os.path.dirname(path)
        if (path or ".") in projects:
            return path or "."
    return None


def main(root, units, out, plan):
    os.chdir(root)
    with open(plan, encoding="utf-8") as f:
        found = [_Unit(root, units, planned) for planned in json.load(f)["units"]]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        seen = _seen(found, out)
        _combined(found, [path for unit in found for path in unit.data()] + seen, out)
        _report(found, out)
    told = [str(w.message) for w in caught if issubclass(w.category, (UserWarning, CoverageWarning))]
    _totals(found, out, list(dict.fromkeys(told)))
    for path in seen + [os.path.join(out, ".absolute")]:
        os.remove(path)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (ConfigError, CoverageException) as err:
        sys.exit("coverage.py %s: %s" % (coverage.__version__, err))
