package inputs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// settle is how long before it is read a file must have been left alone for
// its stat to be trusted later. Two edits within one tick of a file system's
// clock leave the same stat, so a younger file is read again in the next run.
// Two seconds cover the coarsest clock in use.
const settle = 2 * time.Second

// keep is for how long an entry that no run asks for is kept, in days.
const keep = 30

// Index maps files to content hashes by their stat, so that an unchanged file
// need not be read. It is read once by OpenIndex and written at most once by
// Close. It is a cache and never wrong: whatever it cannot vouch for is read
// again. Index is safe for concurrent use, and several processes may use one
// file: each write replaces the whole, and the last wins.
type Index struct {
	path string
	now  func() time.Time

	mu      sync.Mutex // guards what follows
	entries map[string]record
	dirty   bool
}

// record is what is known of a file.
type record struct {
	stat stat
	day  int64 // last use, in days since 1970
	sum  [sha256.Size]byte
}

// stat is what changes when a file does.
type stat struct {
	size, mtime, ctime int64 // bytes, nanoseconds
	inode              uint64
	mode               uint32
}

// OpenIndex reads the index at path. One that is missing, of another version
// or damaged is an empty one.
func OpenIndex(path string) *Index { return openIndex(path, time.Now) }

// openIndex is OpenIndex with the clock that file times are compared to.
func openIndex(path string, now func() time.Time) *Index {
	x := &Index{path: path, now: now}
	if data, err := os.ReadFile(path); err == nil {
		x.entries, err = decode(data)
		x.dirty = err != nil
	}
	if x.entries == nil {
		x.entries = map[string]record{}
	}
	return x
}

// Sum returns the hash of a regular file's content. It reads the file only if the
// index cannot vouch for it.
func (x *Index) Sum(path string) ([sha256.Size]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return x.SumOf(path, info)
}

// SumOpen is Sum of a file that was opened at path, for who must not be led to
// another one. It is left read to its end.
func (x *Index) SumOpen(path string, f *os.File) ([sha256.Size]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	if sum, ok := x.lookup(path, statOf(info)); ok {
		return sum, nil
	}
	started := x.now()
	sum, after, stable, err := readOpen(f)
	if err == nil && !stable {
		err = fmt.Errorf("%s: changes while it is read", path)
	}
	if err != nil {
		return sum, err
	}
	x.store(path, after, sum, started)
	return sum, nil
}

// SumOf is Sum of a file that was looked at. A nil index reads it.
func (x *Index) SumOf(path string, info fs.FileInfo) ([sha256.Size]byte, error) {
	if x == nil {
		sum, _, err := read(path)
		return sum, err
	}
	if sum, ok := x.lookup(path, statOf(info)); ok {
		return sum, nil
	}
	started := x.now()
	sum, after, err := read(path)
	if err != nil {
		return sum, err
	}
	x.store(path, after, sum, started)
	return sum, nil
}

// lookup returns the hash of a file that has not changed.
func (x *Index) lookup(path string, s stat) (sum [sha256.Size]byte, ok bool) {
	today := x.today()
	x.mu.Lock()
	defer x.mu.Unlock()
	r, ok := x.entries[path]
	if !ok || r.stat != s {
		return sum, false
	}
	if today-r.day > keep/3 {
		r.day, x.dirty = today, true
		x.entries[path] = r
	}
	return r.sum, true
}

// store keeps the hash of a file that had been left alone when it was read.
// Only the time of the inode's change counts: unlike the file's own time it
// cannot be set.
func (x *Index) store(path string, s stat, sum [sha256.Size]byte, started time.Time) {
	settled := s.ctime < started.Add(-settle).UnixNano()
	x.mu.Lock()
	defer x.mu.Unlock()
	if settled {
		x.entries[path] = record{stat: s, day: x.today(), sum: sum}
		x.dirty = true
	} else if _, ok := x.entries[path]; ok {
		delete(x.entries, path)
		x.dirty = true
	}
}

// today is the day since 1970.
func (x *Index) today() int64 { return x.now().Unix() / int64(24*time.Hour/time.Second) }

// Close writes the index if anything in it changed. The index may be used and
// closed again.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.dirty {
		return nil
	}
	oldest := x.today() - keep
	for path, r := range x.entries {
		if r.day < oldest {
			delete(x.entries, path)
		}
	}
	if err := os.MkdirAll(filepath.Dir(x.path), 0o755); err != nil {
		return fmt.Errorf("write stat index: %w", err)
	}
	if err := replace(x.path, encode(x.entries)); err != nil {
		return fmt.Errorf("write stat index: %w", err)
	}
	x.dirty = false
	return nil
}

// replace writes a file by renaming a new one over it.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// statOf is the stat of a file.
func statOf(info fs.FileInfo) stat {
	ctime, inode := changed(info)
	return stat{size: info.Size(), mtime: info.ModTime().UnixNano(), ctime: ctime, inode: inode, mode: uint32(info.Mode())}
}

// attempts is how often a file that changes while it is read is read again.
const attempts = 3

// read hashes a file and returns the stat that belongs to what was read.
func read(path string) (sum [sha256.Size]byte, s stat, err error) {
	for range attempts {
		var stable bool
		if sum, s, stable, err = readOnce(path); err != nil || stable {
			return sum, s, err
		}
	}
	return sum, s, fmt.Errorf("%s: changes while it is read", path)
}

// readOnce hashes a file. It does not follow a link or wait for a pipe that took
// the file's place.
func readOnce(path string) (sum [sha256.Size]byte, s stat, stable bool, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return sum, s, false, err
	}
	defer f.Close()
	return readOpen(f)
}

// readOpen hashes an open file; stable says that it was the same before and after.
func readOpen(f *os.File) (sum [sha256.Size]byte, s stat, stable bool, err error) {
	before, err := f.Stat()
	if err != nil {
		return sum, s, false, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, s, false, err
	}
	after, err := f.Stat()
	if err != nil {
		return sum, s, false, err
	}
	h.Sum(sum[:0])
	s = statOf(after)
	return sum, s, statOf(before) == s, nil
}
