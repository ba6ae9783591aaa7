//go:build linux && engine

package cli

import (
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/wr-build/wr/host/event"
)

// seat is a person at a terminal who tests the project p.
type seat struct {
	*screen

	w   real
	dir string
	cmd *exec.Cmd
}

// debugging is a workspace whose only test file has that text.
func debugging(t *testing.T, test string) (w real, dir string) {
	t.Helper()
	w = realWr(t)
	dir = t.TempDir()
	write(t, dir, "wr.toml", "[workspace]\nname = \"debug\"\n[limits]\ntimeout = \"2s\"\n")
	write(t, dir, "p/devops/Dockerfile", "FROM acme/python\n")
	write(t, dir, "p/test_a.py", test)
	if out, errs, code := w.run(dir, "build", "p"); code != 0 {
		t.Fatalf("build: exit %d\n%s\n%s", code, out, errs)
	}
	before := w.census()
	t.Cleanup(func() { w.leavesNothing(before) })
	return w, dir
}

// sit starts wr test on a terminal.
func (w real) sit(dir string, args ...string) seat {
	w.t.Helper()
	cmd := w.command(dir, append([]string{"test", "p"}, args...)...)
	cmd.Env = append(cmd.Env, "TERM=xterm")
	return seat{newScreen(w.t, cmd, pty.Winsize{Cols: 91, Rows: 33}), w, dir, cmd}
}

// signalled sends wr a signal from elsewhere.
func (s seat) signalled() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Error(err)
	}
}

// leaves waits for the end of wr, which gives the terminal back as it was, and
// returns its exit code.
func (s seat) leaves() int {
	s.t.Helper()
	hung := time.AfterFunc(time.Minute, func() { _ = s.cmd.Process.Kill() })
	defer hung.Stop()
	exit := code(s.t, s.cmd.Wait())
	s.isAsFound()
	return exit
}

// outcomes are those of the cases of the last run, in order.
func (s seat) outcomes() string {
	s.t.Helper()
	var all []string
	for _, c := range lastReport(s.t, s.dir).Project("p").Cases {
		all = append(all, string(c.Outcome))
	}
	return strings.Join(all, " ")
}

const breaks = "def test_x():\n    answer = 42\n    assert not answer, 'because'\n\ndef test_y(): pass\n"

func TestPdbHasTheTerminalOfItsContainer(t *testing.T) {
	w, dir := debugging(t, breaks)
	s := w.sit(dir, "--pdb")
	s.shows("debugging: one container at a time")
	s.shows("(Pdb) ")
	s.typed("import os; os.get_terminal_size(), os.getcwd()\n")
	s.shows("columns=91, lines=33")
	s.shows("'/app/p'")
	if err := pty.Setsize(s.file, &pty.Winsize{Cols: 70, Rows: 20}); err != nil {
		t.Fatal(err)
	}
	s.typed("while os.get_terminal_size() != (70, 20): pass\n\np 'resi' 'zed'\n")
	s.shows("'resized'")
	s.typed("\x03\n")            // is for pdb; Enter wakes a Python that has just looked for signals
	s.shows("KeyboardInterrupt") // as pdb says it at its prompt, or within a command
	began := time.Now()
	for time.Since(began) < 3*time.Second { // longer than [limits] timeout
		s.typed("p 1+1\n")
		s.shows("\n2\r\n")
	}
	s.typed("c\n")
	s.shows("✗ p failed test_a.py::test_x")
	s.shows("1 failed, 1 passed")
	if got := s.leaves(); got != 1 {
		t.Errorf("exit %d, want 1", got)
	}
	if got := s.outcomes(); got != "failed passed" {
		t.Errorf("outcomes are %s", got)
	}
	log, _, _ := w.run(dir, "logs", "p")
	if !strings.Contains(log, "'resized'") {
		t.Errorf("the log has not what was shown:\n%s", log)
	}
}

// TestCoverageSaysWhatADebuggerTookFromIt: pdb takes the place of coverage.py.
func TestCoverageSaysWhatADebuggerTookFromIt(t *testing.T) {
	w, dir := debugging(t, breaks)
	s := w.sit(dir, "--pdb", "--coverage")
	s.shows("(Pdb) ")
	s.typed("c\n")
	s.shows("1 failed, 1 passed")
	if got := s.leaves(); got != 1 {
		t.Errorf("exit %d, want 1", got)
	}
	if c := w.coverageOf(dir); len(c.Missing) != 1 || !c.Missing[0].Partly || !strings.Contains(c.Missing[0].Reason, "a debugger") {
		t.Errorf("of what it lacks the coverage says %+v", c.Missing)
	}
	s = w.sit(dir, "--pdb", "--coverage", "-k", "test_y") // nothing opens it
	if got := s.leaves(); got != 0 {
		t.Errorf("exit %d, want 0", got)
	}
	if c := w.coverageOf(dir); len(c.Missing) != 0 || c.CoveredLines == 0 {
		t.Errorf("without a breakpoint: %+v", c)
	}
}

