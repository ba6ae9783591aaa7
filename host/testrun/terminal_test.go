package testrun_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// graceTime is how long a process has that was told to end, as in the engine.
const graceTime = time.Second

// runOnTerminal is onHost.Run for a process that has a terminal of its own.
func runOnTerminal(ctx context.Context, c spec.Container, p spec.Process, stdio spec.Stdio) (spec.Exit, error) {
	cmd := exec.CommandContext(ctx, p.Args[0], p.Args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.Dir = p.Dir
	cmd.Env = slices.Concat(os.Environ(), c.Env, p.Env)
	err := onTerminal(cmd, stdio)
	if ctx.Err() != nil {
		return exitOf(cmd), context.Cause(ctx)
	}
	if exitErr := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exitErr) {
		return spec.Exit{}, err
	}
	return exitOf(cmd), nil
}

func exitOf(cmd *exec.Cmd) spec.Exit {
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return spec.Exit{Code: 128 + int(status.Signal()), Signal: int(status.Signal())}
	}
	return spec.Exit{Code: cmd.ProcessState.ExitCode()}
}

// onTerminal runs cmd on a terminal of its own.
func onTerminal(cmd *exec.Cmd, stdio spec.Stdio) error {
	cmd.WaitDelay = graceTime
	master, err := pty.Start(cmd)
	if err != nil {
		return err
	}
	defer master.Close()
	go io.Copy(master, stdio.In) // until the person leaves
	_, _ = io.Copy(stdio.Out, master)
	return cmd.Wait()
}

// line is what a person types once something is shown.
type line struct{ shown, typed string }

// person sits at a terminal and types a script.
type person struct {
	t        *testing.T
	script   []line
	do       map[string]func() // instead of typing
	restored int
	lent     spec.Process
}

// Lend gives the person's terminal to a process.
func (p *person) Lend(process *spec.Process) (spec.Stdio, func(), error) {
	keysOut, keys, err1 := os.Pipe()
	screen, screenIn, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		return spec.Stdio{}, nil, err
	}
	process.Size, process.Env = spec.Size{Cols: 80, Rows: 24}, append(process.Env, "TERM=dumb")
	p.lent = *process
	var watching sync.WaitGroup
	watching.Go(func() { p.watch(screen, keys) })
	return spec.Stdio{In: keysOut, Out: screenIn}, sync.OnceFunc(func() {
		p.restored++
		_ = screenIn.Close()
		watching.Wait()
		_ = keys.Close()
	}), nil
}

// watch types the next line of the script whenever it has its cue.
func (p *person) watch(screen io.Reader, keys io.Writer) {
	var seen bytes.Buffer
	buf := make([]byte, 4096)
	for {
		n, err := screen.Read(buf)
		seen.Write(buf[:n])
		for len(p.script) > 0 {
			i := strings.Index(seen.String(), p.script[0].shown)
			if i < 0 {
				break
			}
			seen.Next(i + len(p.script[0].shown))
			if do := p.do[p.script[0].typed]; do != nil {
				do()
			} else {
				_, _ = io.WriteString(keys, p.script[0].typed)
			}
			p.script = p.script[1:]
		}
		if err != nil {
			return
		}
	}
}

// debug tests w with a person at the terminal, who must come to the end of the
// script.
func (w *world) debug(t *testing.T, d plan.Debug, script ...line) result {
	t.Helper()
	who := &person{t: t, script: script}
	w.unit.Debug, w.unit.Terminal = d, who
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	who.do = map[string]func(){"LEAVE": cancel}
	r := w.run(ctx)
	if len(who.script) > 0 {
		t.Errorf("was never shown %q", who.script[0].shown)
	}
	if who.restored != 1 || who.lent.Size.Cols != 80 {
		t.Errorf("the terminal was restored %d times, lent to %+v", who.restored, who.lent)
	}
	return r
}

func TestPdbHasTheTerminalAndFactsStillCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("def test_x():\n    answer = 42\n    assert not answer\ndef test_y(): breakpoint()\ndef test_z(): pass\n"))
	w.unit.Args = []string{"--pdb"}
	// Why Enter after Ctrl-C: a signal just before Python waits for keys does not wake it.
	r := w.debug(t, plan.Debug{Terminal: true},
		line{"(Pdb) ", "p answer, 'an' 'swered'\n"}, line{"answered", "\x03\n"}, line{"KeyboardInterrupt", "c\n"},
		line{"test_y()", "c\n"})
	a := animal{want: outcomesOf("test_x", "failed", "test_y", "passed", "test_z", "passed"), status: event.Bad, exit: 1}
	a.check(t, r)
	if !strings.Contains(r.log, "(42, 'answered')") {
		t.Errorf("the log is\n%s", r.log)
	}
	if slices.ContainsFunc(r.events, func(e event.Event) bool { return e.Fault != nil }) {
		t.Error("a debugger that somebody has used is warned of")
	}
}

func TestWhoLeavesPdbEndsTheRun(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]string{"by its own command": "q\n", "by the end of input": "\x04", "from outside": "LEAVE"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, one("def test_x(): assert 0\ndef test_y(): pass\n"))
			w.unit.Args = []string{"--pdb"}
			r := w.debug(t, plan.Debug{Terminal: true}, line{"(Pdb) ", keys})
			if r.Status != event.Interrupted || r.Fault != nil {
				t.Errorf("got %s, %v", r.Status, r.Fault)
			}
			if got := r.of("test_a.py::test_y"); got.Outcome != event.NotRun || got.Text != "interrupted" {
				t.Errorf("the case after it is %s: %s", got.Outcome, got.Text)
			}
		})
	}
}

