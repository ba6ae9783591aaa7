//go:build linux && engine

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
)

// coverageOf is the coverage of the last run in dir, as wr report tells it.
func (w real) coverageOf(dir string) *report.CoverageDocument {
	w.t.Helper()
	out, errs, code := w.run(dir, "report", "--json")
	var document report.Document
	if err := json.Unmarshal([]byte(out), &document); err != nil || code != 0 || document.Coverage == nil {
		w.t.Fatalf("exit %d, %v\n%s%s", code, err, out, errs)
	}
	return document.Coverage
}

// TestTheCoverageOfSeveralContainersIsOneSum has two projects each cover a part of
// what they share, one of them as another user, and a third that lacks coverage.py.
func TestTheCoverageOfSeveralContainersIsOneSum(t *testing.T) {
	w := realWr(t)
	before := w.census()
	dir := t.TempDir()
	lay(t, dir, map[string]string{
		"wr.toml":                "[workspace]\nname = \"covered\"\n",
		"shared.py":              "def choose(x):\n    if x:\n        return 'left'\n    return 'right'\n",
		"a/devops/Dockerfile":    "FROM acme/python\n",
		"a/lib/__init__.py":      "",
		"a/lib/unused.py":        "def nobody():\n    return 1\n",
		"a/test/test_a.py":       "import shared\n\ndef test_a():\n    assert shared.choose(True) == 'left'\n",
		"b/wr.toml":              "[project]\n[image]\nuser = \"1234:1234\"\n",
		"b/devops/Dockerfile":    "FROM acme/python\n",
		"b/test/test_b.py":       "import shared\n\ndef test_b():\n    assert shared.choose(False) == 'right'\n",
		"bare/devops/Dockerfile": "FROM acme/python\nRUN rm -r /usr/lib/python3/dist-packages/coverage\n",
		"bare/test_bare.py":      "def test_bare():\n    pass\n",
	})
	for _, how := range [][]string{{"test", "a", "b", "--coverage"}, {"test", "a", "b", "--coverage", "--fresh"}} {
		out, errs, code := w.run(dir, how...)
		if code != 0 || !strings.Contains(out, "\ncoverage ") {
			t.Fatalf("wr %v: exit %d\n%s%s", how, code, out, errs)
		}
		got := w.coverageOf(dir)
		elsewhere := event.ProjectCoverage{Covered: event.Covered{Files: 1, Lines: 4, CoveredLines: 4, Branches: 2, CoveredBranches: 2}}
		if !slices.Contains(got.Projects, elsewhere) || len(got.Missing) > 0 || got.Files != 5 || got.Lines != got.CoveredLines+2 {
			t.Errorf("wr %v: %+v", how, got)
		}
		page, err := os.Stat(filepath.Join(dir, got.Page))
		if err != nil || !page.Mode().IsRegular() {
			t.Errorf("the page: %v, %v", page, err)
		}
		total := "\"run.coverage.lines\" value=\"" + report.Percent(got.CoveredLines, got.Lines) + "\""
		if junit, err := os.ReadFile(filepath.Join(dir, ".wr/runs/latest/junit.xml")); err != nil || strings.Count(string(junit), total) != 2 {
			t.Errorf("junit.xml does not have %s of both projects: %v\n%s", total, err, junit)
		}
	}

	out, errs, code := w.run(dir, "test", "-r", "a", "bare", "--coverage")
	if code != 3 || !strings.Contains(out, "test.coverage_missing") || !strings.Contains(out, "lacks bare: coverage.py is not in the image") {
		t.Errorf("without coverage.py: exit %d\n%s%s", code, out, errs)
	}
	if total := lastReport(t, dir).Total(); total.Passed != 2 {
		t.Errorf("the tests of both: %+v", total)
	}
	w.leavesNothing(before)
}
