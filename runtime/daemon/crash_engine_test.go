//go:build linux && engine

package daemon

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// killEngine ends the engine at once and waits until it is gone.
func (f *fixture) killEngine() {
	f.t.Helper()
	kill(f.t, f.pid())
	f.awaitEngineGone()
}

// awaitEngineGone waits until no engine has the lock.
func (f *fixture) awaitEngineGone() {
	f.t.Helper()
	f.eventually("the engine is gone", func() bool {
		_, held := engine.Holder(f.config.Dirs)
		return !held
	})
}

// eventually waits until something is so.
func (f *fixture) eventually(what string, so func() bool) {
	f.t.Helper()
	eventually(f.t, what, so)
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-deadline.C:
			t.Fatalf("not so after 10 s: %s", what)
		case <-tick.C:
		}
	}
}

// clean reports whether everything is as it was when the test began.
func (f *fixture) clean() bool { return len(f.census().Minus(f.before)) == 0 }

const forever = "echo up; while :; do sleep 0.05; done"

func TestKillingTheClientRemovesItsContainer(t *testing.T) {
	f := start(t)
	c := f.client(0, "sh", "-c", forever)
	if got := c.line(); got != "up\n" {
		t.Fatalf("got %q", got)
	}
	if f.clean() {
		t.Fatal("the census sees no running container")
	}
	c.kill()
	f.eventually("its container is removed", f.clean)
}

func TestTheDeathOfAShimEndsItsRunOnly(t *testing.T) {
	f := start(t)
	victim, other := f.client(0, "sh", "-c", forever), f.client(0, "sh", "-c", forever)
	victim.line()
	other.line()
	status, err := f.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range status.Containers {
		if c.Owner == victim.cmd.Process.Pid {
			kill(t, f.shimOf(c.ID))
		}
	}
	said, _ := io.ReadAll(victim.out)
	victim.cmd.Wait()
	if victim.cmd.ProcessState.ExitCode() != 125 || !strings.Contains(string(said), "agent.gone") {
		t.Errorf("the victim ended with %v and said %q", victim.cmd.ProcessState, said)
	}
	if status, err := f.Status(t.Context()); err != nil || len(status.Containers) != 1 {
		t.Errorf("left: %+v, %v", status.Containers, err)
	}
	other.kill()
	f.eventually("all is removed", f.clean)
}

