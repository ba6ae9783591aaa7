//go:build linux && engine

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/runtime/agent"
	"github.com/wr-build/wr/runtime/container/containertest"
	"github.com/wr-build/wr/runtime/spec"
)

// hammer is one run that ends in one of many ways.
type hammer struct {
	*fixture
	c     spec.Container
	after time.Duration // how long it may go on
	code  int           // with which it ends by itself
}

// stains fails where an earlier run of a container that is nobody else's has
// left something, and leaves something itself.
const stains = `for dir in /tmp /run /dev/shm ~; do test ! -e $dir/stain || exit 99; echo >$dir/stain; done; `

// endings are the ways in which a run ends.
var endings = []struct {
	name   string
	weight int
	end    func(hammer) error
}{
	{"by itself", 6, hammer.byItself},
	{"cancelled", 4, hammer.cancelled},
	{"its client is killed", 1, hammer.killed},
	{"in the middle of the request", 1, hammer.halfAsked},
	{"before there is a container", 3, hammer.asked},
	{"with a container", 3, hammer.created},
	{"in the middle of a request to the agent", 1, hammer.halfStarted},
	{"the agent's connection first", 3, func(h hammer) error { return h.started(true) }},
	{"the engine's connection first", 3, func(h hammer) error { return h.started(false) }},
}

// byItself is a run that nobody disturbs: it tells the truth.
func (h hammer) byItself() error {
	script := "exit " + itoa(h.code)
	if h.c.Role != spec.RoleDev {
		script = stains + script
	}
	exit, err := h.Run(h.t.Context(), h.c, sh(script), spec.Stdio{})
	if err == nil && exit.Code != h.code {
		err = fmt.Errorf("exit %d, want %d", exit.Code, h.code)
	}
	return err
}

// lasting is a process with children, which does not end by itself. Where
// nothing is kept, one of them is no part of its session any more.
func (h hammer) lasting() spec.Process {
	if h.c.Role == spec.RoleDev {
		return sh("sleep 1000 & sleep 1000")
	}
	return sh("sleep 1000 & setsid sleep 1000 & sleep 1000")
}

func (h hammer) cancelled() error {
	ctx, cancel := context.WithTimeout(h.t.Context(), h.after)
	defer cancel()
	if _, err := h.Run(ctx, h.c, h.lasting(), spec.Stdio{}); err == nil {
		return fmt.Errorf("no error after a cancel")
	}
	return nil
}

func (h hammer) killed() error {
	c := h.clientFor(0, task{Args: h.lasting().Args, Role: h.c.Role})
	pause(h.t.Context(), 4*h.after)
	c.kill()
	return nil
}

// halfAsked hangs up in the middle of its request.
func (h hammer) halfAsked() error {
	conn, err := net.Dial("unix", h.config.Dirs.APISocket())
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte{0, 0, 1, 0, '{'})
	pause(h.t.Context(), h.after)
	return errors.Join(err, conn.Close())
}

// asked hangs up while the engine looks for a container or makes one.
func (h hammer) asked() error {
	conn, err := h.open(request{Operation: opRun, Container: &h.c})
	if err != nil {
		return err
	}
	pause(h.t.Context(), h.after)
	return conn.Close()
}

// created hangs up when it has a container, and the agent at last.
func (h hammer) created() error {
	r, err := h.create(h.t.Context(), request{Operation: opRun, Container: &h.c})
	if err != nil {
		return err
	}
	err = r.conn.Close()
	pause(h.t.Context(), h.after)
	return errors.Join(err, r.agent.Close())
}

// halfStarted hangs up in the middle of its request to the agent.
func (h hammer) halfStarted() error {
	r, err := h.create(h.t.Context(), request{Operation: opRun, Container: &h.c})
	if err != nil {
		return err
	}
	defer r.conn.Close()
	_, err = r.agent.Unix().Write([]byte{0, 0, 1, 0, '{'})
	pause(h.t.Context(), h.after)
	return errors.Join(err, r.agent.Close())
}

// started hangs up while its process runs.
func (h hammer) started(agentFirst bool) error {
	r, err := h.create(h.t.Context(), request{Operation: opRun, Container: &h.c})
	if err != nil {
		return err
	}
	session, err := agent.Start(r.agent, r.command(h.lasting()), spec.Stdio{})
	if err != nil {
		return errors.Join(err, r.conn.Close())
	}
	first, second := io.Closer(r.conn), io.Closer(session)
	if agentFirst {
		first, second = second, first
	}
	err = first.Close()
	pause(h.t.Context(), h.after)
	_ = second.Close() // which the other side may have done
	return err
}

