//go:build linux && engine

package daemon

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/spec"
)

// survive runs p in a kept container and replaces the engine meanwhile, by one
// that ends after idle. The result comes when p has ended.
func (f *fixture) survive(p spec.Process, stdio spec.Stdio, idle time.Duration) <-chan spec.Exit {
	f.t.Helper()
	ended := make(chan spec.Exit, 1)
	client := f.Client
	go func() {
		exit, _ := client.Run(context.Background(), as(spec.RoleDev), p, stdio)
		ended <- exit
	}()
	f.eventually("it runs", func() bool {
		all, err := f.Containers(context.Background())
		return err == nil && slices.ContainsFunc(all, func(c Container) bool { return len(c.Commands) == 1 })
	})
	if err := syscall.Kill(f.pid(), syscall.SIGKILL); err != nil {
		f.t.Fatal(err)
	}
	f.eventually("the engine is dead", func() bool { return dialError(f.t, f.config.Dirs) != nil })
	f.config.Idle = idle
	f.up()
	return ended
}

func TestAnEngineStopsWhileACommandOfAnEarlierOneRuns(t *testing.T) {
	f := start(t)
	in, _ := pipe(t)
	ended := f.survive(sh("cat"), spec.Stdio{In: in}, -1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := f.Stop(ctx, true); err != nil {
		t.Error(err)
	}
	<-ended
	f.up()
}

func TestAnEngineIsNotIdleWhileACommandOfAnEarlierOneRuns(t *testing.T) {
	f := start(t)
	exit := <-f.survive(sh("sleep 2; exit 5"), spec.Stdio{}, 200*time.Millisecond)
	if exit.Code != 5 {
		t.Errorf("the command that ran meanwhile: %+v", exit)
	}
	f.eventually("the engine has nothing to do", func() bool {
		_, held := engine.Holder(f.config.Dirs) // a look that is nothing to do
		return !held
	})
	f.config.Idle = -1
	f.up()
}
