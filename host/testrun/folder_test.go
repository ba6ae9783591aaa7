package testrun_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/spec/spectest"
)

// trap is a symbolic link that the owner of a workspace puts where wr, as root,
// is about to write.
type trap struct {
	at    string // in the workspace; RUN stands for the run's directory
	when  moment
	file  bool   // it leads to a file, else to a directory
	fault string // of the run or of its project; "" = the run is recorded as if there were none
}

// moment is when a trap is laid.
type moment int

const (
	before  moment = iota // before the run
	built                 // after its directory was made, before that of the project
	running               // while the tests run
)

var traps = []trap{
	{at: ".wr", fault: "run.no_directory"},
	{at: ".wr/runs", fault: "run.no_directory"},
	{at: ".wr/runs/latest"},
	{at: ".wr/.gitignore", file: true},
	{at: ".wr/pytest", fault: "run.no_directory"},
	{at: ".wr/pytest/p", fault: "run.no_directory"},
	{at: ".wr", when: built},
	{at: ".wr/runs", when: built},
	{at: "RUN", when: built},
	{at: "RUN/events.ndjson", when: built, file: true},
	{at: "RUN/junit.xml", when: built, file: true},
	{at: "RUN/projects", when: built, fault: "wr.unexpected"},
	{at: "RUN/projects/p", when: built, fault: "test.stale_dir"},
	{at: ".wr/runs/latest", when: built},
	{at: ".wr/pytest", when: built, fault: "run.no_directory"},
	{at: "RUN", when: running},
	{at: "RUN/junit.xml", when: running, file: true},
	{at: "RUN/projects", when: running},
	{at: "RUN/projects/p", when: running},
	{at: "RUN/projects/p/output.log", when: running, file: true},
	{at: "RUN/projects/p/facts", when: running},
	{at: "RUN/projects/p/facts/events.ndjson", when: running, file: true},
}

func TestNoLinkLeadsARunElsewhere(t *testing.T) {
	for _, inside := range []bool{false, true} {
		for _, trap := range traps {
			t.Run(fmt.Sprintf("%s at moment %d, inside %v", trap.at, trap.when, inside), func(t *testing.T) {
				root := t.TempDir()
				elsewhere := t.TempDir()
				if inside {
					elsewhere = filepath.Join(root, "kept")
				}
				furnish(t, elsewhere)
				was := inventory(t, elsewhere)
				trap.spring(t, root, elsewhere)
				if now := inventory(t, elsewhere); !maps.Equal(was, now) {
					t.Errorf("what lies elsewhere was\n%v\nand is\n%v", was, now)
				}
			})
		}
	}
}

// furnish fills a directory with what a link could tempt wr to write to.
func furnish(t *testing.T, dir string) {
	t.Helper()
	for _, folder := range []string{"runs", "projects/p/facts", "pytest/p", "facts"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("kept\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// inventory maps all names below dir to what a run could have changed.
func inventory(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*syscall.Stat_t)
		all[name] = fmt.Sprint(info.Mode(), stat.Uid, stat.Gid, stat.Nlink, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// spring carries out a run with the trap laid and checks how it ends.
func (p trap) spring(t *testing.T, root, elsewhere string) {
	t.Helper()
	var kept *os.Root // the run's directory, wherever it is moved
	lay := func(now moment) {
		if now == p.when {
			p.lay(t, root, elsewhere)
		}
	}
	lay(before)
	builder := &spectest.Builder{OnBuild: func(context.Context, spec.Build, func(spec.Step)) error {
		kept = openRun(t, root)
		lay(built)
		return nil
	}}
	runner := &spectest.Runner{OnRun: func(_ context.Context, _ spec.Container, _ spec.Process, stdio spec.Stdio) (spec.Exit, error) {
		_, err := stdio.Out.WriteString("pytest: not found\n")
		lay(running)
		return spec.Exit{Code: 127}, err
	}}
	result, _, err := testrun.Do(t.Context(), planned(root, "p"), testrun.Config{
		Builder: builder, Runner: runner, Jobs: 1, Builds: 1, Owner: someone(), Now: time.Now,
	})
	switch {
	case kept == nil:
		if !fault.HasCode(err, p.fault) {
			t.Errorf("the run ended with %v, want %s", err, p.fault)
		}
		return
	case err != nil:
		t.Fatalf("the run ended with %v", err)
	case p.fault == "":
		p.fault = "test.pytest_missing"
	}
	if f := result.Project("p").Fault; f == nil || f.Code != p.fault {
		t.Errorf("the project ended with %v, want %s", f, p.fault)
	}
	if info, err := kept.Lstat(testrun.JUnitFile); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		t.Errorf("junit.xml is not where it belongs: %v, %v", info, err)
	}
}

// openRun opens the directory of the only run of the workspace.
func openRun(t *testing.T, root string) *os.Root {
	t.Helper()
	found, _ := testrun.Latest(root)
	dir, err := os.OpenRoot(found.Path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return dir
}

// lay puts the link in place of what is there, which is kept beside it.
func (p trap) lay(t *testing.T, root, elsewhere string) {
	t.Helper()
	target := elsewhere
	if p.file {
		target = filepath.Join(elsewhere, "file")
	}
	latest, _ := testrun.Latest(root)
	at := filepath.Join(root, strings.Replace(p.at, "RUN", ".wr/runs/"+latest.ID, 1))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(at, at+".aside"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	target, err := filepath.Rel(filepath.Dir(at), target) // os.Root refuses absolute ones anyway
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, at); err != nil {
		t.Fatal(err)
	}
}
