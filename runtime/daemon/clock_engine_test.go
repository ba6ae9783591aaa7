//go:build linux && engine

package daemon

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/spec"
)

// TestAClockThatJumpsBetweenTwoEnginesCostsNothing also sets it back again.
func TestAClockThatJumpsBetweenTwoEnginesCostsNothing(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	f.build("wr.local/a/web:1")
	f.build("wr.local/a/web:2")
	f.before = f.census() // with BuildKit's own
	f.must(as(spec.RoleDev), sh("echo kept >/tmp/file"))
	id := f.one()
	in, goOn := pipe(t)
	said, out := pipe(t)
	type ended struct {
		exit spec.Exit
		err  error
	}
	running := make(chan ended, 1)
	go func() {
		exit, err := f.Run(context.Background(), box(), sh("echo up; cat; exit 5"), spec.Stdio{In: in, Out: out})
		running <- ended{exit, err}
	}()
	if _, err := io.ReadFull(said, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 100 * 24 * time.Hour, 0} {
		f.killEngine()
		f.config.Clock = jump
		f.up()
		if got := f.must(as(spec.RoleDev), sh("cat /tmp/file")); got != "kept\n" {
			t.Errorf("%v ahead: the kept container says %q", jump, got)
		}
		if all := f.kept(); len(all) != 2 || all[0].ID != id && all[1].ID != id {
			t.Errorf("%v ahead: there are %+v, want the kept one and the one in use", jump, all)
		}
		removed, _ := f.cleanUp(Cleaning{Budget: 1 << 50, Unused: 24 * 365 * time.Hour})
		if len(removed) > 0 {
			t.Errorf("%v ahead: %v was removed", jump, removed)
		}
	}
	goOn.Close()
	if got := <-running; got.err != nil || got.exit.Code != 5 {
		t.Errorf("the command that ran meanwhile: %+v, %v", got.exit, got.err)
	}
}
