package lint_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/lint"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// shouts is a tool that finds the word "bad" in files, and mends it to "good". It
// notes what it was asked to look at.
type shouts struct {
	root string
	mu   sync.Mutex // guards what follows
	seen []string
	more []abi.Diagnostic // that it says besides
	err  error
	kept int               // of how many files of a call it says that it had kept them
	look func(file string) // is told of each file before it is read
	then func(file string) // and after it
}

func (s *shouts) Lint(_ context.Context, files []string) (_ []abi.Diagnostic, kept int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, strings.Join(files, " "))
	all := slices.Clone(s.more)
	for _, file := range files {
		if s.look != nil {
			s.look(file)
		}
		text, err := os.ReadFile(filepath.Join(s.root, file))
		if err != nil {
			return nil, 0, err
		}
		if s.then != nil {
			s.then(file)
		}
		if i := int64(strings.Index(string(text), "bad")); i >= 0 {
			all = append(all, abi.Diagnostic{
				File: file, Severity: abi.SeverityError, Message: "bad",
				Fixes: []abi.Fix{{Safe: true, Edits: []abi.Edit{{File: file, Start: i, End: i + 3, Text: "good"}}}},
			})
		}
	}
	return all, s.kept, s.err
}

func (s *shouts) Format(_ context.Context, files []string) ([]abi.Edit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, "fix "+strings.Join(files, " "))
	var all []abi.Edit
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(s.root, file))
		if err != nil {
			return nil, err
		}
		if strings.Contains(string(text), "bad") {
			all = append(all, abi.Edit{File: file, End: int64(len(text)), Text: strings.ReplaceAll(string(text), "bad", "good")})
		}
		if s.look != nil {
			s.look(file)
		}
	}
	return all, s.err
}

// asked is what the tool was asked for since the last time.
func (s *shouts) asked() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.seen)
	text := strings.Join(s.seen, "; ")
	s.seen = nil
	return text
}

// desk is a workspace with the projects p and p/inner, and a linter for p.
type desk struct {
	t     *testing.T
	root  string
	dir   string // of caches
	tool  *shouts
	files []string
	wrote int // how often Fix said that it had written
	lint.Linter
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, root: t.TempDir(), dir: t.TempDir()}
	for _, file := range []string{"conf", "p/a.py", "p/conf", "p/dir/b.py", "p/dir/deep/conf", "p/dir/skip.py", "p/inner/c.py", "q/conf"} {
		d.write(file, "fine\n")
	}
	d.tool = &shouts{root: d.root}
	d.Linter = lint.Linter{Name: "shouts", Project: "p", Files: lint.NewGlobs([]string{"**/*.py", "!**/skip.py"}), Key: "1", FixKey: "fix 1", Tool: d.tool}
	return d
}

// every file is wanted.
func every(string) bool { return true }

