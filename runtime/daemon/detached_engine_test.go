//go:build linux && engine

package daemon

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/spec"
)

// detach runs a process that outlives its client, which leaves once the process
// has printed a line, and returns what it prints from then on.
func (f *fixture) detach(script string) *bufio.Reader {
	f.t.Helper()
	ctx, leave := context.WithCancel(f.t.Context())
	r, w := pipe(f.t)
	p := sh(script)
	p.Detached = true
	done := make(chan error, 1)
	go func() {
		_, err := f.Run(ctx, as(spec.RoleDev), p, spec.Stdio{Out: w})
		done <- err
	}()
	lines := bufio.NewReader(r)
	if _, err := lines.ReadString('\n'); err != nil {
		f.t.Fatal(err)
	}
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) {
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

func TestOnlyAKeptContainerHoldsDetachedProcesses(t *testing.T) {
	f := start(t)
	p := sh("true")
	p.Detached = true
	if _, err := f.Run(t.Context(), box(), p, spec.Stdio{}); err == nil {
		t.Error("no error")
	}
}
