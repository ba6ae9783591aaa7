//go:build linux && engine

package daemon

import (
	"sync"
	"testing"

	"github.com/wr-build/wr/runtime/container/containertest"
	"github.com/wr-build/wr/runtime/spec"
)

// TestTwoHundredAtOnceAllHaveTheirTurn starts half of them when a few of the
// first half are done: none of that half may have to wait for all others.
func TestTwoHundredAtOnceAllHaveTheirTurn(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute, see make test-full")
	}
	const half, memory = 100, 512 << 20 // most of it is for the race detector
	f := start(t)
	f.must(box(), sh("true"))
	before, files := f.memory(), f.vitals(f.pid()).Files
	var all sync.WaitGroup
	ended := make(chan int, 2*half)
	launch := func(first int) {
		for i := first; i < first+half; i++ {
			all.Go(func() {
				exit, err := f.Run(t.Context(), box(), sh("exit "+itoa(i%100)), spec.Stdio{})
				if err != nil || exit.Code != i%100 {
					t.Errorf("%d: exit %+v, error %v", i, exit, err)
				}
				ended <- i
			})
		}
	}
	launch(0)
	var overtaken, late int
	most := before
	for n := range 2 * half {
		if n == half/10 {
			launch(half)
		}
		if i := <-ended; i >= half {
			late++
		} else {
			overtaken = late
		}
		if n%20 == 0 {
			most = max(most, f.memory())
		}
	}
	all.Wait()
	t.Logf("%d of the second half ended before the last of the first; the engine took %d MB more", overtaken, (most-before)>>20)
	if overtaken > half/2 {
		t.Errorf("%d of the second half ended before the last of the first", overtaken)
	}
	if most-before > memory {
		t.Errorf("the engine took %d MB more", (most-before)>>20)
	}
	f.cleanUp(Cleaning{Budget: 1 << 50}) // which waits for what is removed by and by
	f.nothingLeft()
	f.eventually("the engine has closed what it opened", func() bool { return f.vitals(f.pid()).Files <= files+8 })
}

// memory is how many bytes the engine takes.
func (f *fixture) memory() int64 {
	f.t.Helper()
	status, err := f.Status(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return status.Memory
}

func TestTwoHundredAtOnceShareADevContainer(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	f.must(as(spec.RoleDev), sh("true"))
	before := f.agents()[spec.RoleDev]
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			exit, err := f.Run(t.Context(), as(spec.RoleDev), sh("exit "+itoa(i%100)), spec.Stdio{})
			if err != nil || exit.Code != i%100 {
				t.Errorf("%d: exit %+v, error %v", i, exit, err)
			}
		})
	}
	all.Wait()
	f.one()
	f.noMore("the agent", func() []string {
		return f.agents()[spec.RoleDev].Over(before, containertest.Vitals{Threads: spareThreads})
	})
}
