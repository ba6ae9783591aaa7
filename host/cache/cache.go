// Package cache keeps what was worked out once: results of actions by their
// key, and blobs by their digest, as REAPI v2 has them (ActionCache, and a
// content-addressable store with sha256), in a directory of one user.
//
// # Contract
//
// What is not certain is a miss. A result's frame carries a checksum and its
// key, a blob is hashed before it is handed out, a result of which an output is
// gone is none. So a damaged file, a process that was killed or a power failure
// costs results and never makes a wrong one. That is also why nothing here waits
// for the disk (no fsync): a file that a power failure left empty or half
// written is found out when it is read.
//
// Any number of processes may use one directory at once. There is no daemon;
// locks are the kernel's (flock) and end with their process. Reading takes none.
// On file systems without flock nothing is written.
//
// A cache keeps to a size (Options.MaxBytes): a process that writes looks after it
// behind its own work, at most once an interval and one process at a time; what was
// used longest ago goes first. Uses are recorded to the hour. A run of hits writes
// next to nothing and trims nothing.
//
// No failure to write has to fail a run. PutResult tells of none; the first is
// what Close returns, once. A caller without a cache uses a nil *Cache: it has
// nothing and keeps nothing.
//
// # Layout
//
//	v1/results       results: a line that names the version, then a frame for each fact
//	v1/results.lock  held by who writes results
//	v1/cas/ab/ab...  a blob, named by its hash; its time is that of its last use
//	v1/tmp/          what is being written
//	v1/trimmed       held by who trims; its time is that of the last trim
//
// Results are one file, so that a run reads thousands of them at once; large
// ones are a blob, of which the file has the digest. It is appended to, and
// written anew when most of it is out of date or it reaches 32 MiB; then the
// results that were used last stay. A folder of another version is left to the
// wr that made it, and removed when that has not written for a month.
//
// Why no library: the caches of Go's tools (rogpeppe/go-internal/cache) take two
// files a result, which is thirty times slower to read for small ones, and have
// no limit of size; embedded databases (bbolt, SQLite) let one process in at a
// time or weigh more than wr. Those of REAPI (bazel-remote, Buildbarn) are servers.
package cache

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Options are what may be set of a cache. Zero values mean the defaults.
type Options struct {
	MaxBytes  int64            // how much it may take on disk, about; 0 = 1 GiB
	TrimEvery time.Duration    // how often that is looked after; 0 = hourly
	Now       func() time.Time // the clock for last uses; nil = time.Now
}

func (o Options) orDefaults() Options {
	o.MaxBytes = cmp.Or(o.MaxBytes, 1<<30)
	o.TrimEvery = cmp.Or(o.TrimEvery, time.Hour)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

const (
	coarse     = time.Hour       // how old a recorded last use may be before a new one is recorded
	flushBytes = 64 << 10        // results that wait to be written: at most so much
	flushEvery = time.Second     // and for so long, if more come
	patience   = 2 * time.Second // how long Close waits for others, and for a trim
)

// Cache is an open cache. It is safe for concurrent use.
type Cache struct {
	dir     string
	opts    Options
	top     folder // what all versions share
	folder  folder // ours
	trimmer trimmer

	mu      sync.Mutex // guards what follows
	index   index
	flushed time.Time // when results were written last
	failed  error     // the first failure; afterwards no result is written
	closed  bool
}

// Open opens the cache in dir, an absolute path, made unless it is there, and
// reads its results. It refuses a folder that others own or may write to. A
// folder that cannot be written is fine until there is something to write.
func Open(dir string, o Options) (*Cache, error) {
	top, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	ours, err := top.enter(version)
	if err != nil {
		return nil, errors.Join(noFolder(dir, err), top.Close())
	}
	c := &Cache{dir: dir, opts: o.orDefaults(), top: top, folder: ours, index: newIndex(ours), flushed: time.Now()}
	if err := c.index.load(); err != nil {
		return nil, errors.Join(noFolder(dir, err), ours.Close(), top.Close())
	}
	return c, nil
}

// flush writes what waits, unless another process is writing for as long as
// stop allows; a use that is not recorded is no loss.
func (c *Cache) flush(stop stop) {
	waiting := len(c.index.results) > 0
	if !waiting {
		stop = atOnce
	}
	err := c.write(stop)
	if errors.Is(err, errBusy) && !c.closed {
		return // it waits on
	}
	if waiting && err != nil {
		c.fail(c.notWritten(err))
	}
	c.index.results, c.index.uses, c.flushed = nil, nil, time.Now()
}

// write is flush that tells what went wrong.
func (c *Cache) write(stop stop) error {
	if c.failed != nil || len(c.index.results)+len(c.index.uses) == 0 {
		return nil
	}
	lock, err := c.folder.lock(lockFile, stop)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := c.index.write(); err != nil {
		return err
	}
	if limit := indexLimit(c.opts.MaxBytes); c.index.sparse(limit) {
		return c.index.pack(limit/4*3, c.opts.Now().Unix(), func([]byte) bool { return true })
	}
	return nil
}

// indexLimit is how much of a cache of that size results may take.
func indexLimit(bytes int64) int64 { return min(maxIndex, bytes/4/block*block) }

// fail keeps the first failure. The caller holds the mutex.
func (c *Cache) fail(err error) { c.failed = cmp.Or(c.failed, err) }

// notWritten is the fault of a failure to write.
func (c *Cache) notWritten(err error) error {
	return cmp.Or(fault.Disk(err, c.dir), &fault.Error{
		Code: "cache.not_written", Err: err,
		Message: fmt.Sprintf("the cache at %s could not be written, so what was worked out now will be again: %v", c.dir, err),
		Next:    "see that you may write there and that the file system has flock, or set XDG_CACHE_HOME to another place",
	})
}

// Close writes what waits and ends a trim, for each of which it may wait two
// seconds. It returns the first failure to write a result or to trim: a fault
// that is a warning to the user. A closed cache may be closed again; it has no
// blobs and keeps nothing.
func (c *Cache) Close() error {
	if c == nil || c.close() {
		return nil
	}
	var trimmed error
	if err := c.trimmer.end(patience); err != nil {
		trimmed = c.notTrimmed(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.index.close()
	return errors.Join(cmp.Or(c.failed, trimmed), c.folder.Close(), c.top.Close())
}

// close writes what waits and marks c as closed; again is true if it was.
func (c *Cache) close() (again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return true
	}
	c.closed = true
	c.flush(within(patience))
	return false
}
