package agent

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/wire"
)

// serveEnv makes the test binary the agent; its value is the socket.
const serveEnv = "WR_TEST_AGENT_SOCKET"

// dialEnv makes the test binary a client that says how it fared.
const dialEnv = "WR_TEST_AGENT_DIAL"

// dialFrom tries to run a command.
func dialFrom(socket string) error {
	conn, err := wire.Dial(socket)
	if err != nil {
		return err
	}
	s, err := Start(conn, program("true"), spec.Stdio{})
	if err != nil {
		return err
	}
	_, err = s.Wait(context.Background())
	return err
}

func TestMain(m *testing.M) {
	if socket := os.Getenv(serveEnv); socket != "" {
		os.Unsetenv(serveEnv)
		if err := Serve(socket, ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if socket := os.Getenv(dialEnv); socket != "" {
		fmt.Fprintln(os.Stdout, dialFrom(socket))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// testAgent is an agent in a process of its own.
type testAgent struct {
	t      testing.TB
	socket string
	cmd    *exec.Cmd
	ended  chan error // what waiting for the process returned
}

// startAgent runs an agent; wrap, if given, is a command that executes it.
func startAgent(t testing.TB, wrap ...string) *testAgent {
	t.Helper()
	return startAgentIn(t, nil, wrap...)
}

// startAgentIn is startAgent with namespaces of its own.
func startAgentIn(t testing.TB, namespaces *syscall.SysProcAttr, wrap ...string) *testAgent {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "wr-agent")
	if err != nil {
		t.Fatal(err)
	}
	a := &testAgent{t: t, socket: filepath.Join(dir, "s"), ended: make(chan error, 1)}
	args := slices.Concat(wrap, []string{self})
	a.cmd = exec.Command(args[0], args[1:]...)
	a.cmd.Env = append(os.Environ(), serveEnv+"="+a.socket, "WR_TEST_OWN=own", "GORACE=atexit_sleep_ms=0")
	a.cmd.Stderr = os.Stderr
	a.cmd.SysProcAttr = namespaces
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { a.ended <- a.cmd.Wait() }()
	t.Cleanup(func() {
		a.stop()
		os.RemoveAll(dir)
	})
	eventually(t, "the agent listens", func() bool {
		conn, err := wire.Dial(a.socket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return a
}

// stop ends the agent.
func (a *testAgent) stop() {
	_ = a.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-a.ended:
		a.ended <- err
	case <-time.After(patience):
		a.t.Error("the agent ignores SIGTERM")
		_ = a.cmd.Process.Kill()
	}
}

// dial connects to the agent.
func (a *testAgent) dial() *wire.Conn {
	a.t.Helper()
	conn, err := wire.Dial(a.socket)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { conn.Close() })
	return conn
}

// start runs a command that must come to life.
func (a *testAgent) start(c Command, stdio spec.Stdio) *Session {
	a.t.Helper()
	s, err := Start(a.dial(), c, stdio)
	if err != nil {
		a.t.Fatalf("start %q: %v", c.Args, err)
	}
	a.t.Cleanup(func() { s.Close() })
	return s
}

// program is args as the user of the test, in the root directory.
func program(args ...string) Command {
	return Command{Args: args, Dir: "/", UID: os.Getuid(), GID: os.Getgid()}
}

// shell is a shell script as a command.
func shell(script string, args ...string) Command {
	return program(append([]string{"sh", "-c", script, "sh"}, args...)...)
}

// wait returns how the session's command ended.
func wait(t testing.TB, s *Session) spec.Exit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	exit, err := s.Wait(ctx)
	if err != nil {
		t.Fatalf("wait: %v", err)
	}
	return exit
}

// result is all that a command did.
type result struct {
	exit           spec.Exit
	stdout, stderr string
}

// run runs a command to its end.
func (a *testAgent) run(c Command, stdin string) result {
	a.t.Helper()
	in, feed := pipe(a.t)
	stdout, stderr := newCapture(a.t), newCapture(a.t)
	go func() {
		io.WriteString(feed, stdin)
		feed.Close()
	}()
	s := a.start(c, spec.Stdio{In: in, Out: stdout.w, Err: stderr.w})
	in.Close()
	exit := wait(a.t, s)
	return result{exit, stdout.String(), stderr.String()}
}

// pipe returns the ends of a pipe, for reading and for writing.
func pipe(t testing.TB) (*os.File, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// capture collects what is written to w.
type capture struct {
	w    *os.File
	done chan []byte
}

func newCapture(t testing.TB) *capture {
	t.Helper()
	r, w := pipe(t)
	c := &capture{w: w, done: make(chan []byte, 1)}
	go func() {
		data, _ := io.ReadAll(r)
		c.done <- data
	}()
	return c
}

// String closes our end and returns everything.
func (c *capture) String() string {
	c.w.Close()
	return string(<-c.done)
}

// eventually waits until a claim is true.
func eventually(t testing.TB, claim string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in %s: %s", patience, claim)
		}
	}
}

// lives tells whether a process runs; a zombie does not.
func lives(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	p, ok := parseStat(pid, stat)
	return ok && !p.dead
}

// lines reads whole lines of numbers from a command.
type lines struct {
	t testing.TB
	r *os.File
}

// pid reads a line that is a process id, and kills that process in the end.
func (l lines) pid() int {
	l.t.Helper()
	line := l.line()
	pid, err := strconv.Atoi(line)
	if err != nil {
		l.t.Fatalf("got %q instead of a process id", line)
	}
	l.t.Cleanup(func() {
		if lives(pid) {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	})
	return pid
}

// line reads up to the end of a line.
func (l lines) line() string {
	l.t.Helper()
	return strings.TrimSuffix(readUntil(l.t, l.r, "\n"), "\n")
}

// readUntil reads up to and including mark.
func readUntil(t testing.TB, r *os.File, mark string) string {
	t.Helper()
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for !bytes.HasSuffix(got, []byte(mark)) {
		var b [1]byte
		if _, err := r.Read(b[:]); err != nil {
			t.Fatalf("read until %q: %v after %q", mark, err, got)
		}
		got = append(got, b[0])
	}
	return string(got)
}
