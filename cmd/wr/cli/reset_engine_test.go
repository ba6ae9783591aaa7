//go:build linux && engine

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAResetDeletesImagesAndCachesAndNothingElse(t *testing.T) {
	w := real{t: t, bin: binary(t)}
	base, err := os.MkdirTemp("/tmp", "wr-reset")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	lay(t, dir, map[string]string{
		"wr.toml": "[workspace]\n", "p/devops/Dockerfile": "FROM scratch\nCOPY wr.txt /\n", "p/wr.txt": "x",
	})
	lay(t, base, map[string]string{"state/foreign": "x"})
	run := func(args ...string) (string, int) {
		cmd := w.command(dir, args...)
		cmd.Env = append(cmd.Env, "WR_ENGINE_DIR="+base)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	t.Cleanup(func() {
		if out, code := run("engine", "down", "--force"); code != 0 {
			t.Errorf("down: %d\n%s", code, out)
		}
		os.RemoveAll(base)
	})
	if out, code := run("build", "p"); code != 0 {
		t.Fatalf("build: %d\n%s", code, out)
	}
	if out, code := run("engine", "reset"); code != 2 || !strings.Contains(out, "engine.unconfirmed") {
		t.Errorf("without a terminal: exit %d\n%s", code, out)
	}
	if out, code := run("engine", "reset", "--yes"); code != 0 {
		t.Fatalf("reset: %d\n%s", code, out)
	}
	for _, pattern := range []string{"state/containerd/*", "state/buildkit/*", "state/state.bad-*", "run/*/*"} {
		if left, _ := filepath.Glob(filepath.Join(base, pattern)); len(left) > 0 {
			t.Errorf("left are %v", left)
		}
	}
	if _, err := os.Stat(filepath.Join(base, "state/foreign")); err != nil {
		t.Error(err)
	}
	if out, code := run("build", "p"); code != 0 {
		t.Errorf("build after the reset: %d\n%s", code, out)
	}
	if out, code := run("engine", "reset", "--yes", "--keep"); code != 0 || !strings.Contains(out, "state.bad-") {
		t.Errorf("reset --keep: %d\n%s", code, out)
	}
	if out, code := run("gc"); code != 0 || !strings.Contains(out, "removed damaged") {
		t.Errorf("gc after it: %d\n%s", code, out)
	}
}
