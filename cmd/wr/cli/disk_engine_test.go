//go:build linux && engine

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/host/testrun"
)

// smallDisk mounts a file system that is full soon.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "wr-disk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	if err := unix.Mount("wr-test", dir, "tmpfs", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestADiskThatTestsFillIsNamed lets a test fill the disk of the workspace.
func TestADiskThatTestsFillIsNamed(t *testing.T) {
	w := realWr(t)
	dir := smallDisk(t, "size=1m")
	lay(t, dir, map[string]string{
		"wr.toml":              "[workspace]\nname = \"full\"\n",
		"p/devops/Dockerfile":  "FROM acme/python\n",
		"p/test/test_fills.py": "def test_before(): pass\n\ndef test_fills():\n    with open('ballast', 'wb', 0) as f:\n        try:\n            while f.write(b'x' * 1024): pass\n        except OSError: pass\n\ndef test_after():\n    print('x' * 100000)\n    assert 0\n",
	})
	before := w.census()
	out, errs, code := w.run(dir, "test", "p")
	w.leavesNothing(before)
	if code != 3 {
		t.Errorf("exit %d, want 3", code)
	}
	for what, text := range map[string]string{"the table": out, "the error": errs} {
		if !strings.Contains(text, "disk.full") || !strings.Contains(text, "on the file system at "+dir) {
			t.Errorf("%s does not name the full disk:\n%s", what, text)
		}
	}
	if !strings.Contains(out, "no junit.xml") || !strings.Contains(errs, "this run has no junit.xml") {
		t.Errorf("it is not said that junit.xml is missing:\n%s\n%s", out, errs)
	}
	latest, _ := testrun.Latest(dir)
	if left, err := filepath.Glob(filepath.Join(latest.Path, "*junit*")); err != nil || len(left) > 0 {
		t.Errorf("of junit.xml there is %v, %v", left, err)
	}
	if loaded := lastReport(t, dir); loaded.Finished {
		t.Error("the events say that the run has finished")
	}
}

// TestADiskThatABuildFillsIsNamed builds an image larger than the engine's disk.
func TestADiskThatABuildFillsIsNamed(t *testing.T) {
	w := real{t: t, bin: binary(t)}
	disk, dir := smallDisk(t, "size=128m"), t.TempDir()
	lay(t, dir, map[string]string{
		"wr.toml":             "[workspace]\nname = \"full\"\n",
		"p/devops/Dockerfile": "FROM scratch\nCOPY big /big\n",
		"p/big":               "",
	})
	if err := os.Truncate(filepath.Join(dir, "p/big"), 256<<20); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, int) {
		cmd := w.command(dir, args...)
		cmd.Env = append(cmd.Env, "WR_ENGINE_DIR="+disk)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	t.Cleanup(func() {
		if out, code := run("engine", "down", "--force"); code != 0 {
			t.Errorf("the engine on the full disk does not end: %d\n%s", code, out)
		}
	})
	if out, code := run("build", "p"); code != 3 || !strings.Contains(out, "[disk.full]") || !strings.Contains(out, "the disk is full on the file system at "+disk+":") {
		t.Errorf("exit %d, want 3 and the full disk\n%s", code, out)
	}
	if out, code := run("build", "--json", "p"); code != 3 || !strings.Contains(out, `"code": "disk.full"`) {
		t.Errorf("exit %d, want 3 and the full disk as JSON\n%s", code, out)
	}
}
