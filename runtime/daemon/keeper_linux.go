package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/containerd/log"

	"github.com/wr-build/wr/runtime/container"
)

// keepTick is how often a keeper looks after its containers. A removal that
// fails is tried again after that time, and then after twice the time before,
// up to maxRetry.
const (
	keepTick = 500 * time.Millisecond
	maxRetry = time.Minute
)

// remover removes containers.
type remover interface {
	Remove(ctx context.Context, id string) error
}

// keeper looks after containers that no connection stands for: those that
// outlived an earlier engine, until their owner ends, and those whose removal
// failed, until it succeeds.
type keeper struct {
	containers remover
	now        func() time.Time
	added      chan struct{} // has room for one: something is there to look after

	mu   sync.Mutex // guards kept
	kept map[string]*care
}

// care is what is known of a container that is looked after.
type care struct {
	container.Container
	failed map[string]bool // why it could not be removed, so far
	wait   time.Duration   // after the last failure
	next   time.Time       // not before is it tried again
}

func newKeeper(m remover, now func() time.Time) *keeper {
	return &keeper{containers: m, now: now, added: make(chan struct{}, 1), kept: make(map[string]*care)}
}

// add takes a container into care. One without an owner is removed.
func (k *keeper) add(c container.Container) {
	k.mu.Lock()
	k.kept[c.ID] = &care{Container: c, failed: make(map[string]bool)}
	k.mu.Unlock()
	select {
	case k.added <- struct{}{}:
	default:
	}
}

// run looks after the containers until ctx ends. With none, it only waits.
func (k *keeper) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.added:
		}
		for k.count() > 0 && ctx.Err() == nil {
			k.removeOrphans(ctx)
			pause(ctx, keepTick)
		}
	}
}

// removeOrphans removes the containers whose owner has ended, as far as it is
// time to, all at once: one that takes long holds up no other. Each error of one
// is logged once.
func (k *keeper) removeOrphans(ctx context.Context) {
	var all sync.WaitGroup
	for _, c := range k.due() {
		if c.Owner.Alive() {
			continue
		}
		all.Go(func() {
			err := k.remove(ctx, c.ID)
			if err != nil && k.retry(c.ID, err) {
				log.G(ctx).WithError(err).Warn("a container could not be removed")
			}
		})
	}
	all.Wait()
}

// remove removes a container, kept or not.
func (k *keeper) remove(ctx context.Context, id string) error {
	if err := k.containers.Remove(ctx, id); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.kept, id)
	return nil
}

// retry puts the next attempt off and reports whether err is news.
func (k *keeper) retry(id string, err error) (news bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.kept[id]
	if c == nil {
		return false // A client had it removed meanwhile.
	}
	news = !c.failed[err.Error()]
	c.failed[err.Error()] = true
	c.wait = min(max(2*c.wait, keepTick), maxRetry)
	c.next = k.now().Add(c.wait)
	return news
}

// due are the containers that it is time to look after.
func (k *keeper) due() []container.Container {
	now := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []container.Container
	for _, c := range k.kept {
		if !now.Before(c.next) {
			out = append(out, c.Container)
		}
	}
	return out
}

// count returns how many containers are in care.
func (k *keeper) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.kept)
}

// busy reports whether the engine has to live on for one of them. One that
// cannot be removed is none: the next engine tries again.
func (k *keeper) busy() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.kept {
		if len(c.failed) == 0 {
			return true
		}
	}
	return false
}