func TestASilentClientDoesNotHoldUpTheEnd(t *testing.T) {
	f := start(t)
	conn, err := wire.Dial(f.config.Dirs.APISocket())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	begin := time.Now()
	if err := f.Stop(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	f.up()
}

func TestRunSurvivesTheEnginesDeath(t *testing.T) {
	f := start(t)
	c := f.client(0, "sh", "-c", "echo up; while ! [ -e /tmp/go ]; do sleep 0.05; n=$((n+1)); [ $n -gt 20 ] && break; done; echo done; exit 5")
	if got := c.line(); got != "up\n" {
		t.Fatalf("got %q", got)
	}
	f.killEngine()
	if got := c.line(); got != "done\n" {
		t.Fatalf("got %q", got)
	}
	c.cmd.Wait()
	if got := c.cmd.ProcessState.ExitCode(); got != 5 {
		t.Errorf("exit code %d", got)
	}
	f.up()
	f.nothingLeft()
}

func TestANewEngineKeepsContainersOfTheLivingOnly(t *testing.T) {
	f := start(t)
	living, dead := f.client(0, "sh", "-c", forever), f.client(0, "sh", "-c", forever)
	living.line()
	dead.line()
	f.killEngine()
	dead.kill()
	f.up()
	status, err := f.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(status.Containers) != 1 || status.Containers[0].Owner != living.cmd.Process.Pid {
		t.Fatalf("containers %+v, want the one of %d", status.Containers, living.cmd.Process.Pid)
	}
	living.kill()
	f.eventually("the last container is removed", f.clean)
}

func TestAClientTellsANewEngineThatItIsDone(t *testing.T) {
	f := start(t)
	stopping, cancel := context.WithCancel(t.Context())
	r, w := pipe(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(stopping, box(), sh(forever), spec.Stdio{Out: w})
	}()
	io.ReadFull(r, make([]byte, 3))
	f.killEngine()
	f.up()
	if f.clean() {
		t.Fatal("the container is gone while its client lives")
	}
	cancel()
	<-ended
	f.nothingLeft()
}

func TestIdleEngineEnds(t *testing.T) {
	f := start(t, func(c *engineConfig) { c.Idle = 300 * time.Millisecond })
	f.must(box(), sh("sleep 0.8")) // busy for longer than that
	// The test's own connection to containerd keeps it busy, too.
	if _, held := engine.Holder(f.config.Dirs); !held {
		t.Fatal("ended while in use")
	}
	f.containerd.Close()
	f.eventually("the engine has ended", func() bool {
		_, held := engine.Holder(f.config.Dirs)
		return !held
	})
	f.up()
}

func TestStopRefusesWhileContainersRunUnlessForced(t *testing.T) {
	f := start(t)
	c := f.client(0, "sh", "-c", forever)
	c.line()
	err := f.Stop(t.Context(), false)
	if !fault.HasCode(err, "engine.busy") {
		t.Fatalf("got %v", err)
	}
	if err := f.Stop(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(c.out)
	c.cmd.Wait()
	if c.cmd.ProcessState.ExitCode() != 125 {
		t.Errorf("the client ended with %v and said %q", c.cmd.ProcessState, said)
	}
	if !fault.HasCode(dialError(t, f.config.Dirs), "engine.down") {
		t.Error("the engine still answers")
	}
	f.up()
	f.nothingLeft()
}

func TestStopRefusesWhileAContainerIsMade(t *testing.T) {
	f := start(t, apart(t))
	defer f.stopAll()
	f.must(box(), sh("true"))
	f.before = f.census() // with the control groups of all containers
	for name, role := range roles {
		t.Run(name, func(t *testing.T) {
			f := f.in(t)
			client, _, letGo := f.heldUp(role)
			if err := f.Stop(t.Context(), false); !fault.HasCode(err, "engine.busy") {
				t.Errorf("got %v", err)
			}
			letGo()
			if said, code := client.ends(); code != 0 {
				t.Errorf("the client ends with %d and says %q", code, said)
			}
		})
	}
}

func TestAGroupMayUseTheEngineForItselfOnly(t *testing.T) {
	f := start(t, func(c *engineConfig) { c.Group = "4711" })
	if err := os.Chmod(filepath.Dir(f.config.Dirs.Run), 0o755); err != nil {
		t.Fatal(err)
	}
	c := f.client(4711, "echo", "hello")
	if got := c.line(); got != "hello\n" {
		t.Errorf("a member: got %q", got)
	}
	c.cmd.Wait()
	stranger := f.client(4712, "echo", "hello")
	if got := stranger.line(); got == "hello\n" {
		t.Errorf("a stranger: got %q", got)
	}
	stranger.cmd.Wait()
}

func TestTwoUsersOfOneEngineNeverMeet(t *testing.T) {
	const group = 4710
	f := start(t, func(c *engineConfig) { c.Group = itoa(group) })
	if err := os.Chmod(filepath.Dir(f.config.Dirs.Run), 0o755); err != nil {
		t.Fatal(err)
	}
	member := func(uid int, do task) *process {
		do.Groups = []uint32{group}
		return f.clientFor(uid, do)
	}
	defer f.stopAll()
	dev := task{Role: spec.RoleDev, Args: []string{"sh", "-c", "echo up; id -u; cat; ls /tmp; touch /tmp/mine"}}
	for range 2 { // the second time, what is kept is used again
		ada, bob := member(4711, dev), member(4712, dev)
		ada.line()
		bob.line()
		all := f.kept()
		if len(all) != 2 || all[0].UID+all[1].UID != 4711+4712 || all[0].Users != 1 || all[1].Users != 1 {
			t.Fatalf("there are %+v, want one container for each", all)
		}
		ada.in.Close()
		if said, code := ada.ends(); code != 0 {
			t.Errorf("the one ends with %d, %q", code, said)
		}
		bob.in.Close()
		bob.ends()
		f.eventually("nobody uses them", func() bool { return f.inUse() == 0 })
	}
	for _, c := range f.kept() {
		other := 4711 + 4712 - c.UID
		if said, code := member(other, task{Remove: c.ID}).ends(); code != 125 || !strings.Contains(said, "[engine.caller]") {
			t.Errorf("user %d removes the container of %d: exit %d, %q", other, c.UID, code, said)
		}
		if said, code := member(c.UID, task{Remove: c.ID}).ends(); code != 0 {
			t.Errorf("user %d removes a container of its own: exit %d, %q", c.UID, code, said)
		}
	}
	if left := f.kept(); len(left) > 0 {
		t.Errorf("left are %+v", left)
	}
}

func TestNobodyActsForAnotherUser(t *testing.T) {
	member := peer{uid: 4711, gid: 4712}
	if err := member.mayActAs(spec.Owner{UID: 4711, GID: 4712}); err != nil {
		t.Errorf("for itself: %v", err)
	}
	for _, other := range []spec.Owner{{}, {UID: 4711}, {UID: 4712, GID: 4712}} {
		if err := member.mayActAs(other); !fault.HasCode(err, "engine.caller") {
			t.Errorf("for %v: %v", other, err)
		}
	}
	if err := (peer{}).mayActAs(spec.Owner{UID: 4711, GID: 4712}); err != nil {
		t.Errorf("root for a user: %v", err)
	}
}

func TestStatusSaysWhatThereIs(t *testing.T) {
	f := start(t)
	c := f.client(0, "sh", "-c", forever)
	c.line()
	s, err := f.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.PID != f.pid() || s.Version != "test" || s.Protocol != Protocol || s.Containerd == "" || s.BuildKit == "" {
		t.Errorf("who: %+v", s)
	}
	if s.StateSize < 1<<20 || s.Memory < 1<<20 || time.Since(s.Since) > time.Minute || s.How != "started" || s.Why == "" {
		t.Errorf("how: %+v", s)
	}
	if len(s.Containers) != 1 || s.Containers[0].Image != testImage || s.Containers[0].Owner != c.cmd.Process.Pid {
		t.Errorf("containers: %+v", s.Containers)
	}
	for name, h := range map[string]Helper{"runc": s.Helpers.Runc, "shim": s.Helpers.Shim, "agent": s.Helpers.Agent} {
		if h.Path == "" || h.Source != "path" || h.Version == "" || h.Version == "unknown" {
			t.Errorf("%s: %+v", name, h)
		}
	}
	if s.Cgroups.Mode == "" {
		t.Errorf("control groups: %+v", s.Cgroups)
	}
	c.kill()
	f.eventually("its container is removed", f.clean)
}

func TestImagesAreFound(t *testing.T) {
	f := start(t)
	image, ok, err := f.Lookup(t.Context(), testImage)
	if err != nil || !ok || image.Ref != testImage || len(image.Digest) != 71 || image.Size < 1<<20 || image.Created.IsZero() {
		t.Errorf("got %+v, %v, %v", image, ok, err)
	}
	if image, ok, err := f.Lookup(t.Context(), "docker.io/test/nothing:latest"); err != nil || ok {
		t.Errorf("an image that is not there: got %+v, %v, %v", image, ok, err)
	}
	all, err := f.Images(t.Context())
	if err != nil || len(all) != 2 || all[0].Ref != plainImage || all[1].Ref != testImage {
		t.Errorf("got %+v, %v", all, err)
	}
}

func TestAClientOfAnotherVersionIsToldWhatToDo(t *testing.T) {
	f := start(t)
	conn, err := wire.Dial(f.config.Dirs.APISocket())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Send(map[string]any{"protocol": Protocol + 1, "operation": "something new"}); err != nil {
		t.Fatal(err)
	}
	if _, err := receive(t.Context(), conn); !fault.HasCode(err, "engine.version_skew") {
		t.Errorf("got %v", err)
	}
}

func TestGarbageDoesNotHurtTheEngine(t *testing.T) {
	f := start(t)
	for _, garbage := range []string{"", "x", "\xff\xff\xff\xff", "\x00\x00\x00\x02{]", "GET / HTTP/1.1\r\n\r\n"} {
		conn, err := net.Dial("unix", f.config.Dirs.APISocket())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, garbage)
		conn.Close()
	}
	f.must(box(), sh("true"))
}
