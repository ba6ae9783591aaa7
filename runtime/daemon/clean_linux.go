package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"

	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/helper"
)

// cleaner is one cleaning.
type cleaner struct {
	*server
	Cleaning
	now      time.Time
	taken    int64 // bytes of the state; with DryRun, what would be left of them
	foreseen bool  // what of BuildKit's cache would go, with DryRun
	out      Cleaned
}

// clean does one cleaning. Two at once would both count what only one removes.
func (s *server) clean(ctx context.Context, what *Cleaning) (Cleaned, error) {
	if what == nil {
		return Cleaned{}, badRequest(errors.New("no cleaning"))
	}
	s.cleaning.Lock()
	defer s.cleaning.Unlock()
	c := &cleaner{server: s, Cleaning: *what, now: s.cfg.Now(), out: Cleaned{Removed: []Removed{}}}
	if err := c.scour(ctx); err != nil {
		return Cleaned{}, err
	}
	if err := c.measure(ctx); err != nil {
		return Cleaned{}, err
	}
	c.out.Before = c.taken
	err := errors.Join(c.leftovers(ctx), c.uploads(ctx), c.damaged(), c.helpers(), c.unneeded(ctx))
	err = errors.Join(err, c.keepTo(ctx))
	c.out.After = c.taken
	return c.out, err
}

// unneeded removes what nobody has used for long enough.
func (c *cleaner) unneeded(ctx context.Context) error {
	const why = "not used for long"
	err := c.retire(ctx, c.now.Add(-c.unused()), why)
	stale, _, errImages := c.images(ctx)
	for _, image := range stale {
		errImages = errors.Join(errImages, c.removeImage(ctx, image, why+", and there is a newer one"))
	}
	return errors.Join(err, errImages)
}

// keepTo removes what was used least recently, the cheapest to make again
// first, until no more than the budget is used.
func (c *cleaner) keepTo(ctx context.Context) error {
	if err := c.measure(ctx); err != nil {
		return err
	}
	if c.out.Budget = c.Budget; c.Budget < 0 {
		var err error
		if c.out.Budget, err = c.daemons.Budget(c.taken); err != nil {
			return err
		}
	}
	if err := c.cache(ctx); err != nil || c.fits() {
		return err
	}
	if err := errors.Join(c.retire(ctx, c.now, overBudget), c.measure(ctx)); err != nil {
		return err
	}
	_, spare, err := c.images(ctx)
	for _, image := range spare {
		if err != nil || c.fits() {
			return err
		}
		err = errors.Join(c.removeImage(ctx, image, overBudget), c.measure(ctx), c.cache(ctx))
	}
	return err
}

// overBudget is why something goes that might be needed again.
const overBudget = "over the budget"

func (c *cleaner) fits() bool { return c.taken <= c.out.Budget }

// remove notes that something goes and, unless it is only to be said, has it
// removed.
func (c *cleaner) remove(r Removed, do func() error) error {
	if c.DryRun {
		c.taken -= r.Size
	} else if err := do(); err != nil {
		return fmt.Errorf("remove %s %s: %w", r.Kind, r.Name, err)
	}
	c.out.Removed = append(c.out.Removed, r)
	return nil
}

// measure counts what the state takes. What would go is already subtracted.
func (c *cleaner) measure(ctx context.Context) error {
	if c.DryRun && c.taken > 0 {
		return nil
	}
	if !c.DryRun {
		if err := c.containers.Collect(ctx); err != nil {
			return err
		}
	}
	size, err := countFiles(ctx, c.cfg.Dirs.State)
	c.taken = size
	return err
}

// leftovers removes what crashes have left of containers.
func (c *cleaner) leftovers(ctx context.Context) error {
	const why = "its owner or its engine died"
	_, ids, err := c.containers.Orphans(ctx)
	for _, id := range ids {
		err = errors.Join(err, c.remove(Removed{Kind: KindLeftover, Name: id, Why: why}, func() error {
			return c.containers.Remove(ctx, id)
		}))
	}
	unknown, errUnknown := c.daemons.Orphans(ctx)
	for _, id := range unknown {
		errUnknown = errors.Join(errUnknown, c.remove(Removed{Kind: KindLeftover, Name: id, Why: "no engine knows it"}, func() error {
			return c.daemons.RemoveOrphan(ctx, id)
		}))
	}
	return errors.Join(err, errUnknown)
}

// scour has containerd remove what it has no record of. It does not come cheap,
// so unlike its collection it is done once.
func (c *cleaner) scour(ctx context.Context) error {
	if c.DryRun {
		return nil
	}
	return c.containers.Scour(ctx)
}

