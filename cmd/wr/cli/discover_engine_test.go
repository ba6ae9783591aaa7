//go:build linux && engine

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/report"
)

// repository is this repository.
const repositoryRoot = "../../.."

// withPlugin adds one of wr's own plugins to the workspace in dir.
func (w real) withPlugin(dir, name string) {
	w.t.Helper()
	if _, errs, code := w.run(dir, "plugin", "add", name, "--yes"); code != 0 {
		w.t.Fatalf("add %s: exit %d\n%s", name, code, errs)
	}
}

// TestTheExampleOfListsIsGreen runs the tests that lists and a notebook name.
func TestTheExampleOfListsIsGreen(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, repositoryRoot+"/examples/lists")
	w.withPlugin(dir, "testlist")
	before := w.census()
	out, errs, code := w.run(dir, "test", "-r", "--suite", "all")
	if code != 0 {
		t.Fatalf("exit %d\n%s\n%s", code, out, errs)
	}
	w.leavesNothing(before)
	r := lastReport(t, dir)
	if got, want := r.Total(), (report.Counts{Collected: 9, Passed: 9}); got != want {
		t.Errorf("counts are %+v, want %+v\n%s", got, want, out)
	}
	for id, want := range map[string]string{
		"notebooks/density.ipynb::cell[3]":         "lab fast",
		"notebooks/density.ipynb::cell[5]":         "lab nightly",
		"notebooks/density.ipynb::test_density":    "lab fast",
		"test/checks.py::test_units":               "lab fast",
		"test/checks.py::test_old_records":         "lab[archive] fast",
		"test/test_samples.py::test_all_samples":   "lab nightly",
		"test/test_samples.py::test_sample[water]": "lab fast",
	} {
		got := ""
		for _, p := range r.Projects {
			if c := p.Case(id); c != nil {
				got = p.Unit().Place().String() + " " + c.Suite
			}
		}
		if got != want {
			t.Errorf("%s is of %q, want %q", id, got, want)
		}
	}
}

// TestThePytestPluginPlansByteForByteWhatWrPlans asks it through the real sandbox.
func TestThePytestPluginPlansByteForByteWhatWrPlans(t *testing.T) {
	w := realWr(t)
	for _, source := range []string{"examples/acme", "examples/rights", "examples/lists", "host/pyscan/testdata/corpus"} {
		t.Run(filepath.Base(source), func(t *testing.T) {
			w := real{t: t, bin: w.bin}
			dir := workspaceCopy(t, filepath.Join(repositoryRoot, source))
			if strings.HasSuffix(source, "corpus") {
				oddProjects(t, dir)
			}
			show := func() string {
				out, errs, _ := w.run(dir, "test", "-r", "--co", "--dry-run", "--json")
				if !strings.Contains(out, `"kind"`) {
					t.Fatalf("there is no plan:\n%s\n%s", out, errs)
				}
				return out
			}
			want := show()
			w.withPlugin(dir, "pytest")
			if got := show(); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(want, `"assigned"`) {
				t.Error("something is assigned without a plugin")
			}
		})
	}
}

// oddProjects has each directory of a workspace be a project.
func oddProjects(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			write(t, dir, filepath.Join(e.Name(), "devops/Dockerfile"), "FROM acme/python\n")
		}
	}
	write(t, dir, "wr.toml", "[workspace]\nname = \"odd\"\n[bases.\"acme/python\"]\nsuite = \"bookworm\"\ninclude = [\"python3\", \"python3-coverage\", \"python3-pytest\"]\n")
}
