package daemon

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/spec"
)

// Defaults of Config.
const (
	DefaultKeep    = 15 * time.Minute
	DefaultMaxKept = 8
)

// prepared is a container in which commands can run.
type prepared struct {
	*container.Container
	env    [][]byte         // that its ENTRYPOINT made
	left   bool             // its ENTRYPOINT left processes; known of those for spec.RoleTest
	struck container.Struck // before the command
}

// warm is a container that is kept. Its mutable fields are guarded by the pool.
type warm struct {
	prepared
	role  spec.Role
	key   string // equal for all that want a container exactly like this one
	place string // equal for all that would replace this one by theirs
	held  []held // ports that outlive the clients who published them; changed with server.holding held as well

	users int
	used  time.Time // when the last user left
	stale bool      // to be removed once nobody uses it
}

// pool keeps containers for those who want one like it later.
type pool struct {
	image   func(context.Context, string) (*container.Image, error)
	make    func(context.Context, peer, *container.Image, spec.Container) (prepared, error)
	note    func(*warm) error         // tells the next engine of a container
	remove  func(container.Container) // soon, and for as long as it takes
	helpers string                    // which agent and shim are in use
	keep    time.Duration             // how long an unused one stays
	max     int                       // how many unused ones stay
	now     func() time.Time
	lively  sync.Map // keys for which tests get fresh containers, see take

	mu     sync.Mutex // guards the rest
	warm   map[string]*warm
	making map[string]chan struct{} // by place: closed when who makes a container there is done
}

// wanted is what a container has to be like.
type wanted struct {
	image      *container.Image // looked up once, so that the key is that of what is made
	key, place string           // see warm
}

// take returns a container for c that is not anybody else's: one that is kept
// and has been used, else a new one. It returns nil for a test where an
// ENTRYPOINT leaves processes: through them one test would reach the next.
func (p *pool) take(ctx context.Context, who peer, c spec.Container) (w *warm, usedBefore bool, err error) {
	want, err := p.identify(ctx, who, c)
	if err != nil {
		return nil, false, err
	}
	if c.Role == spec.RoleDev { // two who want one at once get the same
		done, err := p.turn(ctx, want.place)
		if err != nil {
			return nil, false, err
		}
		defer done()
	}
	if w := p.reuse(want.key, want.place); w != nil {
		return w, true, nil
	}
	if _, lively := p.lively.Load(want.key); lively {
		return nil, false, nil
	}
	made, err := p.make(ctx, who, want.image, c)
	if err != nil {
		return nil, false, err
	}
	if made.left {
		p.lively.Store(want.key, true)
		p.remove(*made.Container)
		return nil, false, nil
	}
	w = &warm{prepared: made, role: c.Role, key: want.key, place: want.place, users: 1}
	if err := p.note(w); err != nil {
		p.remove(*w.Container)
		return nil, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warm[w.ID] = w
	return w, false, nil
}

// turn waits until nobody else makes a container for a place.
func (p *pool) turn(ctx context.Context, place string) (done func(), err error) {
	for {
		other, done := p.begin(place)
		if other == nil {
			return done, nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// begin takes the turn of a place, or returns what closes when it is free.
func (p *pool) begin(place string) (other <-chan struct{}, done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.making[place]; other != nil {
		return other, nil
	}
	mine := make(chan struct{})
	p.making[place] = mine
	return nil, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.making, place)
		close(mine)
	}
}

// reuse returns a kept container of that key, if there is one to be had, and
// gives up those of the same place that have another key.
func (p *pool) reuse(key, place string) (found *warm) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.warm {
		switch {
		case w.place != place:
		case w.key != key:
			w.stale = true
			p.tidy(w)
		case found == nil && !w.stale && (w.role == spec.RoleDev || w.users == 0):
			found = w
		}
	}
	if found != nil {
		found.users++
	}
	return found
}

// give says that a user of w has left.
func (p *pool) give(w *warm) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.users--
	w.used = p.now()
	p.tidy(w)
	p.trim()
}

// drop gives a container up for good.
func (p *pool) drop(w *warm) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.users--
	w.stale = true
	p.tidy(w)
}

// tidy removes, with the mutex held, a container that is not wanted any more.
func (p *pool) tidy(w *warm) {
	if w.stale && w.users <= 0 && p.warm[w.ID] == w {
		delete(p.warm, w.ID)
		p.remove(*w.Container)
	}
}

// trim removes, with the mutex held, the unused containers that are too many,
// first those that were used least recently.
func (p *pool) trim() {
	unused := p.unused()
	for _, w := range unused[:max(0, len(unused)-p.max)] {
		w.stale = true
		p.tidy(w)
	}
}

// unused lists, with the mutex held, what nobody uses, the least recent first.
func (p *pool) unused() []*warm {
	var all []*warm
	for _, w := range p.warm {
		if w.users <= 0 {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b *warm) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.ID, b.ID)) })
	return all
}

// expire removes what has not been used for long enough.
func (p *pool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.unused() {
		if p.now().Sub(w.used) >= p.keep {
			w.stale = true
			p.tidy(w)
		}
	}
}

// forget takes a container out without removing it: its remover does that.
func (p *pool) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.warm, id)
}

// find returns a copy of what is known of a container.
func (p *pool) find(id string) (warm, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.warm[id]
	if w == nil {
		return warm{}, false
	}
	return *w, true
}

// change changes w and reports whether it is kept.
func (p *pool) change(w *warm, by func()) (kept bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	by()
	return p.warm[w.ID] == w
}

// identify tells what c has to be like: the key has all that decides what a
// process meets inside, and the place what it is for.
func (p *pool) identify(ctx context.Context, who peer, c spec.Container) (wanted, error) {
	image, err := p.image(ctx, c.Image)
	if err != nil {
		return wanted{}, err
	}
	names, err := container.Names(c)
	if err != nil {
		return wanted{}, err
	}
	place := digest(who.uid, c.Role, c.User, c.Labels["wr.workspace"], c.Labels["wr.project"], c.Labels["wr.image"])
	c.Labels = nil
	if c.Role == spec.RoleTest {
		c.Own = nil
	}
	var sources []string
	for _, m := range slices.Concat(c.Mounts, c.Own) {
		sources = append(sources, inode(m.Source))
	}
	return wanted{image: image, key: digest(who.uid, image.ID(), p.helpers, c, sources, names), place: place}, nil
}

// inode tells a directory from another that came to its path later.
func inode(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "" // making the container says what is wrong
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}

// digest is a short name for values of plain data.
func digest(values ...any) string {
	document, err := json.Marshal(values)
	if err != nil {
		panic(err) // plain data always encodes
	}
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:16])
}
