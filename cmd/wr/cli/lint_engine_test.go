//go:build linux && engine

package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// succeeds runs wr, which must exit with 0, and returns its stdout.
func (w real) succeeds(dir string, args ...string) string {
	w.t.Helper()
	out, errs, code := w.run(dir, args...)
	if code != 0 {
		w.t.Fatalf("wr %q: exit %d\n%s\n%s", args, code, out, errs)
	}
	return out
}

// pythonFiles counts the Python files in dir.
func pythonFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".py" {
			n++
		}
		return err
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files, %v", n, err)
	}
	return n
}

// TestTheExampleIsLintedAndMended has a real linter look at and mend real files.
func TestTheExampleIsLintedAndMended(t *testing.T) {
	w := realWr(t)
	t.Setenv("WR_CACHE_DIR", t.TempDir())
	dir := workspaceCopy(t, "../../../examples/acme")
	files := pythonFiles(t, dir)
	before := w.census()
	wants(t, w.succeeds(dir, "lint", "-r"), fmt.Sprintf("nothing found  %d files by 4 linters", files))
	wants(t, w.succeeds(dir, "lint", "-r"), "all known from before")
	const odd = "def a():\n    try:\n        return 1  \n    except:\n        pass\n"
	write(t, dir, "optimizer/optimizer/odd.py", odd)
	out, errs, code := w.run(dir, "lint", "-r")
	if code != 1 {
		t.Fatalf("exit %d\n%s\n%s", code, out, errs)
	}
	wants(t, out, "optimizer/optimizer/odd.py:3:17: warning trailing-space ", "optimizer/optimizer/odd.py:4:5: error bare-except ", fmt.Sprintf("%d of %d results known", files, files+1))
	if out, errs, code = w.run(dir, "lint", "optimizer", "--fix"); code != 1 {
		t.Fatalf("exit %d\n%s\n%s", code, out, errs)
	}
	wants(t, out, "fixed optimizer/optimizer/odd.py", "1 error  ")
	if got, err := os.ReadFile(filepath.Join(dir, "optimizer/optimizer/odd.py")); err != nil || string(got) != "def a():\n    try:\n        return 1\n    except:\n        pass\n" {
		t.Errorf("it is %q, %v", got, err)
	}
	w.leavesNothing(before)
}

// TestALinterCanWriteNothingAndReachesNothing has linters try.
func TestALinterCanWriteNothingAndReachesNothing(t *testing.T) {
	w := realWr(t)
	t.Setenv("WR_CACHE_DIR", t.TempDir())
	dir := t.TempDir()
	write(t, dir, "wr.toml", "[workspace]\n[bases.\"acme/python\"]\nsuite = \"bookworm\"\ninclude = [\"python3\", \"python3-coverage\", \"python3-pytest\"]\n")
	write(t, dir, "p/devops/Dockerfile", "FROM acme/python\n")
	write(t, dir, "p/a.txt", "a\n")
	write(t, dir, "p/b.txt", "b\n")
	write(t, dir, "p/wr.toml", `[project]
[rights]
capabilities = ["NET_ADMIN"]
[lint.writes]
run = "! (echo x >> {files}) 2>/dev/null && ! touch new 2>/dev/null && ! touch /app/new 2>/dev/null"
files = ["*.txt"]
[lint.leaves]
run = "! ls /tmp/left /etc/left 2>/dev/null; found=$?; touch /tmp/left /etc/left 2>/dev/null; exit $found # {files}"
files = ["*.txt"]
[lint.reaches]
run = ["python3", "-c", "import socket, sys; sys.exit(any(name != 'lo' for _, name in socket.if_nameindex()))", "{files}"]
files = ["*.txt"]
`)
	wants(t, w.succeeds(dir, "lint", "p", "-j", "1"), "nothing found  2 files by 3 linters")
	if text, err := os.ReadFile(filepath.Join(dir, "p/a.txt")); err != nil || string(text) != "a\n" {
		t.Errorf("a linter made %q, %v", text, err)
	}
}