func (d *desk) write(file, text string) {
	d.t.Helper()
	name := filepath.Join(d.root, file)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) read(file string) string {
	d.t.Helper()
	text, err := os.ReadFile(filepath.Join(d.root, file))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// run carries out the linter on all its files, as a process of its own would.
func (d *desk) run(how func(context.Context, []lint.Job, lint.Config) *report.Lint) report.Linted {
	d.t.Helper()
	files, err := lint.Files(d.t.Context(), d.root)
	if err != nil {
		d.t.Fatal(err)
	}
	store, err := cache.Open(d.dir, cache.Options{})
	if err != nil {
		d.t.Fatal(err)
	}
	index := inputs.OpenIndex(filepath.Join(d.dir, "index"))
	tree := lint.NewTree(d.root, files, []string{"p", "p/inner", "q"}, index)
	d.files = tree.Matching(d.Project, d.Files, every)
	r := how(d.t.Context(), []lint.Job{{Linter: d.Linter, Files: d.files}}, lint.Config{Tree: tree, Cache: store, Jobs: 1, Now: time.Now, Wrote: func() { d.wrote++ }})
	if err := errors.Join(store.Close(), index.Close()); err != nil {
		d.t.Fatal(err)
	}
	return r.Linters[0]
}

// lints checks what the tool is asked for, and what is known without it.
func (d *desk) lints(asked string, cached int) report.Linted {
	d.t.Helper()
	r := d.run(lint.Do)
	if got := d.tool.asked(); got != asked || r.Cached != cached || r.Files != len(d.files) {
		d.t.Errorf("asked for %q, and %d of %d known, want %q and %d", got, r.Cached, r.Files, asked, cached)
	}
	return r
}

func TestOnlyWhatChangedIsLookedAtAgain(t *testing.T) {
	d := newDesk(t)
	d.write("p/a.py", "bad\n")
	first := d.lints("p/a.py p/dir/b.py", 0)
	again := d.lints("", 2)
	if len(first.Diagnostics) != 1 || len(again.Diagnostics) != 1 || again.Diagnostics[0].Rule != "shouts" {
		t.Errorf("found %+v, then %+v", first.Diagnostics, again.Diagnostics)
	}
	d.write("p/dir/b.py", "bad too\n")
	if r := d.lints("p/dir/b.py", 1); len(r.Diagnostics) != 2 {
		t.Errorf("found %+v", r.Diagnostics)
	}
}

func TestWhatAToolHasKeptItselfIsKnown(t *testing.T) {
	d := newDesk(t)
	d.tool.kept = 1
	d.lints("p/a.py p/dir/b.py", 1)
}

func TestInputsAreAllOtherFilesBesideAndAbove(t *testing.T) {
	for file, asked := range map[string]string{
		"conf": "p/a.py p/dir/b.py", "p/conf": "p/a.py p/dir/b.py", "p/new": "p/a.py p/dir/b.py",
		"p/dir/skip.py": "p/dir/b.py", "p/dir/new": "p/dir/b.py", "p/dir/deep/conf": "", "p/inner/c.py": "", "q/conf": "",
	} {
		t.Run(file, func(t *testing.T) {
			d := newDesk(t)
			d.lints("p/a.py p/dir/b.py", 0)
			d.write(file, "changed\n")
			d.lints(asked, 2-len(strings.Fields(asked)))
		})
	}
}

func TestInputsCanBeNamed(t *testing.T) {
	for file, asked := range map[string]string{
		"conf": "p/a.py p/dir/b.py", "p/dir/deep/conf": "p/a.py p/dir/b.py", "p/conf": "", "p/new": "", "q/conf": "",
	} {
		t.Run(file, func(t *testing.T) {
			d := newDesk(t)
			d.Inputs = []string{"/conf", "dir/**/conf"}
			d.lints("p/a.py p/dir/b.py", 0)
			d.write(file, "changed\n")
			d.lints(asked, 2-len(strings.Fields(asked)))
		})
	}
}

func TestWhatIsJudgedTogetherIsLookedAtTogether(t *testing.T) {
	d := newDesk(t)
	d.Whole = true
	d.lints("p/a.py p/dir/b.py", 0)
	d.lints("", 2)
	d.write("q/conf", "changed\n")
	d.lints("p/a.py p/dir/b.py", 0)
	d.Inputs = []string{}
	d.lints("p/a.py p/dir/b.py", 0)
	d.write("q/conf", "changed again\n")
	d.lints("", 2)
	d.write("p/a.py", "bad\n")
	if r := d.lints("p/a.py p/dir/b.py", 0); len(r.Diagnostics) != 1 {
		t.Errorf("found %+v", r.Diagnostics)
	}
}

func TestAnotherLinterKnowsNothing(t *testing.T) {
	d := newDesk(t)
	d.lints("p/a.py p/dir/b.py", 0)
	d.Key = "2"
	d.lints("p/a.py p/dir/b.py", 0)
	d.Name = "whispers"
	d.lints("p/a.py p/dir/b.py", 0)
	d.Key = ""
	d.lints("p/a.py p/dir/b.py", 0)
	d.lints("p/a.py p/dir/b.py", 0)
}

func TestNothingIsKeptOfWhatDidNotWork(t *testing.T) {
	d := newDesk(t)
	d.tool.err = &fault.Error{Code: "lint.broken", Message: "broken"}
	if r := d.lints("p/a.py p/dir/b.py", 0); r.Fault == nil || r.Fault.Code != "lint.broken" {
		t.Errorf("got %+v", r)
	}
	d.tool.err = nil
	d.lints("p/a.py p/dir/b.py", 0)
}

func TestWhatIsSaidOfOtherFilesIsToldAndNotKept(t *testing.T) {
	d := newDesk(t)
	d.tool.more = []abi.Diagnostic{{File: "p/conf", Severity: "error", Message: "odd"}}
	for range 2 {
		if r := d.lints("p/a.py p/dir/b.py", 0); len(r.Diagnostics) != 1 {
			t.Errorf("found %+v", r.Diagnostics)
		}
	}
}

func TestAFileThatChangesMeanwhileIsLookedAtAgain(t *testing.T) {
	d := newDesk(t)
	d.tool.look = func(file string) {
		if file == "p/a.py" {
			d.write(file, "bad\n")
		}
	}
	if r := d.lints("p/a.py p/dir/b.py", 0); len(r.Diagnostics) != 1 {
		t.Errorf("found %+v", r.Diagnostics)
	}
	d.write("p/a.py", "fine\n") // as before
	d.tool.look = nil
	if r := d.lints("p/a.py", 1); len(r.Diagnostics) != 0 {
		t.Errorf("found %+v", r.Diagnostics)
	}
}

func TestAFileThatChangesAfterItWasReadIsLookedAtAgain(t *testing.T) {
	d := newDesk(t)
	d.tool.then = func(file string) {
		if file == "p/a.py" {
			d.write(file, "bad\n")
		}
	}
	d.lints("p/a.py p/dir/b.py", 0)
	d.tool.then = nil
	if r := d.lints("p/a.py", 1); len(r.Diagnostics) != 1 {
		t.Errorf("found %+v", r.Diagnostics)
	}
}

func TestACallIsNotGivenMoreThanItTakes(t *testing.T) {
	d := newDesk(t)
	d.Most = 1
	d.lints("p/a.py; p/dir/b.py", 0)
}

func TestARunThatEndsIsInterrupted(t *testing.T) {
	d := newDesk(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	tree := lint.NewTree(d.root, []string{"p/a.py"}, []string{"p"}, inputs.OpenIndex(filepath.Join(d.dir, "index")))
	r := lint.Do(ctx, []lint.Job{{Linter: d.Linter, Files: []string{"p/a.py"}}}, lint.Config{Tree: tree, Now: time.Now})
	if !r.Interrupted || d.tool.asked() != "" || r.Linters[0].Fault != nil || report.LintExitCode(r, "error") != 130 {
		t.Errorf("got %+v", r)
	}
}

func TestAFileBelongsToTheNearestProject(t *testing.T) {
	tree := lint.NewTree("/", nil, []string{"p", "p/inner"}, nil)
	for file, want := range map[string]string{"p/a": "p", "p/x/y/a": "p", "p/inner/a": "p/inner", "pq/a": "", "a": ""} {
		if got, ok := tree.Owner(file); got != want || ok != (want != "") {
			t.Errorf("%s belongs to %q", file, got)
		}
	}
}

func TestAFileIsCountedOnceHoweverManyLookAtIt(t *testing.T) {
	d := newDesk(t)
	index := inputs.OpenIndex(filepath.Join(d.dir, "index"))
	defer index.Close()
	tree := lint.NewTree(d.root, []string{"p/a.py", "p/conf", "p/dir/b.py"}, []string{"p"}, index)
	config := lint.Config{Tree: tree, Jobs: 1, Now: time.Now}
	for _, tt := range []struct {
		files [][]string
		want  int
	}{
		{nil, 0},
		{[][]string{{"p/a.py", "p/dir/b.py"}, {"p/dir/b.py"}}, 2},
		{[][]string{{"p/a.py"}, {"p/conf", "p/dir/b.py"}, {}}, 3},
	} {
		var jobs []lint.Job
		for _, files := range tt.files {
			jobs = append(jobs, lint.Job{Linter: d.Linter, Files: files})
		}
		if r := lint.Do(t.Context(), jobs, config); r.Files != tt.want {
			t.Errorf("%q: got %d, want %d", tt.files, r.Files, tt.want)
		}
	}
}
