package hook

import (
	"context"
	"sync"
	"time"
)

// clock ends a context when a plugin has used up its time. It can stand still: what
// the host needs to have a container ready is not the plugin's time.
type clock struct {
	end func(error)

	mu    sync.Mutex // guards what follows
	left  time.Duration
	began time.Time // since when it goes
	held  int       // by how many it is held
	timer *time.Timer
}

// startClock returns a context that ends with context.DeadlineExceeded as its cause
// when the clock has gone for so long. The clock goes until stop is called.
func startClock(ctx context.Context, most time.Duration) (_ context.Context, c *clock, stop func()) {
	ctx, end := context.WithCancelCause(ctx)
	c = &clock{end: end, left: most}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wind()
	return ctx, c, func() {
		c.hold()
		end(nil)
	}
}

// wind has it go. The caller holds the mutex.
func (c *clock) wind() {
	c.began = time.Now()
	c.timer = time.AfterFunc(c.left, func() { c.end(context.DeadlineExceeded) })
}

// hold has the clock stand still until all who hold it have let it go.
func (c *clock) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held++; c.held > 1 {
		return
	}
	c.timer.Stop()
	c.left -= time.Since(c.began)
}

// release lets it go on.
func (c *clock) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held--; c.held == 0 {
		c.wind()
	}
}
