//go:build linux && engine

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/container/containertest"
	"github.com/wr-build/wr/runtime/daemon"
)

// alone is wr with an engine of its own, for workspaces whose images are
// busybox and nothing else.
type alone struct {
	t    *testing.T
	bin  string
	base string // of the engine
}

// newAlone has an engine that is removed, with all that it has left, at the
// test's end. It should leave nothing.
func newAlone(t *testing.T) alone {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "wr-")
	if err != nil {
		t.Fatal(err)
	}
	a := alone{t: t, bin: binary(t), base: base}
	t.Cleanup(func() {
		a.must(t.TempDir(), "stop", "--all")
		a.must(t.TempDir(), "engine", "down")
		left, err := containertest.Sweep(context.WithoutCancel(t.Context()), base)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind (%v):\n%s", err, left)
		}
	})
	return a
}

// run runs wr in dir and returns its stdout and stderr.
func (a alone) run(dir string, args ...string) (out, errs string, err error) {
	cmd := exec.Command(a.bin, args...)
	cmd.Dir, cmd.Env = dir, append(environ(), "WR_ENGINE_DIR="+a.base)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// must is run that has to end with 0.
func (a alone) must(dir string, args ...string) string {
	a.t.Helper()
	out, errs, err := a.run(dir, args...)
	if err != nil {
		a.t.Errorf("wr %q in %s: %v\n%s%s", args, dir, err, out, errs)
	}
	return out
}

// listed are the containers that wr ps lists, by workspace.
func (a alone) listed(dir string, args ...string) map[string]string {
	a.t.Helper()
	var all []daemon.Container
	if err := json.Unmarshal([]byte(a.must(dir, append([]string{"ps", "--json"}, args...)...)), &all); err != nil {
		a.t.Fatal(err)
	}
	out := make(map[string]string)
	for _, c := range all {
		if out[c.Workspace] != "" {
			a.t.Errorf("%s has two containers", c.Workspace)
		}
		out[c.Workspace] = c.ID
	}
	return out
}

// workspace makes a workspace with one project, whose image and directory both
// say the word.
func (a alone) workspace(dir, project, word string) {
	a.t.Helper()
	busybox, err := containertest.Busybox(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		a.t.Fatal(err)
	}
	lay(a.t, dir, map[string]string{
		"wr.toml":                      "[workspace]\nname = \"acme\"\n",
		project + "/devops/Dockerfile": "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\nCOPY word /\n",
		project + "/busybox":           string(program),
		project + "/word":              word,
	})
	if err := os.Chmod(filepath.Join(dir, project, "busybox"), 0o755); err != nil {
		a.t.Fatal(err)
	}
}

// says is what a command in the project of dir reads of its image and of its
// directory, where it also leaves a file.
func (a alone) says(dir, project string) string {
	a.t.Helper()
	return a.must(filepath.Join(dir, project), "exec", "--", "sh", "-c", "cat /word; echo -n ' '; cat word; touch was-here")
}

func TestAWorkspaceMayHaveAnyName(t *testing.T) {
	a := newAlone(t)
	for _, name := range []string{"with spaces", "größer 日本", `quo"ted' $HOME`, "-dash", "com,ma:colon=1"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), name)
			a := alone{t: t, bin: a.bin, base: a.base}
			a.workspace(dir, "ein Projekt ä", "hello")
			if got := a.says(dir, "ein Projekt ä"); got != "hello hello" {
				t.Errorf("got %q", got)
			}
			if _, err := os.Stat(filepath.Join(dir, "ein Projekt ä", "was-here")); err != nil {
				t.Error(err)
			}
			if all := a.listed(dir); all[dir] == "" || len(all) != 1 {
				t.Errorf("wr ps lists %v", all)
			}
			a.must(dir, "stop", "--all")
		})
	}
}

func TestTwoWorkspacesOfTheSameNamesShareNothing(t *testing.T) {
	a := newAlone(t)
	first, second := filepath.Join(t.TempDir(), "ws"), filepath.Join(t.TempDir(), "ws")
	a.workspace(first, "web", "first")
	a.workspace(second, "web", "second")
	for range 2 { // the second time, what is kept is used again
		for dir, want := range map[string]string{first: "first first", second: "second second"} {
			if got := a.says(dir, "web"); got != want {
				t.Errorf("in %s: got %q, want %q", dir, got, want)
			}
		}
	}
	all := a.listed(t.TempDir(), "--all")
	if len(all) != 2 || all[first] == "" || all[second] == "" || all[first] == all[second] {
		t.Errorf("wr ps --all lists %v, want one of each workspace", all)
	}
	if own := a.listed(first); len(own) != 1 || own[first] != all[first] {
		t.Errorf("wr ps lists %v in %s, want its own of %v", own, first, all)
	}
	if text := a.must(t.TempDir(), "ps", "--all"); !strings.Contains(text, first) || !strings.Contains(text, second) {
		t.Errorf("wr ps --all does not tell them apart:\n%s", text)
	}
	a.must(first, "stop", "web")
	if left := a.listed(t.TempDir(), "--all"); len(left) != 1 || left[second] != all[second] {
		t.Errorf("after a stop in %s there are %v, want the one of %s", first, left, second)
	}
}

func TestADirectoryThatWasMovedIsNotMetUnderItsOldName(t *testing.T) {
	a := newAlone(t)
	parent := t.TempDir()
	old, moved := filepath.Join(parent, "old"), filepath.Join(parent, "moved")
	a.workspace(old, "web", "before")
	a.says(old, "web")
	kept := a.listed(old)[old]
	if err := errors.Join(os.Rename(old, moved), os.Remove(filepath.Join(moved, "web/was-here"))); err != nil {
		t.Fatal(err)
	}
	if got := a.says(moved, "web"); got != "before before" {
		t.Errorf("in the moved directory: %q", got)
	}
	a.workspace(old, "web", "after")
	if got := a.says(old, "web"); got != "after after" {
		t.Errorf("in the new directory of the old name: %q", got)
	}
	for _, dir := range []string{old, moved} {
		if err := os.Remove(filepath.Join(dir, "web/was-here")); err != nil {
			t.Errorf("the command did not run in %s: %v", dir, err)
		}
	}
	now := a.listed(t.TempDir(), "--all")
	if now[old] == kept || now[moved] == kept || len(now) != 2 {
		t.Errorf("there are %v, want none that is %s", now, kept)
	}
}
