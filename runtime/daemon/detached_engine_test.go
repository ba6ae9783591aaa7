//go:build linux && engine

package daemon

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// detach runs a process that outlives its client, which leaves once the process
// has printed a line, and returns what it prints from then on.
func (f *fixture) detach(script string, ports ...spec.Port) *bufio.Reader {
	f.t.Helper()
	return f.detachUntil(spec.ErrLeft, script, ports...)
}

// detachUntil is detach for a client that leaves for some reason.
func (f *fixture) detachUntil(reason error, script string, ports ...spec.Port) *bufio.Reader {
	f.t.Helper()
	ctx, leave := context.WithCancelCause(f.t.Context())
	r, w := pipe(f.t)
	p := sh(script)
	p.Detached, p.Ports = true, ports
	done := make(chan error, 1)
	go func() {
		_, err := f.Run(ctx, as(spec.RoleDev), p, spec.Stdio{Out: w})
		done <- err
	}()
	lines := bufio.NewReader(r)
	if _, err := lines.ReadString('\n'); err != nil {
		f.t.Fatal(err)
	}
	leave(reason)
	if err := <-done; !errors.Is(err, reason) {
		f.t.Errorf("got %v", err)
	}
	_ = w.Close() // or the end of the output would wait for this process
	return lines
}

// commands are those that run in the only container.
func (f *fixture) commands() string {
	f.t.Helper()
	f.one()
	all, err := f.Containers(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.Join(all[0].Commands, "; ")
}

func TestADetachedProcessOutlivesItsClientAndHoldsItsContainer(t *testing.T) {
	f := start(t, func(c *engineConfig) { c.Keep = 100 * time.Millisecond })
	f.detach("echo $$ >/tmp/pid; echo up; exec sleep 1000")
	other := as(spec.RoleDev)
	other.Labels = map[string]string{"wr.project": "other"}
	f.must(other, sh("true"))
	f.eventually("the other is gone, as it is not used", func() bool { return len(f.kept()) == 1 })
	if n := f.inUse(); n != 1 {
		t.Errorf("%d containers are in use", n)
	}
	if got := f.commands(); !strings.Contains(got, "exec sleep 1000") {
		t.Errorf("what runs is %q", got)
	}
	f.killEngine()
	f.up()
	if n := f.inUse(); n != 1 {
		t.Errorf("%d containers are in use of the next engine", n)
	}
	f.must(as(spec.RoleDev), sh("kill $(cat /tmp/pid)"))
	f.eventually("it is gone as well", func() bool { return len(f.kept()) == 0 })
}

func TestRemovingItsContainerEndsADetachedProcess(t *testing.T) {
	f := start(t)
	lines := f.detach("echo up; exec sleep 1000")
	f.stopAll()
	if _, err := lines.ReadString('\n'); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end of its output", err)
	}
}

func TestADetachedProcessEndsWithAClientThatIsInterrupted(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for _, script := range []string{"exec sleep 1000", "trap '' INT HUP TERM; while :; do sleep 1; done"} {
		lines := f.detachUntil(context.Canceled, "echo up; "+script)
		if _, err := lines.ReadString('\n'); !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v, want the end of its output", script, err)
		}
		f.eventually(script+" has ended", func() bool { return f.commands() == "" })
	}
}

// TestPortsOfADetachedProcessArePublishedUntilItEnds also lets the engine die.
func TestPortsOfADetachedProcessArePublishedUntilItEnds(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	port := spec.Port{Address: freeAddress(t), Container: 7000}
	answers := func() bool {
		got, err := echoed(port.Address, "hello")
		return err == nil && got == "hello"
	}
	f.detach("echo $$ >/tmp/pid; while nc -l -p 7000 -e cat; do :; done & echo up; wait", port)
	f.eventually("the server answers", answers)
	f.detach("echo up; exec sleep 1000") // a second one, which the port is not for
	f.killEngine()
	f.up()
	f.eventually("the server answers through the next engine", answers)
	f.must(as(spec.RoleDev), sh("kill $(cat /tmp/pid)"))
	f.eventually("the port is free", func() bool {
		l, err := net.Listen("tcp", port.Address)
		if err == nil {
			_ = l.Close()
		}
		return err == nil
	})
	if got := f.commands(); !strings.Contains(got, "sleep 1000") {
		t.Errorf("what runs is %q", got)
	}
}

func TestAPortOfADetachedProcessThatIsTakenIsNamed(t *testing.T) {
	f := start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := sh("true")
	p.Detached, p.Ports = true, []spec.Port{{Address: l.Addr().String(), Container: 80}}
	if _, err := f.Run(t.Context(), as(spec.RoleDev), p, spec.Stdio{}); !fault.HasCode(err, "port.taken") {
		t.Errorf("got %v", err)
	}
}

func TestOnlyAKeptContainerHoldsDetachedProcesses(t *testing.T) {
	f := start(t)
	p := sh("true")
	p.Detached = true
	if _, err := f.Run(t.Context(), box(), p, spec.Stdio{}); err == nil {
		t.Error("no error")
	}
}
