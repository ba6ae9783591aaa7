package daemon

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/log"

	"github.com/wr-build/wr/runtime/container"
)

// stubborn is a remover that fails with errs, one after the other, the last for
// ever, until it is told to give in.
type stubborn struct {
	mu       sync.Mutex // guards the rest
	errs     []error
	attempts []time.Time
}

func (s *stubborn) Remove(context.Context, string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts = append(s.attempts, time.Now())
	if len(s.errs) == 0 {
		return nil
	}
	err := s.errs[0]
	if len(s.errs) > 1 {
		s.errs = s.errs[1:]
	}
	return err
}

func (s *stubborn) giveIn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = nil
}

// pauses are the times between attempts.
func (s *stubborn) pauses() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []time.Duration
	for i := 1; i < len(s.attempts); i++ {
		out = append(out, s.attempts[i].Sub(s.attempts[i-1]))
	}
	return out
}

// keep runs a keeper of r with one container, whose owner is gone, for a while
// and then until it has removed it. It returns what the keeper logged.
func keep(t *testing.T, r *stubborn, d time.Duration) string {
	t.Helper()
	var said bytes.Buffer
	defer log.L.Logger.SetOutput(log.L.Logger.Out)
	log.L.Logger.SetOutput(&said)
	ctx, cancel := context.WithCancel(t.Context())
	k := newKeeper(r, time.Now)
	k.add(container.Container{ID: "c"})
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.run(ctx)
	}()
	<-time.After(d) // of the bubble's clock
	if k.busy() || k.count() != 1 {
		t.Errorf("while it cannot be removed: busy %v, %d in care", k.busy(), k.count())
	}
	r.giveIn()
	<-time.After(maxRetry + keepTick)
	if k.count() != 0 {
		t.Error("it is not removed when that is possible")
	}
	cancel()
	<-done
	return said.String()
}

func TestARemovalThatFailsIsTriedEverMoreRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &stubborn{errs: []error{errors.New("busy")}}
		keep(t, r, 10*time.Minute)
		want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute}
		if got := r.pauses(); len(got) < len(want) || !slices.Equal(got[:len(want)], want) || slices.Max(got) > maxRetry {
			t.Errorf("pauses %v, want %v and so on", got, want)
		}
	})
}

func TestEachErrorOfARemovalIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &stubborn{errs: []error{errors.New("busy"), errors.New("busy"), errors.New("no space"), errors.New("busy")}}
		said := keep(t, r, 10*time.Minute)
		if strings.Count(said, "busy") != 1 || strings.Count(said, "no space") != 1 {
			t.Errorf("logged\n%s", said)
		}
	})
}

func TestAContainerIsKeptWhileItsOwnerLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &stubborn{}
		k := newKeeper(r, time.Now)
		k.add(container.Container{ID: "c", Owner: container.Process(os.Getppid(), os.Getuid())})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		k.run(ctx)
		if len(r.attempts) != 0 || !k.busy() {
			t.Errorf("%d attempts to remove it, busy %v", len(r.attempts), k.busy())
		}
	})
}

// stuck is a remover that is not done with one container.
type stuck struct {
	id      string
	removed chan string
}

func (s stuck) Remove(ctx context.Context, id string) error {
	if id == s.id {
		<-ctx.Done()
		return ctx.Err()
	}
	s.removed <- id
	return nil
}

func TestARemovalThatTakesLongHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := stuck{id: "slow", removed: make(chan string, 2)}
		k := newKeeper(r, time.Now)
		for _, id := range []string{"one", "slow", "two"} {
			k.add(container.Container{ID: id})
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { k.run(ctx) })
		synctest.Wait()
		if len(r.removed) != 2 || k.count() != 1 {
			t.Errorf("%d are removed, %d are left", len(r.removed), k.count())
		}
		stop()
		running.Wait()
	})
}
