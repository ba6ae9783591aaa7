//go:build linux && engine

package daemon

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/container/containertest"
	"github.com/wr-build/wr/runtime/spec"
)

// victim is what is killed.
type victim string

const (
	theClient  victim = "client"
	theEngine  victim = "engine"
	theAgent   victim = "agent"
	theShim    victim = "shim"
	theRuntime victim = "runtime"
)

// scene is a moment at which something can be killed.
type scene struct {
	client *process       // nil = nobody waits for anything
	pids   map[victim]int // of whoever may be killed
	goOn   func(victim)   // lets go on, without the victim, what was held up to keep the moment
}

// outcome is what the user of the client gets of a death.
type outcome struct {
	code int    // -1 = it was the client itself
	says string // a part of it
}

// moments are when somebody may die, and who can then.
var moments = []struct {
	name   string
	reach  func(*fixture) scene
	deaths map[victim]outcome
}{
	{"nothing runs", (*fixture).idle, map[victim]outcome{theEngine: {}, theAgent: {}, theShim: {}}},
	{"a container is made", (*fixture).creating, map[victim]outcome{
		theClient: {code: -1}, theEngine: {125, "[engine.lost]"}, theShim: {125, "[container.start_failed]"}, theRuntime: {125, "[container.start_failed]"},
	}},
	{"a command runs", func(f *fixture) scene { return f.running(spec.RoleFresh) }, map[victim]outcome{
		theClient: {code: -1}, theEngine: {5, ""}, theAgent: {125, "[agent.gone]"}, theShim: {125, "[agent.gone]"},
	}},
	{"a test runs", func(f *fixture) scene { return f.running(spec.RoleTest) }, map[victim]outcome{
		theClient: {code: -1}, theEngine: {5, ""}, theAgent: {125, "[agent.gone]"}, theShim: {125, "[agent.gone]"},
	}},
	{"an image is built", (*fixture).building, map[victim]outcome{
		theClient: {code: -1}, theEngine: {125, "[engine.unreachable]"}, theRuntime: {125, "[image.build_failed]"},
	}},
	{"an image is stored", (*fixture).storing, map[victim]outcome{
		theClient: {code: -1}, theEngine: {125, "[engine.unreachable]"},
	}},
}

// TestWhoeverIsKilledNothingIsLeftAndNothingOfOthersIsHarmed kills everybody at
// every moment, with one engine for all, since each death has to leave it as it
// was.
func TestWhoeverIsKilledNothingIsLeftAndNothingOfOthersIsHarmed(t *testing.T) {
	f := start(t, apart(t))
	f.build(builtImage) // with it comes what BuildKit keeps
	f.cleanUp(everything())
	f.before = f.census()
	others, err := containertest.Stand(t.Context(), f.containerd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		others.Met(f.containerd)
		if err := others.Leave(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	f.before = f.census()
	for _, m := range moments {
		for _, v := range slices.Sorted(maps.Keys(m.deaths)) {
			t.Run(m.name+", the "+string(v)+" dies", func(t *testing.T) {
				f := f.in(t)
				f.die(m.reach(f), v, m.deaths[v])
				if v == theEngine {
					f.up()
				}
				f.eventually("nobody uses the engine", f.unused)
				f.wantNoHalfImage()
				f.cleanUp(everything())
				f.nothingLeft()
				others.Met(f.containerd)
				if err := others.Unharmed(t.Context()); err != nil {
					t.Error(err)
				}
				f.must(box(), sh("true"))
			})
		}
	}
}

// die kills a victim and checks what the client says.
func (f *fixture) die(s scene, v victim, want outcome) {
	f.t.Helper()
	kill(f.t, s.pids[v])
	if v == theEngine {
		f.awaitEngineGone()
	}
	s.goOn(v)
	if s.client == nil {
		return
	}
	said, code := s.client.ends()
	if code != want.code || !strings.Contains(said, want.says) {
		f.t.Errorf("the client ends with %d and says %q, want %d and %q", code, said, want.code, want.says)
	}
}

// in is the fixture for a part of its test.
func (f *fixture) in(t *testing.T) *fixture {
	outer := f.t
	f.t = t
	t.Cleanup(func() { f.t = outer })
	return f
}
