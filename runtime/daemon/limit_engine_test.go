//go:build linux && engine

package daemon

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// roles are those in which limits must hold.
var roles = map[string]spec.Role{"fresh": spec.RoleFresh, "dev": spec.RoleDev, "test": spec.RoleTest}

// hog takes more memory than there is.
var hog = spec.Process{Args: []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"}}

func TestAProcessKilledForMemoryIsReportedAsThat(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for name, role := range roles {
		c := as(role)
		c.Memory = 64 << 20
		t.Run(name, func(t *testing.T) {
			for range 2 { // a kept container must count anew
				_, exit, err := f.output(t.Context(), c, hog)
				if err != nil || !exit.OOMKilled || exit.Code != 137 {
					t.Errorf("got %+v, error %v", exit, err)
				}
			}
			_, exit, err := f.output(t.Context(), c, sh("exit 137"))
			if err != nil || exit.OOMKilled || exit.Suspect != nil {
				t.Errorf("nothing was killed: got %+v, error %v", exit, err)
			}
		})
		t.Run(name+", a child of the command", func(t *testing.T) {
			_, exit, err := f.output(t.Context(), c, sh(strings.Join(hog.Args, " ")+"; exit 3"))
			if err != nil || exit.OOMKilled || exit.Code != 3 || code(exit) != spec.LimitMemory {
				t.Errorf("got %+v, error %v", exit, err)
			}
		})
	}
}

// TestNobodyIsBlamedForANeighbour has a process end by SIGKILL while another
// one in the same container is killed for memory.
func TestNobodyIsBlamedForANeighbour(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	c := as(spec.RoleDev)
	c.Memory = 64 << 20
	in, release := pipe(t)
	said, out := pipe(t)
	type ending struct {
		exit spec.Exit
		err  error
	}
	innocent := make(chan ending, 1)
	go func() {
		exit, err := f.Run(t.Context(), c, sh("echo up; cat; kill -KILL $$"), spec.Stdio{In: in, Out: out})
		innocent <- ending{exit, err}
	}()
	if n, err := said.Read(make([]byte, 8)); n != 3 {
		t.Fatalf("it said %d bytes, %v", n, err)
	}
	_, exit, err := f.output(t.Context(), c, hog)
	release.Close()
	for whose, got := range map[string]ending{"the neighbour's": {exit, err}, "the innocent's": <-innocent} {
		if got.err != nil || got.exit.OOMKilled || got.exit.Code != 137 || code(got.exit) != spec.LimitMemory {
			t.Errorf("%s end: got %+v, error %v", whose, got.exit, got.err)
		}
	}
	f.eventually("nobody uses it", f.unused)
	if _, exit, err := f.output(t.Context(), c, hog); err != nil || !exit.OOMKilled {
		t.Errorf("alone again: got %+v, error %v", exit, err)
	}
}

// code is that of the suspect.
func code(exit spec.Exit) string {
	if exit.Suspect == nil {
		return ""
	}
	return exit.Suspect.Code
}

// bomb starts processes until none can start any more.
const bomb = `i=0; while [ $i -lt 200 ]; do sleep 100 & i=$((i+1)); done; exit 3`

func TestAForkBombEndsAtThePidsLimit(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for name, role := range roles {
		t.Run(name, func(t *testing.T) {
			c := as(role)
			c.Pids = 64
			text, exit, err := f.output(t.Context(), c, sh(bomb))
			if err != nil || exit.Code == 0 || code(exit) != spec.LimitPids {
				t.Errorf("got %+v, error %v, output %q", exit, err, text)
			}
			// What the bomb has left does not keep the next from starting.
			if got := f.must(c, sh("echo fine")); got != "fine\n" {
				t.Errorf("the next: got %q", got)
			}
		})
	}
}

func TestProcessorsAreShared(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	c := as(spec.RoleDev)
	c.CPUs = 0.1
	began := time.Now()
	f.must(c, sh("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"))
	limited := time.Since(began)
	c.CPUs = 0
	f.must(c, sh("true")) // so that neither counts making a container
	began = time.Now()
	f.must(c, sh("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"))
	if free := time.Since(began); limited < 2*free {
		t.Errorf("a tenth of a processor took %v, all took %v", limited, free)
	}
}

func TestTimeOutEndsAProcessThatIgnoresSIGINT(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for name, role := range roles {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Second, spec.TimedOut(2*time.Second))
			defer cancel()
			began := time.Now()
			_, _, err := f.output(ctx, as(role), sh("trap '' INT TERM HUP; while :; do sleep 100; done"))
			if !fault.HasCode(err, spec.LimitTimeout) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it took %v", took)
			}
			if role == spec.RoleFresh {
				return
			}
			f.until("nothing of it runs", func() bool {
				return strings.TrimSpace(f.must(as(role), sh("cat /proc/[0-9]*/comm | grep -c sleep; true"))) == "0"
			})
		})
	}
}

// until waits for what must become true.
func (f *fixture) until(claim string, holds func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			f.t.Fatalf("still not so: %s", claim)
		}
	}
}

func TestOtherLimitsReplaceTheKeptContainer(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	c := as(spec.RoleDev)
	var ids []string
	for _, change := range []func(){
		func() {},
		func() { c.Memory = 64 << 20 },
		func() { c.Pids = 100 },
		func() { c.CPUs = 1 },
	} {
		change()
		f.must(c, sh("true"))
		f.must(c, sh("true"))
		f.until("only one container is there", func() bool { return len(f.kept()) == 1 })
		ids = append(ids, f.one())
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(ids))); len(distinct) != len(ids) {
		t.Errorf("a container was used with other limits: %v", ids)
	}
}
