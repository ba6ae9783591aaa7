package cache

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"
)

const (
	abandoned = time.Hour           // how long a file that is being written may lie still
	otherKept = 30 * 24 * time.Hour // how long a folder of another version is kept unused
	block     = 4 << 10             // what file systems give out at least
)

// Usage is how much a cache holds.
type Usage struct {
	Results int   `json:"results"`
	Blobs   int   `json:"blobs"`
	Bytes   int64 `json:"bytes"` // on disk: each file takes whole blocks of 4 KiB
}

// Size looks how much the cache holds at the moment, of all processes. It
// takes a few microseconds a blob.
func (c *Cache) Size(ctx context.Context) (Usage, error) {
	return c.size(func() error { return context.Cause(ctx) })
}

func (c *Cache) size(stop stop) (Usage, error) {
	blobs, err := files(c.folder, blobsFolder, stop)
	if err != nil {
		return Usage{}, err
	}
	writing, err := files(c.folder, tempFolder, stop)
	if err != nil {
		return Usage{}, err
	}
	u := Usage{Blobs: len(blobs), Bytes: total(blobs) + total(writing)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.index.load(); err != nil {
		return Usage{}, err
	}
	u.Results = len(c.index.entries)
	u.Bytes += onDisk(c.index.end)
	return u, nil
}

func (c *Cache) indexSize() (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.index.load()
	return onDisk(c.index.end), err
}

// Trim removes what was used longest ago until the cache takes at most so many
// bytes, and what processes that were killed left half done. It waits for
// another process that trims. It returns how much is left.
func (c *Cache) Trim(ctx context.Context, most int64) (Usage, error) {
	stop := func() error { return context.Cause(ctx) }
	lock, err := c.folder.lock(trimFile, stop)
	if err == nil {
		defer lock.Close()
		err = c.trim(most, stop)
	}
	if err != nil {
		return Usage{}, cmp.Or(context.Cause(ctx), c.notTrimmed(err))
	}
	return c.size(stop)
}

// trim is Trim for who holds its lock.
func (c *Cache) trim(most int64, stop stop) error {
	now := c.opts.Now()
	if err := c.folder.Chtimes(trimFile, now, now); err != nil {
		return err
	}
	writing, err := c.tidy(now, stop)
	if err != nil {
		return err
	}
	blobs, err := files(c.folder, blobsFolder, stop)
	if err != nil {
		return err
	}
	results, err := c.indexSize()
	if err != nil {
		return err
	}
	limit := indexLimit(most)
	gone, err := c.evict(blobs, most-writing-min(results, limit), stop)
	return errors.Join(err, c.packResults(limit, gone, stop))
}

// tidy removes what nobody will come back to, and returns how much is being
// written.
func (c *Cache) tidy(now time.Time, stop stop) (writing int64, err error) {
	temps, err := files(c.folder, tempFolder, stop)
	for _, f := range temps {
		if now.Sub(f.used) >= abandoned {
			_ = c.folder.Remove(f.name) // somebody else may have
		} else {
			writing += onDisk(f.size)
		}
	}
	return writing, errors.Join(err, c.removeVersions(now))
}

// removeVersions removes the folders of other versions that nobody uses.
func (c *Cache) removeVersions(now time.Time) error {
	entries, err := fs.ReadDir(c.top.FS(), ".")
	for _, e := range entries {
		if e.Name() == version || !strings.HasPrefix(e.Name(), "v") {
			continue
		}
		info, unknown := c.top.Stat(e.Name() + "/" + trimFile)
		if unknown == nil && now.Sub(info.ModTime()) >= otherKept {
			err = errors.Join(err, c.top.RemoveAll(e.Name()))
		}
	}
	return err
}

// evict removes the blobs that were used longest ago until all take at most
// limit bytes, and returns the hashes of those that are gone.
func (c *Cache) evict(blobs []file, limit int64, stop stop) (map[string]bool, error) {
	gone := map[string]bool{}
	slices.SortFunc(blobs, func(a, b file) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.name, b.name)) })
	left := total(blobs)
	for _, b := range blobs {
		if left <= limit {
			break
		}
		if err := stop(); err != nil {
			return gone, err
		}
		info, err := c.folder.Lstat(b.name)
		if err == nil && !info.ModTime().Equal(b.used) {
			continue // used since
		}
		if err == nil {
			err = c.folder.Remove(b.name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return gone, err
		}
		gone[b.hash()] = true
		left -= onDisk(b.size)
	}
	return gone, nil
}

// packResults keeps the results that were used last and take at most budget
// bytes, without those that need a blob that is gone.
func (c *Cache) packResults(budget int64, gone map[string]bool, stop stop) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	lock, err := c.folder.lock(lockFile, stop.or(within(patience)))
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := c.index.prepare(); err != nil {
		return err
	}
	if len(gone) == 0 && !c.index.sparse(budget) {
		return nil
	}
	return c.index.pack(budget, c.opts.Now().Unix(), func(body []byte) bool { return !needs(body, gone) })
}

// needs reports whether a result needs one of the blobs.
func needs(body []byte, gone map[string]bool) bool {
	if d, ok := holder(body); ok {
		return gone[d.Hash]
	}
	r, err := decodeResult(bytes.TrimPrefix(body, []byte{inline}))
	return err != nil || slices.ContainsFunc(r.Outputs, func(o Output) bool { return gone[o.Digest.Hash] })
}

// file is one that counts.
type file struct {
	name string
	size int64
	used time.Time
}

func (f file) hash() string { return f.name[strings.LastIndexByte(f.name, '/')+1:] }

// files returns what is in a folder and in those below it. What goes away
// meanwhile is left out.
func files(f folder, dir string, stop stop) ([]file, error) {
	var found []file
	err := fs.WalkDir(f.FS(), dir, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err = cmp.Or(err, stop()); err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			found = append(found, file{name, info.Size(), info.ModTime()})
		}
		return err
	})
	return found, err
}

func total(files []file) int64 {
	var sum int64
	for _, f := range files {
		sum += onDisk(f.size)
	}
	return sum
}

func onDisk(size int64) int64 { return (size + block - 1) / block * block }
