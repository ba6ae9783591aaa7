package history_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/history"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
)

// workspace is a directory with a state folder.
func workspace(t *testing.T) (string, state.Folder) {
	t.Helper()
	root := t.TempDir()
	f, err := state.Open(root, spec.Owner{UID: os.Getuid(), GID: os.Getgid()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return root, f
}

// took is the end of a case of project p.
func took(file, name, suite string, d time.Duration) event.Event {
	return event.Event{
		Type: event.CaseFinished, Project: "p", Case: file + "::" + name, File: "p/" + file, Suite: suite, Outcome: event.Passed, Elapsed: d,
	}
}

func save(t *testing.T, f state.Folder, all bool, events ...event.Event) {
	t.Helper()
	r := &report.Run{}
	for _, e := range append(events, event.Event{Type: event.ProjectFinished, Project: "p", Status: event.OK, Elapsed: 2 * time.Second}) {
		r.Apply(e)
	}
	if err := history.Save(f, r, func(*report.Project) bool { return all }); err != nil {
		t.Fatal(err)
	}
}

func TestWhatARunTookIsKnownToTheNext(t *testing.T) {
	root, f := workspace(t)
	if h := history.Load(root); len(h.Files("p", []string{"fast"})) != 0 || h.Start("p") != 0 {
		t.Error("before any run something is known")
	}
	save(t, f, true,
		took("a.py", "x", "fast", 300*time.Millisecond), took("a.py", "y", "fast", 200*time.Millisecond),
		took("a.py", "z", "slow", time.Second), took("b.py", "x", "fast", 0))
	h := history.Load(root)
	for suites, want := range map[string]map[string]time.Duration{
		"fast": {"p/a.py": 500 * time.Millisecond, "p/b.py": 0}, "slow": {"p/a.py": time.Second}, "none": {},
	} {
		if got := h.Files("p", []string{suites}); !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", suites, got, want)
		}
	}
	if got := h.Files("p", []string{"fast", "slow"})["p/a.py"]; got != 1500*time.Millisecond {
		t.Errorf("both suites of a file take %v", got)
	}
	if got := h.Start("p"); got != 500*time.Millisecond {
		t.Errorf("besides its cases it takes %v", got)
	}
}

func TestAPartOfARunChangesWholeFilesOnly(t *testing.T) {
	root, f := workspace(t)
	save(t, f, true, took("a.py", "x", "fast", time.Second), took("b.py", "x", "fast", time.Second), took("c.py", "x", "fast", time.Second))
	left := took("a.py", "y", "fast", 0)
	left.Outcome = event.NotRun
	save(t, f, false,
		took("a.py", "x", "fast", 5*time.Second), left, // -x stopped in there
		took("b.py", "x", "fast", 5*time.Second), event.Event{Type: event.CaseDeselected, Project: "p", Case: "b.py::y"},
		took("c.py", "x", "fast", 5*time.Second), event.Event{Type: event.CaseDeselected, Project: "p", Case: "c.py::y", Suite: "slow", Text: "not asked for"})
	want := map[string]time.Duration{"p/a.py": time.Second, "p/b.py": time.Second, "p/c.py": 5 * time.Second}
	if got := history.Load(root).Files("p", []string{"fast"}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	save(t, f, true, took("c.py", "x", "fast", time.Second))
	if got := history.Load(root).Files("p", []string{"fast"}); len(got) != 1 {
		t.Errorf("files that are gone are still known: %v", got)
	}
}

func TestWhatCannotBeReadIsNoHistory(t *testing.T) {
	root, f := workspace(t)
	for _, text := range []string{"", "{", `{"version":2,"places":{"p":{"suites":{"fast":{"p/a.py":1}}}}}`, `{"version":1,"places":{"p":null}}`} {
		if err := os.WriteFile(filepath.Join(root, ".wr", "durations.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if h := history.Load(root); len(h.Files("p", []string{"fast"})) != 0 || h.Start("p") != 0 {
			t.Errorf("%q is read as %+v", text, h)
		}
		save(t, f, true, took("a.py", "x", "fast", time.Second))
		if got := history.Load(root).Files("p", []string{"fast"}); len(got) != 1 {
			t.Errorf("after %q nothing is kept: %v", text, got)
		}
	}
}

func TestFilesArePartedEvenly(t *testing.T) {
	files := map[string]time.Duration{"a": 7, "b": 5, "c": 4, "d": 3, "e": 1, "f": 0}
	shares, times := history.Split(files, 2)
	if want := [][]string{{"a", "d", "f"}, {"b", "c", "e"}}; !reflect.DeepEqual(shares, want) || times[0] != 10 || times[1] != 10 {
		t.Errorf("got %v, %v", shares, times)
	}
	if shares, _ := history.Split(files, 10); len(shares) != 6 {
		t.Errorf("six files in %d shares", len(shares))
	}
	if shares, _ := history.Split(nil, 3); len(shares) != 0 {
		t.Errorf("no files in %d shares", len(shares))
	}
}
