package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/containerd/log"

	"github.com/wr-build/wr/runtime/container"
)

// keepTick is how often a keeper looks after its containers.
const keepTick = 500 * time.Millisecond

// keeper looks after containers that no connection stands for: those that
// outlived an earlier engine, until their owner ends, and those whose removal
// failed, until it succeeds.
type keeper struct {
	containers *container.Manager
	added      chan struct{} // has room for one: something is there to look after

	mu   sync.Mutex // guards kept
	kept map[string]container.Container
}

func newKeeper(m *container.Manager, kept []container.Container) *keeper {
	k := &keeper{containers: m, added: make(chan struct{}, 1), kept: make(map[string]container.Container)}
	for _, c := range kept {
		k.add(c)
	}
	return k
}

// add takes a container into care. One without an owner is removed.
func (k *keeper) add(c container.Container) {
	k.mu.Lock()
	k.kept[c.ID] = c
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

// removeOrphans removes the containers whose owner has ended.
func (k *keeper) removeOrphans(ctx context.Context) {
	for _, c := range k.list() {
		if c.Owner.Alive() {
			continue
		}
		if err := k.remove(ctx, c.ID); err != nil {
			log.G(ctx).WithError(err).Warn("a container could not be removed")
		}
	}
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

func (k *keeper) list() []container.Container {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]container.Container, 0, len(k.kept))
	for _, c := range k.kept {
		out = append(out, c)
	}
	return out
}

func (k *keeper) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.kept)
}
