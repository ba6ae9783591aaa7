package testrun_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// kept makes runs with these ids in a fresh workspace, the last of them the latest.
func kept(t *testing.T, ids ...string) (root string) {
	t.Helper()
	root = t.TempDir()
	for _, id := range ids {
		if err := os.MkdirAll(filepath.Join(root, ".wr", "runs", id), 0o755); err != nil {
			t.Fatal(err)
		}
		events(t, root, id, `{"seq":1,"time":"2026-11-23T02:15:33Z","type":"run_started","run":"`+id+`"}`+"\n")
	}
	return root
}

func events(t *testing.T, root, id, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root, ".wr", "runs", id, testrun.EventsFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestARunIsFoundByWhatNamesNoOther(t *testing.T) {
	first, second, third := "20261122-101010-ab12", "20261123-021533-cd34", "20261123-031533-ef56"
	root := kept(t, first, second, third)
	for name, want := range map[string]string{
		"latest": third, "": third, first: first, "20261122": first, "cd34": second, "20261123-03": third,
		"2026": "run.ambiguous", "20261123-": "run.ambiguous", "20261123-021533-cd35": "run.unknown", "34": "run.unknown", "../runs": "run.unknown",
	} {
		t.Run(name, func(t *testing.T) {
			d, err := testrun.Find(root, name)
			t.Cleanup(func() { _ = d.Close() })
			if d.ID != want && !fault.HasCode(err, want) {
				t.Errorf("got %q, %v, want %s", d.ID, err, want)
			}
		})
	}
	if diff := cmp.Diff([]string{first, second, third}, testrun.Runs(root)); diff != "" {
		t.Errorf("runs differ (-want +got):\n%s", diff)
	}
	if got := testrun.Before(root, third) + " " + testrun.Before(root, first); got != second+" " {
		t.Errorf("before the last and the first are %q", got)
	}
}

func TestAMisspeltRunIsHintedAt(t *testing.T) {
	root := kept(t, "20261123-021533-cd34")
	_, err := testrun.Find(root, "20261123-021533-cd43")
	if f := fault.Of(err); f.Hint != "20261123-021533-cd34" {
		t.Errorf("got %+v", f)
	}
}

func TestAWorkspaceWithoutRunsSaysSo(t *testing.T) {
	if _, err := testrun.Find(t.TempDir(), "latest"); !fault.HasCode(err, "run.none") {
		t.Errorf("got %v", err)
	}
}

// told counts events.
type told int

func (n *told) Emit(event.Event) { *n++ }

func TestARunIsReadWhereverItLies(t *testing.T) {
	id := "20261123-021533-cd34"
	root := kept(t, id)
	found, err := testrun.Find(root, id)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	copied, err := testrun.OpenDir(found.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	for _, d := range []testrun.RunDir{found, copied} {
		var n told
		if r, err := d.Load(&n); err != nil || r.ID != id || r.Finished || n != 1 || d.Alive() {
			t.Errorf("got %+v, %v, %d events, alive %v", r, err, n, d.Alive())
		}
	}
}

func TestARunThatCannotBeReadIsAFault(t *testing.T) {
	id := "20261123-021533-cd34"
	for want, spoil := range map[string]func(path string) error{
		"report.no_events":  os.Remove,
		"report.damaged":    func(path string) error { return os.WriteFile(path, []byte("{}\n"), 0o600) },
		"report.unreadable": func(path string) error { return firstOf(os.Remove(path), os.Symlink("/etc/passwd", path)) },
		"report.unreadable of a pipe": func(path string) error {
			return firstOf(os.Remove(path), syscall.Mkfifo(path, 0o600))
		},
	} {
		t.Run(want, func(t *testing.T) {
			root := kept(t, id)
			d, err := testrun.Find(root, id)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if err := spoil(filepath.Join(d.Path, testrun.EventsFile)); err != nil {
				t.Fatal(err)
			}
			code, _, _ := strings.Cut(want, " ")
			if _, err := d.Load(); !fault.HasCode(err, code) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := testrun.OpenDir(filepath.Join(t.TempDir(), "none")); !fault.HasCode(err, "report.no_events") {
		t.Errorf("a directory that is not there gives %v", err)
	}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestARunInPlaceOfALinkIsNotWrittenTo(t *testing.T) {
	id, elsewhere := "20261123-021533-cd34", t.TempDir()
	root := kept(t, id)
	runs := filepath.Join(root, ".wr", "runs")
	if err := firstOf(os.RemoveAll(runs), os.Mkdir(filepath.Join(elsewhere, id), 0o755), os.Symlink(elsewhere, runs)); err != nil {
		t.Fatal(err)
	}
	if _, err := testrun.Find(root, id); !fault.HasCode(err, "report.unreadable") {
		t.Errorf("got %v", err)
	}
}

func TestAFileThatIsKeptIsTheRunsOwnersAndNeverFollowsALink(t *testing.T) {
	root := t.TempDir()
	owner := someone()
	d := newRunOf(t, root, time.Now(), owner)
	if !d.Alive() {
		t.Error("a run that goes on is not alive")
	}
	d.Close()
	found, err := testrun.Find(root, "latest")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	if found.Alive() || found.Has("report.html") {
		t.Error("a run that is over is alive, or has a page that nobody has made")
	}
	victim := filepath.Join(root, "victim")
	if err := firstOf(os.WriteFile(victim, []byte("mine"), 0o600), os.Symlink(victim, filepath.Join(found.Path, "report.html"))); err != nil {
		t.Fatal(err)
	}
	path, err := found.Keep("report.html", func(w io.Writer) error { return report.JUnit(w, &report.Run{}) })
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || int(info.Sys().(*syscall.Stat_t).Uid) != owner.UID || !found.Has("report.html") {
		t.Errorf("got %v, %v", info, err)
	}
	if text, _ := os.ReadFile(victim); string(text) != "mine" {
		t.Errorf("what the link leads to is %q", text)
	}
}