func TestATestThatEndsPytestIsNoPersonWhoLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("import pytest\ndef test_x(): pytest.exit('enough')\n"))
	if r := w.debug(t, plan.Debug{Terminal: true}); r.Status != event.Bad || r.code() != "test.stopped" {
		t.Errorf("got %s, %v", r.Status, r.Fault)
	}
}

const shelled = `
import pytest

@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHELL", "/bin/sh")
    monkeypatch.setenv("PS1", "ready> ")
    monkeypatch.setenv("COLOUR", "blue")
    monkeypatch.setattr("subprocess.Popen", None)
    (tmp_path / "made").write_text("by the fixture")
    yield
    (tmp_path / "made").unlink()

def test_passes(place): pass

def test_fails(place, capsys):
    print("said")
    assert 0, "because"

@pytest.mark.xfail
def test_is_to_fail(): assert 0

def test_lacks(place, request): request.getfixturevalue("nothing_of_that_name")

def test_after(): pass
`

func TestAShellOpensWhereACaseFailed(t *testing.T) {
	t.Parallel()
	for _, capture := range []string{"fd", "sys", "no"} {
		t.Run(capture, func(t *testing.T) {
			w := newWorld(t, map[string]string{"test/test_a.py": shelled})
			w.unit.Args = []string{"--capture", capture}
			r := w.debug(t, plan.Debug{Terminal: true, Shell: true},
				line{"AssertionError: because", ""},
				line{"exit 99: run no further tests", "cat made; echo ' '$COLOUR $WR_TEST; ls $WR_TEST_FILE; tty\n"},
				line{"by the fixture blue test/test_a.py::test_fails", ""}, line{w.unit.Dir + "/test/test_a.py", ""},
				line{"/dev/tty", "sh -c 'echo slee\"\"ping; exec sleep 1000'\n"}, line{"sleeping\r\n", "\x03"}, line{"ready> ", "exit\n"},
				line{"a shell after the call of test_lacks", "exit 3\n"})
			a := animal{
				want: map[string]event.Outcome{
					"test/test_a.py::test_passes": event.Passed, "test/test_a.py::test_fails": event.Failed, "test/test_a.py::test_is_to_fail": event.XFailed,
					"test/test_a.py::test_lacks": event.Failed, "test/test_a.py::test_after": event.Passed,
				},
				status: event.Bad, exit: 1,
			}
			a.check(t, r)
			if !strings.Contains(r.log, "by the fixture blue") {
				t.Errorf("the log is\n%s", r.log)
			}
		})
	}
}

func TestAShellCanEndTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("def test_x(): assert 0\ndef test_y(): assert 0\n"))
	r := w.debug(t, plan.Debug{Terminal: true, Shell: true}, line{"run no further", "exit 99\n"})
	if r.Status != event.Interrupted || r.of("test_a.py::test_x").Outcome != event.Failed || r.of("test_a.py::test_y").Outcome != event.NotRun {
		t.Errorf("got %s, %v", r.Status, r.outcomes())
	}
}

func TestCtrlCInATestEndsTheRunAsEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("import time\ndef test_x():\n    print('sleeping')\n    while True: time.sleep(0.01)\ndef test_y(): pass\n"))
	w.unit.Args = []string{"-s"}
	r := w.debug(t, plan.Debug{Terminal: true, Shell: true}, line{"sleeping", "\x03"})
	if r.Status != event.Interrupted || r.of("test_a.py::test_x").Outcome != event.NotRun {
		t.Errorf("got %s, %v", r.Status, r.outcomes())
	}
}

func TestAKilledShellLeavesTheTerminalUsable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("def test_x(): assert 0\ndef test_y(): assert input() == 'typed'\n"))
	w.unit.Args = []string{"-s"}
	r := w.debug(t, plan.Debug{Terminal: true, Shell: true}, line{"run no further", "stty -echo -icanon; kill -KILL $$\n"}, line{"\n", "typed\n"})
	a := animal{want: outcomesOf("test_x", "failed", "test_y", "passed"), status: event.Bad, exit: 1}
	a.check(t, r)
}

func TestWhatPytestSaysInColourIsUnderstood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"conftest.py": "1 / 0\n", "test_a.py": "def test_x(): pass\n"})
	w.unit.Args = []string{"--pdb", "--color=yes"}
	if r := w.debug(t, plan.Debug{Terminal: true}); r.code() != "test.conftest_failed" || strings.ContainsAny(r.Fault.Message, "[\x1b") {
		t.Errorf("got %v", r.Fault)
	}
}

// noTerminal cannot be lent.
type noTerminal struct{}

func (noTerminal) Lend(*spec.Process) (spec.Stdio, func(), error) {
	return spec.Stdio{}, nil, &fault.Error{Code: "test.no_terminal", Message: "it is gone"}
}

func TestATerminalThatIsGoneIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("def test_x(): pass\n"))
	w.unit.Debug, w.unit.Terminal = plan.Debug{Terminal: true}, noTerminal{}
	if r := w.run(t.Context()); r.Status != event.Broken || r.code() != "test.no_terminal" {
		t.Errorf("got %s, %v", r.Status, r.Fault)
	}
}