// hammers are many runs in a random order, which seed decides.
func (f *fixture) hammers(seed uint64, n int) (all []func() error) {
	random := rand.New(rand.NewPCG(seed, 0))
	var weighted []int
	for i, e := range endings {
		for range e.weight {
			weighted = append(weighted, i)
		}
	}
	for i := range n {
		e := endings[weighted[random.IntN(len(weighted))]]
		role := []spec.Role{spec.RoleDev, spec.RoleDev, spec.RoleTest, spec.RoleTest, spec.RoleFresh}[random.IntN(5)]
		h := hammer{fixture: f, c: as(role), code: random.IntN(50), after: time.Duration(random.IntN(40)) * time.Millisecond}
		if random.IntN(10) == 0 { // another key, at the same place
			h.c.Env = []string{"CHANGED=" + itoa(random.IntN(3))}
		}
		all = append(all, func() error {
			if err := e.end(h); err != nil {
				return fmt.Errorf("run %d, %q of role %q: %w", i, e.name, role, err)
			}
			return nil
		})
	}
	return all
}

// spareThreads are what a busy process may have more of: Go gives none back.
const spareThreads = 100

// TestHundredsOfRunsEndInEveryWayAndNothingPilesUp hammers the pool: roles,
// keys, moments and ways of ending are random, many at once.
func TestHundredsOfRunsEndInEveryWayAndNothingPilesUp(t *testing.T) {
	n := 600
	if testing.Short() {
		n = 100
	}
	f := start(t)
	for _, role := range roles {
		f.must(as(role), sh("true"))
	}
	agents := f.agents()
	f.settled()
	engine, goroutines := f.vitals(f.pid()), f.goroutines()
	f.executable() // for clients
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	f.allAtOnce(f.hammers(seed, n))
	f.eventually("nobody uses the engine", f.unused)
	f.noMore("an agent", func() (over []string) {
		for role, v := range f.agents() {
			over = append(over, v.Over(agents[role], containertest.Vitals{Threads: spareThreads})...)
		}
		return over
	})
	f.settled()
	f.noMore("the engine", func() []string {
		// Connections to containerd stay open.
		return f.vitals(f.pid()).Over(engine, containertest.Vitals{Files: 8, Threads: spareThreads})
	})
	f.noMore("the engine", func() []string {
		if now := f.goroutines(); len(now) > len(goroutines)+8 {
			return now
		}
		return nil
	})
}

// allAtOnce does all, eight at once.
func (f *fixture) allAtOnce(all []func() error) {
	f.t.Helper()
	var workers errgroup.Group
	workers.SetLimit(8)
	for _, do := range all {
		workers.Go(func() error {
			if err := do(); err != nil {
				f.t.Error(err)
			}
			return nil
		})
	}
	_ = workers.Wait()
}

// settled removes all containers and waits until they are gone.
func (f *fixture) settled() {
	f.t.Helper()
	f.stopAll()
	f.cleanUp(Cleaning{Budget: 1 << 50})
	f.nothingLeft()
}

// vitals are those of one process.
func (f *fixture) vitals(pid int) containertest.Vitals {
	f.t.Helper()
	v, err := containertest.VitalsOf(pid)
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

// agents are the vitals of an agent for each role, of the one with most files.
func (f *fixture) agents() map[spec.Role]containertest.Vitals {
	f.t.Helper()
	out := make(map[spec.Role]containertest.Vitals)
	for _, c := range f.kept() {
		if v := f.vitals(f.agentOf(c.ID)); v.Files+v.Living+v.Zombies > out[c.Role].Files+out[c.Role].Living+out[c.Role].Zombies {
			out[c.Role] = v
		}
	}
	return out
}

// goroutines are the stacks of the engine's.
func (f *fixture) goroutines() []string {
	f.t.Helper()
	conn, err := net.Dial("unix", goroutineSocket(f.config))
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close()
	text, err := io.ReadAll(conn)
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n\n")
}

// noMore waits until somebody has no more of anything than before.
func (f *fixture) noMore(whose string, over func() []string) {
	f.t.Helper()
	defer func() {
		if f.t.Failed() {
			f.t.Logf("%s has more than before:\n%s", whose, strings.Join(over(), "\n"))
		}
	}()
	f.eventually(whose+" has no more than before", func() bool { return len(over()) == 0 })
}
