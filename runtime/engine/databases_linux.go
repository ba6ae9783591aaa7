package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// noSync opens containerd's databases without an fsync for each transaction.
//
// One lease, prepare, remove, and end of the lease took 2.6 ms without and
// 9.8 ms with it (p90 6 and 35 ms), and while something else wrote to the same
// disk, as a build does, 2.0 and 17 ms (p90 7 and 140 ms). The price: a power
// failure can cost the last half minute of images, or all of them when a
// database is damaged, see mendState. A killed engine costs nothing.
const noSync = true

// maxDeaths is how many engines may die while they open the databases before
// these are taken for damaged. One may have been killed by chance.
const maxDeaths = 2

// guarded are the daemons that open databases.
func guarded() []string { return []string{"containerd", "buildkit"} }

// databases returns the files without which images and layers are worthless.
func (d Dirs) databases() []string {
	return []string{
		filepath.Join(d.ContainerdRoot(), metadataPlugin, "meta.db"),
		filepath.Join(d.ContainerdRoot(), snapshotterPlugin, "metadata.db"),
		filepath.Join(d.BuildkitRoot(), "metadata_v2.db"),
	}
}

// opening names the file with one byte for each engine in a row that died
// while what opened databases. Why it is needed: bolt checks every page of a
// database that it opens and panics in a goroutine of its own when one is
// wrong, so that nothing but the next engine can do something about it.
func (d Dirs) opening(what string) string { return filepath.Join(d.State, "opening-"+what) }

// guard does open, and counts a death should that never return.
func (d Dirs) guard(what string, open func() error) error {
	f, err := os.OpenFile(d.opening(what), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open databases: %w", err)
	}
	defer f.Close()
	if _, err := f.WriteString("x"); err != nil {
		return fmt.Errorf("open databases: %w", err)
	}
	return errors.Join(open(), os.Remove(f.Name()))
}

// mendState moves images and caches aside when their databases are damaged, so
// that everything starts cold: a crash costs time, never the engine. It
// returns the warning that this deserves, or "".
func mendState(dirs Dirs, now time.Time) (string, error) {
	damage := findDamage(dirs)
	if damage == nil {
		return "", nil
	}
	if unreadable(damage) {
		return "", fmt.Errorf("check databases: %w", damage)
	}
	aside, err := moveAside(dirs, now)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("images and caches were damaged and are gone: %v; the old files are in %s, delete them when you like",
		damage, aside), nil
}

// unreadable reports an error that says nothing about what is in a database:
// somebody has it open, or this process may not or cannot read it just now.
// Images are not given up for that.
func unreadable(err error) bool {
	_, path := errors.AsType[*fs.PathError](err)
	_, errno := errors.AsType[syscall.Errno](err)
	return path || errno || errors.Is(err, bolterrors.ErrTimeout)
}

func findDamage(dirs Dirs) error {
	for _, what := range guarded() {
		if info, err := os.Stat(dirs.opening(what)); err == nil && info.Size() >= maxDeaths {
			return fmt.Errorf("%s died %d times opening them", what, info.Size())
		}
	}
	for _, path := range dirs.databases() {
		if err := checkDatabase(path); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

// Aside returns where images and caches lie that were put aside as damaged.
func Aside(dirs Dirs) ([]string, error) {
	return filepath.Glob(filepath.Join(dirs.State, "state.bad-*"))
}

// moveAside renames images and caches, and removes what was put aside before.
// The lock, the log and unpacked helpers stay.
func moveAside(dirs Dirs, now time.Time) (string, error) {
	old, err := Aside(dirs)
	if err != nil {
		return "", err
	}
	for _, what := range guarded() {
		old = append(old, dirs.opening(what))
	}
	for _, path := range old {
		if err := os.RemoveAll(path); err != nil {
			return "", fmt.Errorf("remove damaged state: %w", err)
		}
	}
	aside := filepath.Join(dirs.State, "state.bad-"+strconv.FormatInt(now.Unix(), 10))
	if err := os.Mkdir(aside, 0o700); err != nil {
		return "", fmt.Errorf("move damaged state: %w", err)
	}
	for _, path := range []string{dirs.ContainerdRoot(), dirs.BuildkitRoot()} {
		if err := os.Rename(path, filepath.Join(aside, filepath.Base(path))); err != nil {
			return "", fmt.Errorf("move damaged state: %w", err)
		}
		if err := makeDir(path, 0o700, -1); err != nil {
			return "", err
		}
	}
	return aside, nil
}

// checkDatabase reports a bolt database that cannot be opened at all. A missing
// one is well.
func checkDatabase(path string) (err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return errors.New("empty") // bolt would take it for new, and the layers for nobody's
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged: %v", r)
		}
	}()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) error {
		// Reading beyond the end of a truncated file would be fatal later.
		if info.Size() < tx.Size() {
			return fmt.Errorf("truncated to %d of %d bytes", info.Size(), tx.Size())
		}
		return nil
	})
}