// uploads removes what containerd's collector never does.
func (c *cleaner) uploads(ctx context.Context) error {
	nameless, err := c.daemons.NamelessUploads(ctx)
	for _, dir := range nameless {
		err = errors.Join(err, c.remove(Removed{Kind: KindLeftover, Name: filepath.Base(dir), Why: "nobody knows of what it is a part"}, func() error {
			return os.RemoveAll(dir)
		}))
	}
	return err
}

// damaged removes state that was put aside.
func (c *cleaner) damaged() error {
	aside, err := engine.Aside(c.cfg.Dirs)
	for _, path := range aside {
		err = errors.Join(err, c.remove(Removed{Kind: KindDamaged, Name: path, Why: "was put aside as damaged"}, func() error {
			return os.RemoveAll(path)
		}))
	}
	return err
}

// helpers removes the programs of other builds of wr.
func (c *cleaner) helpers() error {
	stale, err := helper.Stale(c.cfg.Dirs.State)
	for _, dir := range stale {
		err = errors.Join(err, c.remove(Removed{Kind: KindHelpers, Name: dir, Why: "of another build of wr, and not running"}, func() error {
			return helper.RemoveStale(dir)
		}))
	}
	return err
}

// retire removes the kept containers that nobody has used since.
func (c *cleaner) retire(ctx context.Context, since time.Time, why string) error {
	var errs error
	for _, w := range c.pool.retire(since, c.DryRun) {
		if c.wouldGo(KindContainer, w.ID) {
			continue
		}
		errs = errors.Join(errs, c.remove(Removed{Kind: KindContainer, Name: w.ID, Used: w.used, Why: why}, func() error {
			return c.discard(ctx, w.Container)
		}))
	}
	return errs
}

// images are those that could go.
func (c *cleaner) images(ctx context.Context) (stale, spare []usedImage, err error) {
	all, err := madeImages(ctx, c.daemons.Containerd())
	if err != nil {
		return nil, nil, err
	}
	running, err := c.containers.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	needed := make(map[string]bool)
	for _, one := range running {
		needed[one.Image] = needed[one.Image] || !one.Ended && !c.wouldGo(KindContainer, one.ID)
	}
	for _, ref := range c.Keep {
		needed[ref] = true
	}
	stale, spare = part(all, needed, c.now, c.unused())
	return stale, c.without(spare), nil
}

// without leaves out the images that would be gone by now.
func (c *cleaner) without(all []usedImage) []usedImage {
	var out []usedImage
	for _, i := range all {
		if !c.wouldGo(KindImage, i.Ref) {
			out = append(out, i)
		}
	}
	return out
}

// wouldGo reports whether something is only there because nothing is removed.
func (c *cleaner) wouldGo(kind Kind, name string) bool {
	for _, r := range c.out.Removed {
		if r.Kind == kind && r.Name == name {
			return true
		}
	}
	return false
}

// removeImage removes an image, and with it the layers that no other and no
// cache has.
func (c *cleaner) removeImage(ctx context.Context, image usedImage, why string) error {
	return c.remove(Removed{Kind: KindImage, Name: image.Ref, Size: image.Size, Used: image.last, Why: why}, func() error {
		err := c.daemons.Containerd().ImageService().Delete(ctx, image.Ref, images.SynchronousDelete())
		if errdefs.IsNotFound(err) {
			return nil
		}
		return err
	})
}

// cache removes as much of BuildKit's cache as is too much of everything.
func (c *cleaner) cache(ctx context.Context) error {
	excess := c.taken - c.out.Budget
	if excess <= 0 || c.foreseen {
		return nil
	}
	unused, size, err := c.daemons.Cache(ctx)
	if err != nil {
		return err
	}
	if c.DryRun {
		c.foresee(unused, excess)
		return nil
	}
	gone, err := c.daemons.PruneCache(ctx, size-excess)
	for _, r := range gone {
		c.out.Removed = append(c.out.Removed, removedRecord(r))
	}
	return errors.Join(err, c.measure(ctx))
}

// foresee notes the records that would go for so many bytes.
func (c *cleaner) foresee(unused []engine.CacheRecord, excess int64) {
	c.foreseen = true
	for _, r := range unused {
		if excess <= 0 {
			return
		}
		excess -= r.Size
		c.taken -= r.Size
		c.out.Removed = append(c.out.Removed, removedRecord(r))
	}
}

func removedRecord(r engine.CacheRecord) Removed {
	return Removed{Kind: KindCache, Name: r.Name, Size: r.Size, Used: r.Used, Why: overBudget}
}

// retire takes out of the pool the containers that nobody has used since, and
// returns them. To look changes nothing.
func (p *pool) retire(since time.Time, look bool) []warm {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []warm
	for _, w := range p.unused() {
		if w.used.After(since) {
			continue
		}
		out = append(out, *w)
		if !look {
			delete(p.warm, w.ID)
		}
	}
	return out
}
