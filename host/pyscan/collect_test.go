package pyscan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/pyscan"
)

// item is what pytest collected.
type item struct {
	ID        string
	Container string
	Marks     []string
}

// collect runs pytest --collect-only and returns its items, by file. The roots
// are where Python looks for modules.
func collect(t *testing.T, dir string, roots ...string) map[string][]item {
	t.Helper()
	plugin, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "items")
	cmd := exec.CommandContext(t.Context(), python(t), "-m", "pytest", "--collect-only", "-q", "--continue-on-collection-errors",
		"-p", "wr_collect", "-p", "no:cacheprovider")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PYTHONPATH="+strings.Join(append(roots, plugin), ":"), "WR_COLLECT="+report, "PYTEST_ADDOPTS=", "PYTHONDONTWRITEBYTECODE=1",
		"PYTEST_DISABLE_PLUGIN_AUTOLOAD=1")
	out, _ := cmd.CombinedOutput() // with errors in some files its status is not 0
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("pytest collected nothing (apt-get install python3-pytest): %v\n%s", err, out)
	}
	items := map[string][]item{}
	for line := range strings.Lines(string(data)) {
		var one item
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		file, _, _ := strings.Cut(one.ID, "::")
		items[file] = append(items[file], one)
	}
	return items
}

// pytestVersion is the first number of the version of pytest.
func pytestVersion(t *testing.T) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), python(t), "-c", "import pytest; print(pytest.__version__.split('.')[0])").Output()
	version, err2 := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil || err2 != nil {
		t.Fatalf("this test compares with pytest (apt-get install python3-pytest): %v", errors.Join(err, err2))
	}
	return version
}

// corpus copies testdata/corpus to a place above which there is no project.
func corpus(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/corpus")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWhatIsDecidedIsWhatPytestCollects(t *testing.T) {
	root := corpus(t)
	projects, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	version := pytestVersion(t)
	for _, p := range projects {
		t.Run(p.Name(), func(t *testing.T) {
			if p.Name() == "native" && version < 9 {
				t.Logf("pytest %d does not know [tool.pytest]: compared with pytest 9 alone", version)
				return
			}
			tree, err := pyscan.Discover(t.Context(), os.DirFS(root), pyscan.Options{Dir: p.Name()})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, tree, collect(t, filepath.Join(root, p.Name())))
		})
	}
}

func TestTheExamplesAreDecided(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS("../../examples/acme")); err != nil {
		t.Fatal(err)
	}
	for dir, cases := range map[string]int{".": 5, "apps/web": 7} { // the optimizer needs numpy
		t.Run(dir, func(t *testing.T) {
			tree, err := pyscan.Discover(t.Context(), os.DirFS(root), pyscan.Options{Dir: dir, Skip: []string{"apps/web", "infra", "optimizer"}})
			if err != nil {
				t.Fatal(err)
			}
			host := filepath.Join(root, dir)
			items := collect(t, host, root, host)
			maps.DeleteFunc(items, func(file string, _ []item) bool { return dir == "." && path.Dir(file) != "test" })
			if got := compare(t, tree, items); got != cases {
				t.Errorf("%d cases were compared, want %d", got, cases)
			}
		})
	}
}

// compare checks everything that is decided against what pytest collected.
func compare(t *testing.T, tree *pyscan.Tree, items map[string][]item) (decided int) {
	t.Helper()
	seen := map[string]bool{}
	for i := range tree.Tests {
		f := &tree.Tests[i]
		name := strings.TrimPrefix(f.Name, strings.TrimPrefix(tree.Config.RootDir+"/", "./"))
		seen[name] = true
		if f.Decided(pyscan.Cases) {
			decided += compareFile(t, f, name, items[name])
		}
	}
	for file := range items {
		if !seen[file] && len(tree.Reasons) == 0 {
			t.Errorf("%s: pytest collects from it, and it was not found", file)
		}
	}
	return decided
}

// compareFile checks one file, case by case.
func compareFile(t *testing.T, f *pyscan.File, name string, items []item) (decided int) {
	t.Helper()
	byCase := map[string][]item{}
	for _, one := range items {
		base, _, _ := strings.Cut(strings.TrimPrefix(one.ID, name+"::"), "[")
		byCase[base] = append(byCase[base], one)
	}
	for i := range f.Cases {
		c := &f.Cases[i]
		got := byCase[c.Name]
		delete(byCase, c.Name)
		if c.Decided(pyscan.Cases) {
			compareCase(t, f, c, name, got)
			decided++
		}
	}
	for base := range byCase {
		t.Errorf("%s: pytest collects %s, which was not found", name, base)
	}
	return decided
}

func compareCase(t *testing.T, f *pyscan.File, c *pyscan.Case, name string, items []item) {
	t.Helper()
	if len(items) == 0 {
		t.Errorf("%s:%d: pytest does not collect %s", name, c.Line, c.Name)
		return
	}
	if f.Decided(pyscan.IDs) && c.Decided(pyscan.IDs) {
		var got, want []string
		for _, id := range c.IDs() {
			got = append(got, name+"::"+id)
		}
		for _, one := range items {
			want = append(want, one.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:%d: ids differ\ngot  %q\nwant %q", name, c.Line, got, want)
			return
		}
	}
	if f.Decided(pyscan.Marks) && c.Decided(pyscan.Marks) {
		compareMarks(t, c, items)
	}
}

// compareMarks checks containers and names of marks, item by item.
func compareMarks(t *testing.T, c *pyscan.Case, items []item) {
	t.Helper()
	for i, one := range items {
		container, marks := c.Container, c.Marks
		if len(c.Params) == len(items) {
			marks = slices.Concat(marks, c.Params[i].Marks)
			if own := c.Params[i].Container; own != "" {
				container = own
			}
		}
		if container != one.Container {
			t.Errorf("%s: container %q, want %q", one.ID, container, one.Container)
		}
		var names []string
		for _, m := range marks {
			names = append(names, m.Name)
		}
		slices.Sort(names)
		if names = slices.Compact(names); !slices.Equal(names, one.Marks) && len(c.Params) == len(items) == (c.Params != nil) {
			t.Errorf("%s: marks %q, want %q", one.ID, names, one.Marks)
		}
	}
}

// doubtComment says which reasons a line of the corpus gives.
var doubtComment = regexp.MustCompile(`# doubt: ([a-z_ ]+)`)

func TestEveryDoubtHasItsLine(t *testing.T) {
	root := os.DirFS("testdata/corpus")
	projects, err := fs.ReadDir(root, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range projects {
		tree, err := pyscan.Discover(t.Context(), root, pyscan.Options{Dir: p.Name()})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range tree.Tests {
			t.Run(f.Name, func(t *testing.T) { checkDoubts(t, root, f) })
		}
	}
}

func checkDoubts(t *testing.T, root fs.FS, f pyscan.File) {
	src, err := fs.ReadFile(root, f.Name)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	number := 0
	for line := range strings.Lines(string(src)) {
		number++
		if found := doubtComment.FindStringSubmatch(line); found != nil {
			for code := range strings.FieldsSeq(found[1]) {
				want = append(want, fmt.Sprintf("%d %s", number, code))
			}
		}
	}
	var got []string
	reasons := f.Reasons
	for _, c := range f.Cases {
		reasons = append(reasons, c.Reasons...)
	}
	for _, r := range reasons {
		if r.File == "" {
			got = append(got, fmt.Sprintf("%d %s", r.Line, r.Code))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("reasons\ngot  %q\nwant %q\n%+v", got, want, reasons)
	}
}
