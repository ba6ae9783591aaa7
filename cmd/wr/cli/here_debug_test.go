package cli

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// hereOn starts wr test --here on a terminal, in a workspace whose only project has a
// test that fails.
func hereOn(t *testing.T, args ...string) (s *screen, cmd *exec.Cmd, dir string) {
	t.Helper()
	dir = t.TempDir()
	write(t, dir, "wr.toml", "[workspace]\nname = \"debug\"\n[suites.fast]\ntimeout = \"1s\"\n")
	write(t, dir, "p/devops/Dockerfile", "FROM acme/python\n")
	write(t, dir, "p/test_a.py", "def test_x():\n    answer = 42\n    assert not answer, 'because'\n\ndef test_y(): pass\n")
	cmd = exec.CommandContext(t.Context(), "wr", append([]string{"test", "p", "--here"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "TERM=xterm", "NO_COLOR=1", "PYTHONDONTWRITEBYTECODE=1")
	return newScreen(t, cmd, pty.Winsize{Cols: 91, Rows: 33}), cmd, dir
}

// left waits for the end of wr, which gives the terminal back as it was, and returns
// its exit code.
func left(t *testing.T, s *screen, cmd *exec.Cmd) int {
	t.Helper()
	hung := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer hung.Stop()
	_ = cmd.Wait()
	s.isAsFound()
	return cmd.ProcessState.ExitCode()
}

func TestPdbHasTheTerminalWhereNoContainerIsMade(t *testing.T) {
	t.Parallel()
	s, cmd, dir := hereOn(t, "--pdb")
	s.shows("debugging: one container at a time")
	s.shows("(Pdb) ")
	s.typed("import os; os.get_terminal_size()\n")
	s.shows("columns=91, lines=33")
	s.typed("\x03\n") // is for pdb
	s.shows("KeyboardInterrupt")
	began := time.Now()
	for time.Since(began) < 2*time.Second { // longer than the suite's timeout
		s.typed("p 1+1\n")
		s.shows("\n2\r\n")
	}
	s.typed("c\n")
	s.shows("✗ p failed test_a.py::test_x")
	s.shows("1 failed, 1 passed")
	if got := left(t, s, cmd); got != 1 {
		t.Errorf("exit %d, want 1", got)
	}
	if r := lastReport(t, dir); r.Here != "p" || r.Project("p").Counts().Failed != 1 {
		t.Errorf("here is %q, counts %+v", r.Here, r.Project("p").Counts())
	}
}

func TestWhoQuitsPdbHereEndsTheRun(t *testing.T) {
	t.Parallel()
	s, cmd, dir := hereOn(t, "--", "--trace")
	s.shows("(Pdb) ")
	s.typed("q\n")
	if got := left(t, s, cmd); got != 130 {
		t.Errorf("exit %d, want 130", got)
	}
	if r := lastReport(t, dir); !r.Interrupted || r.Project("p").Counts().NotRun == 0 {
		t.Errorf("interrupted %t, %+v", r.Interrupted, r.Project("p").Counts())
	}
}

func TestAShellOpensWhereACaseFailedHere(t *testing.T) {
	t.Parallel()
	s, cmd, _ := hereOn(t, "--shell-on-failure")
	s.shows("exit 99: run no further tests")
	s.typed("echo it is $WR_TEST; stty size; exit\n")
	s.shows("it is test_a.py::test_x")
	s.shows("33 91")
	s.shows("1 failed, 1 passed")
	if got := left(t, s, cmd); got != 1 {
		t.Errorf("exit %d, want 1", got)
	}
}

// TestASignalEndsPdbHere as a window sends it that is closed.
func TestASignalEndsPdbHere(t *testing.T) {
	t.Parallel()
	s, cmd, dir := hereOn(t, "--pdb")
	s.shows("(Pdb) ")
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if got := left(t, s, cmd); got != 130 {
		t.Errorf("exit %d, want 130", got)
	}
	if r := lastReport(t, dir); !r.Interrupted || r.Project("p").Counts().NotRun != 1 {
		t.Errorf("interrupted %t, %+v", r.Interrupted, r.Project("p").Counts())
	}
	pytest := exec.CommandContext(t.Context(), "pgrep", "-f", dir)
	if out, err := pytest.Output(); pytest.ProcessState.ExitCode() != 1 {
		t.Errorf("left running: %s, %v", out, err)
	}
}
