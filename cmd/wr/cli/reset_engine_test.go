//go:build linux && engine

package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// apart is wr with an engine of its own, and a workspace with one project.
type apart struct {
	real
	base string // of the engine
	dir  string // the workspace
}

// newApart makes both; at the test's end the engine is ended.
func newApart(t *testing.T) apart {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "wr-reset")
	if err != nil {
		t.Fatal(err)
	}
	w := apart{real{t: t, bin: binary(t)}, base, t.TempDir()}
	lay(t, w.dir, map[string]string{
		"wr.toml": "[workspace]\n", "p/devops/Dockerfile": "FROM scratch\nCOPY wr.txt /\n", "p/wr.txt": "x",
	})
	t.Cleanup(func() {
		w.succeeds("engine", "down", "--force")
		os.RemoveAll(base)
	})
	return w
}

// wr is a command of wr on that engine.
func (w apart) wr(args ...string) *exec.Cmd {
	cmd := w.command(w.dir, args...)
	cmd.Env = append(cmd.Env, "WR_ENGINE_DIR="+w.base)
	return cmd
}

// fails runs wr and returns what it said and its exit code.
func (w apart) fails(args ...string) (string, int) {
	cmd := w.wr(args...)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// succeeds runs wr and returns what it said.
func (w apart) succeeds(args ...string) string {
	w.t.Helper()
	out, code := w.fails(args...)
	if code != 0 {
		w.t.Errorf("wr %v: exit %d\n%s", args, code, out)
	}
	return out
}

// kill ends the engine as a crash does.
func (w apart) kill() {
	w.t.Helper()
	out, err := w.wr("engine", "status", "--json").Output()
	var status struct{ PID int }
	if err == nil {
		err = json.Unmarshal(out, &status)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if err := syscall.Kill(status.PID, syscall.SIGKILL); err != nil {
		w.t.Fatal(err)
	}
	for syscall.Kill(status.PID, 0) == nil && w.t.Context().Err() == nil {
		runtime.Gosched()
	}
}

// empty fails if the engine's directories hold images, caches or containers.
func (w apart) empty() {
	w.t.Helper()
	for _, pattern := range []string{"state/containerd/*", "state/buildkit/*", "state/state.bad-*", "run/*/*"} {
		if left, _ := filepath.Glob(filepath.Join(w.base, pattern)); len(left) > 0 {
			w.t.Errorf("left are %v", left)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || strings.Contains(string(mounts), w.base) {
		w.t.Errorf("%v, or something is mounted below %s", err, w.base)
	}
}

func TestAResetDeletesImagesAndCachesAndNothingElse(t *testing.T) {
	w := newApart(t)
	lay(t, w.base, map[string]string{"state/foreign": "x"})
	w.succeeds("build", "p")
	if out, code := w.fails("engine", "reset"); code != 2 || !strings.Contains(out, "engine.unconfirmed") {
		t.Errorf("without a terminal: exit %d\n%s", code, out)
	}
	w.succeeds("engine", "reset", "--yes")
	w.empty()
	if _, err := os.Stat(filepath.Join(w.base, "state/foreign")); err != nil {
		t.Error(err)
	}
	w.succeeds("build", "p")
	if out := w.succeeds("engine", "reset", "--yes", "--keep"); !strings.Contains(out, "state.bad-") {
		t.Errorf("reset --keep: %s", out)
	}
	lay(t, w.base, map[string]string{"state/data/0123456789abcdef/bin/wr-agent": "of another build"})
	out := w.succeeds("gc")
	for _, kind := range []string{"removed damaged", "removed helpers"} {
		if !strings.Contains(out, kind) {
			t.Errorf("gc says nothing of %q:\n%s", kind, out)
		}
	}
}

func TestAResetMendsAnEngineThatCannotStart(t *testing.T) {
	w := newApart(t)
	w.succeeds("build", "p")
	w.kill()
	for _, db := range []string{"containerd/io.containerd.metadata.v1.bolt/meta.db", "buildkit/metadata_v2.db"} {
		path := filepath.Join(w.base, "state", db)
		if err := os.Truncate(path, 1000); err != nil {
			t.Fatal(err)
		}
	}
	w.succeeds("engine", "reset", "--yes")
	w.empty()
	w.succeeds("build", "p")
}

func TestAResetEndsTheContainersOfAnEngineThatWasKilled(t *testing.T) {
	w := newApart(t)
	program, err := os.ReadFile(w.bin) // static, and here
	if err == nil {
		err = os.WriteFile(filepath.Join(w.dir, "p/wr"), program, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	lay(t, w.dir, map[string]string{"p/devops/Dockerfile": "FROM scratch\nCOPY wr /bin/\n"})
	w.succeeds("exec", "p", "--", "/bin/wr", "--version")
	if out := w.succeeds("ps", "--json"); !strings.Contains(out, `"dev"`) {
		t.Fatalf("no container is kept:\n%s", out)
	}
	w.kill()
	w.succeeds("engine", "reset", "--yes")
	w.empty()
}

func TestAResetAsksThePersonAtTheTerminal(t *testing.T) {
	w := newApart(t)
	w.succeeds("build", "p")
	for answer, want := range map[string]int{"n\n": 2, "\n": 2, "\x04": 2} {
		cmd := w.wr("engine", "reset")
		s := newScreen(t, cmd, pty.Winsize{Cols: 80, Rows: 24})
		s.shows("Continue? [y/N]")
		s.typed(answer)
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Errorf("answer %q: exit %d, want %d", answer, code, want)
		}
	}
	if out := w.succeeds("build", "p", "--dry-run"); !strings.Contains(out, "p") {
		t.Errorf("the image is gone: %s", out)
	}
	cmd := w.wr("engine", "reset")
	s := newScreen(t, cmd, pty.Winsize{Cols: 80, Rows: 24})
	s.shows("Continue? [y/N]")
	s.typed("y\n")
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("answer y: exit %d", code)
	}
	w.empty()
}
