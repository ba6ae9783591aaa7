package cache

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// trimmer is the trim that goes on behind a process that writes.
type trimmer struct {
	once sync.Once
	stop chan struct{} // closed when it is to end
	done chan struct{} // closed when it has; nil = none was begun
	err  error         // why it failed; to be read after done
}

// errEnd is that the process does not wait any longer for its trim.
var errEnd = errors.New("the run is over")

func (t *trimmer) stopped() error {
	select {
	case <-t.stop:
		return errEnd
	default:
		return nil
	}
}

// end waits for the trim, if there is one, and calls it off after d: what it
// removed is gone, and the next one goes on.
func (t *trimmer) end(d time.Duration) error {
	t.once.Do(func() {}) // none begins any more
	if t.done == nil {
		return nil
	}
	select {
	case <-t.done:
	case <-time.After(d):
		close(t.stop)
		<-t.done
	}
	if errors.Is(t.err, errEnd) || errors.Is(t.err, errBusy) {
		return nil
	}
	return t.err
}

// trimWhenDue starts a trim the first time that this process writes, unless
// another one did within the interval. Who only reads never trims: there is no
// more to trim than before.
func (c *Cache) trimWhenDue() {
	c.trimmer.once.Do(func() {
		if !c.trimDue() {
			return
		}
		c.trimmer.stop, c.trimmer.done = make(chan struct{}), make(chan struct{})
		go func() {
			defer close(c.trimmer.done)
			c.trimmer.err = c.trimOver(c.trimmer.stopped)
		}()
	})
}

// trimDue reports whether the last trim was longer ago than the interval. One
// in the future was none.
func (c *Cache) trimDue() bool {
	info, err := c.folder.Stat(trimFile)
	if err != nil {
		return true
	}
	ago := c.opts.Now().Sub(info.ModTime())
	return ago >= c.opts.TrimEvery || ago <= -c.opts.TrimEvery
}

// trimOver trims a cache that is over its limit to four fifths of it, unless
// another process does or just did. A new cache is one that was just trimmed.
func (c *Cache) trimOver(stop stop) error {
	lock, err := c.folder.lock(trimFile, atOnce)
	if err != nil {
		return err
	}
	defer lock.Close()
	if !c.trimDue() {
		return nil
	}
	u, err := c.size(stop)
	if err != nil {
		return err
	}
	to := int64(math.MaxInt64) // what was left half done goes in any case
	if u.Bytes > c.opts.MaxBytes {
		to = c.opts.MaxBytes / 5 * 4
	}
	return c.trim(to, stop)
}

// notTrimmed is the fault of a trim that failed.
func (c *Cache) notTrimmed(err error) error {
	return cmp.Or(fault.Disk(err, c.dir), &fault.Error{
		Code: "cache.not_trimmed", Err: err,
		Message: fmt.Sprintf("the cache at %s could not be trimmed: %v", c.dir, err),
		Next:    "see that you may write there, or remove it: it is only a cache",
	})
}