func TestWhoLeavesPdbEndsTheRunInOrder(t *testing.T) {
	w, dir := debugging(t, breaks)
	for name, leave := range map[string]struct {
		do       func(s seat)
		exit     int
		outcomes string
	}{
		"by its command":       {func(s seat) { s.typed("q\n") }, 130, "failed not_run"},
		"by a signal to wr":    {func(s seat) { s.signalled() }, 130, "failed not_run"},
		"by two, which end wr": {func(s seat) { s.signalled(); s.shows("\n"); s.signalled() }, -1, ""},
		"by the end of pytest": {func(s seat) { s.typed("import os; os.kill(os.getpid(), 9)\n") }, 1, "errored not_run"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			s := w.sit(dir, "--pdb")
			s.shows("(Pdb) ")
			leave.do(s)
			if got := s.leaves(); got != leave.exit {
				t.Errorf("exit %d, want %d", got, leave.exit)
			}
			if got := s.outcomes(); leave.outcomes != "" && got != leave.outcomes {
				t.Errorf("outcomes are %s", got)
			}
		})
	}
}

func TestAContainerThatIsTakenAwayGivesTheTerminalBack(t *testing.T) {
	w, dir := debugging(t, breaks)
	s := w.sit(dir, "--pdb")
	s.shows("(Pdb) ")
	if _, errs, code := w.run(dir, "stop", "--all"); code != 0 {
		t.Fatalf("stop: exit %d\n%s", code, errs)
	}
	if got := s.leaves(); got == 0 {
		t.Error("all is well")
	}
	if got := lastReport(t, dir).Project("p").Status; got == event.OK {
		t.Error("the project is well")
	}
}

func TestAShellOpensInTheContainerWhereACaseFailed(t *testing.T) {
	w, dir := debugging(t, `
import pytest

@pytest.fixture
def made(tmp_path, monkeypatch):
    (tmp_path / "made").write_text("by a fixture\n")
    monkeypatch.chdir(tmp_path)
    yield
    (tmp_path / "made").unlink()

def test_x(made): assert 0, "because"
def test_y(): pass
`)
	s := w.sit(dir, "--shell-on-failure")
	s.shows("AssertionError: because")
	s.shows("exit 99: run no further tests")
	s.typed("cat made; echo it is $WR_TEST in $WR_TEST_FILE; stty size; exit\n")
	s.shows("by a fixture")
	s.shows("it is test_a.py::test_x in /app/p/test_a.py")
	s.shows("33 91")
	s.shows("1 failed, 1 passed")
	if got := s.leaves(); got != 1 {
		t.Errorf("exit %d, want 1", got)
	}
	s = w.sit(dir, "--shell-on-failure")
	s.shows("exit 99")
	s.typed("exit 99\n")
	if got := s.leaves(); got != 130 || s.outcomes() != "failed not_run" {
		t.Errorf("exit %d, outcomes %s", got, s.outcomes())
	}
}

// TestAnEditorReachesTestsWithoutANetwork has a debugpy that greets who attaches.
func TestAnEditorReachesTestsWithoutANetwork(t *testing.T) {
	w, dir := debugging(t, "def test_x(): pass\n")
	write(t, dir, "p/debugpy.py", `
import socket

def listen(address):
    global server
    server = socket.create_server(address)

def wait_for_client():
    client, _ = server.accept()
    client.sendall(b"attached")
    client.close()
`)
	port := freePort(t)
	flag := "--debugpy=" + strconv.Itoa(port)
	s := w.sit(dir, flag)
	s.shows("waits for an editor to attach to 127.0.0.1:" + strconv.Itoa(port))
	s.shows("\"localRoot\": \"" + dir + "\"")
	editor, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	defer editor.Close()
	if got, err := io.ReadAll(editor); err != nil || string(got) != "attached" {
		t.Errorf("got %q, %v", got, err)
	}
	s.shows("1 passed")
	if got := s.leaves(); got != 0 {
		t.Errorf("exit %d", got)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if out, _, code := w.run(dir, "test", "p", flag); code != 3 || !strings.Contains(out, "or choose another port: --debugpy=PORT") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// freePort is a port of the loopback that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
