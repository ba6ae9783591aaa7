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

// Code is the compiled code of one module.
type Code struct {
	Folder string
	Size   int64     // bytes
	Used   time.Time // last
}

// trim removes the code that was not used for the longest time until the rest is
// no more than the cache may hold. That of the module itself stays. Who is about
// to use what goes compiles it again.
func (c Config) trim() error {
	all, err := Kept(c.CacheDir)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b Code) int { return b.Used.Compare(a.Used) })
	own := c.folder()
	var total int64
	for _, code := range all {
		total += code.Size
		if total > cmp.Or(c.CacheSize, maxCache) && code.Folder != own {
			err = errors.Join(err, code.Remove())
		}
	}
	return err
}

// Kept lists all code in a directory of compiled code, of whatever wazero.
func Kept(cacheDir string) ([]Code, error) {
	records, err := filepath.Glob(filepath.Join(cacheDir, "wazero-*", "*", "record.json"))
	if err != nil {
		return nil, err
	}
	var all []Code
	for _, path := range records {
		info, statErr := os.Stat(path)
		text, readErr := os.ReadFile(path)
		if statErr != nil || readErr != nil {
			continue // somebody else has removed it
		}
		var r record
		size := int64(maxCode)
		if json.Unmarshal(text, &r) == nil && r.Code.File != "" { // else nobody can use it
			size = r.Code.Size + r.Outline.Size
		}
		all = append(all, Code{filepath.Dir(path), size, info.ModTime()})
	}
	return all, nil
}

// Unused are those of Kept that nobody used since, but for those of modules with
// these digests, in hex, as this program compiles them.
func Unused(cacheDir string, since time.Time, needed []string) ([]Code, error) {
	all, err := Kept(cacheDir)
	return slices.DeleteFunc(all, func(code Code) bool {
		return !code.Used.Before(since) || slices.ContainsFunc(needed, func(digest string) bool {
			return Config{CacheDir: cacheDir, Digest: digest}.folder() == code.Folder
		})
	}), err
}

// Remove removes the code, unless somebody compiles it just now. The file of the
// lock stays: others may wait for it.
func (code Code) Remove() error {
	lock, err := os.OpenFile(filepath.Join(code.Folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil
	}
	for _, name := range []string{"record.json", outlineFile, "code"} {
		err = errors.Join(err, os.RemoveAll(filepath.Join(code.Folder, name)))
	}
	return err
}

// note keeps when the code was last used. A cache that cannot be written to is
// not trimmed either.
func (c Config) note() {
	now := time.Now()
	_ = os.Chtimes(filepath.Join(c.folder(), "record.json"), now, now)
}
