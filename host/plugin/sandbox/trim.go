package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// maxCache is what compiled code takes where nobody says anything else, in bytes:
// that of some three hundred plugins of 3 MB.
const maxCache = 4 << 30

// used is the compiled code of one module.
type used struct {
	folder string
	size   int64
	last   time.Time
}

// trim removes the code that was not used for the longest time until the rest is
// no more than the cache may hold. That of the module itself stays. Who is about
// to use what goes compiles it again.
func (c Config) trim() error {
	all, err := c.kept()
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b used) int { return b.last.Compare(a.last) })
	own := c.folder()
	var total int64
	for _, u := range all {
		total += u.size
		if total > cmp.Or(c.CacheSize, maxCache) && u.folder != own {
			err = errors.Join(err, u.remove())
		}
	}
	return err
}

// kept lists all compiled code, of whatever wazero.
func (c Config) kept() ([]used, error) {
	records, err := filepath.Glob(filepath.Join(c.CacheDir, "wazero-*", "*", "record.json"))
	if err != nil {
		return nil, err
	}
	var all []used
	for _, path := range records {
		info, statErr := os.Stat(path)
		text, readErr := os.ReadFile(path)
		if statErr != nil || readErr != nil {
			continue // somebody else has removed it
		}
		var r record
		if json.Unmarshal(text, &r) != nil {
			r.Size = maxCode // nobody can use it
		}
		all = append(all, used{filepath.Dir(path), r.Size, info.ModTime()})
	}
	return all, nil
}

// remove removes the code, unless somebody compiles it just now. The file of the
// lock stays: others may wait for it.
func (u used) remove() error {
	lock, err := os.OpenFile(filepath.Join(u.folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil
	}
	return errors.Join(os.RemoveAll(filepath.Join(u.folder, "record.json")), os.RemoveAll(filepath.Join(u.folder, "code")))
}

// note keeps when the code was last used. A cache that cannot be written to is
// not trimmed either.
func (c Config) note() {
	now := time.Now()
	_ = os.Chtimes(filepath.Join(c.folder(), "record.json"), now, now)
}
