package agent

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

func TestClosedConnectionEndsTheProcessGroup(t *testing.T) {
	tests := map[string]string{
		"polite":                     `sleep 1000 & echo $!; echo $$; wait`,
		"ignores hangup":             `trap "" HUP; sleep 1000 & echo $!; echo $$; wait`,
		"ignores all it can":         `trap "" HUP TERM INT; sleep 1000 & echo $!; echo $$; while :; do wait; sleep 1000; done`,
		"stopped":                    `sleep 1000 & echo $!; echo $$; kill -STOP $$; wait`,
		"has a job in its own group": `set -m; sleep 1000 & echo $!; echo $$; trap "" HUP TERM; wait`,
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startAgent(t)
			out, w := pipe(t)
			s := a.start(shell(script), spec.Stdio{Out: w})
			l := lines{t, out}
			child, leader := l.pid(), l.pid()
			if leader != s.PID() {
				t.Errorf("the command has pid %d, the session says %d", leader, s.PID())
			}
			s.Close()
			eventually(t, "the command and its child are gone", func() bool { return !lives(child) && !lives(leader) })
			if _, err := s.Wait(t.Context()); !errors.Is(err, os.ErrClosed) {
				t.Errorf("wait after close: got %v", err)
			}
		})
	}
}

func TestKilledClientEndsTheCommand(t *testing.T) {
	a := startAgent(t)
	out, w := pipe(t)
	conn := a.dial()
	s, err := Start(conn, shell("echo $$; exec sleep 1000"), spec.Stdio{Out: w})
	if err != nil {
		t.Fatal(err)
	}
	pid := lines{t, out}.pid()
	// What the kernel does to the socket of a killed process.
	_ = conn.Unix().CloseWrite()
	_ = conn.Unix().CloseRead()
	eventually(t, "the command is gone", func() bool { return !lives(pid) })
	_ = s.Close()
}

func TestExitDoesNotWaitForGrandchildrenWhichThenEnd(t *testing.T) {
	a := startAgent(t)
	out, w := pipe(t)
	began := time.Now()
	s := a.start(shell(`sleep 1000 & echo $!; set -m; sleep 1000 & echo $!; exit 5`), spec.Stdio{Out: w})
	l := lines{t, out}
	same, other := l.pid(), l.pid()
	if exit := wait(t, s); exit.Code != 5 || exit.Elapsed > time.Since(began) {
		t.Errorf("got %+v", exit)
	}
	eventually(t, "the child in the command's group is gone", func() bool { return !lives(same) })
	eventually(t, "the child in a group of its own is gone", func() bool { return !lives(other) })
}

func TestDaemonLivesUntilTheAgentStops(t *testing.T) {
	a := startAgent(t)
	out, w := pipe(t)
	s := a.start(shell(`setsid sh -c 'echo $$; exec sleep 1000' & read line </dev/null; sleep 0.2`), spec.Stdio{Out: w})
	daemon := lines{t, out}.pid()
	wait(t, s)
	a.run(program("true"), "")
	if !lives(daemon) {
		t.Fatal("the daemon ended with the command")
	}
	a.stop()
	if lives(daemon) {
		t.Error("the daemon outlived the agent")
	}
}

func TestOrphansAreReaped(t *testing.T) {
	a := startAgent(t)
	for range 20 {
		a.run(shell(`setsid sh -c 'true & true & exit' & sleep 0.01`), "")
	}
	eventually(t, "no zombie is left", func() bool {
		for _, p := range processes() {
			if p.parent == a.cmd.Process.Pid {
				return false
			}
		}
		return true
	})
	if got := a.run(shell("exit 9"), "").exit.Code; got != 9 {
		t.Errorf("afterwards: got exit code %d, want 9", got)
	}
}

func TestStopEndsAllAndTellsTheClients(t *testing.T) {
	a := startAgent(t)
	out, w := pipe(t)
	polite := a.start(program("sleep", "1000"), spec.Stdio{})
	stubborn := a.start(shell(`trap "" TERM HUP; echo $$; setsid sleep 1000 & echo $!; while :; do sleep 1; done`), spec.Stdio{Out: w})
	idle := a.dial() // a connection that says nothing holds up nobody
	l := lines{t, out}
	leader, daemon := l.pid(), l.pid()
	a.stop()
	if exit := wait(t, polite); exit.Signal != int(syscall.SIGHUP) && exit.Signal != int(syscall.SIGTERM) {
		t.Errorf("polite: got %+v", exit)
	}
	if exit := wait(t, stubborn); exit.Signal != int(syscall.SIGKILL) {
		t.Errorf("stubborn: got %+v", exit)
	}
	if lives(leader) || lives(daemon) {
		t.Error("something outlived the agent")
	}
	if err := <-a.ended; err != nil {
		t.Errorf("the agent ended with %v", err)
	}
	a.ended <- nil
	if _, err := idle.Receive(new(Reply)); err == nil {
		t.Error("the idle connection got an answer")
	}
	if _, err := os.Stat(a.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestKilledAgentIsAFaultAndNotAnExit(t *testing.T) {
	a := startAgent(t)
	out, w := pipe(t)
	s := a.start(shell("echo $$; exec sleep 1000"), spec.Stdio{Out: w})
	lines{t, out}.pid()
	_ = a.cmd.Process.Kill()
	exit, err := s.Wait(t.Context())
	if !fault.HasCode(err, Gone) {
		t.Errorf("got %+v, %v", exit, err)
	}
	if _, err := Start(wire.New(newDeadConn(t)), program("true"), spec.Stdio{}); !fault.HasCode(err, Gone) {
		t.Errorf("start at a dead agent: got %v", err)
	}
}

// newDeadConn is a connection whose other end is closed.
func newDeadConn(t *testing.T) *net.UnixConn {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: t.TempDir() + "/s", Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return conn
}
