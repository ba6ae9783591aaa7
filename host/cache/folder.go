package cache

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// What is in a cache's directory: a folder for each version of the layout, and
// in ours what follows.
const (
	version     = "v1"
	indexFile   = "results"      // results by key
	blobsFolder = "cas"          // blobs by hash, in folders by its first byte
	tempFolder  = "tmp"          // what is being written
	lockFile    = "results.lock" // held by who writes the index
	trimFile    = "trimmed"      // held by who trims; its time is that of the last trim
)

// folder is a directory of the cache, held open: nothing that lies in it leads
// out of it.
type folder struct {
	*os.Root
}

// openFolder opens dir, made unless it is there, if nobody else can have written
// there.
func openFolder(dir string) (folder, error) {
	if !filepath.IsAbs(dir) { // neither HOME nor XDG_CACHE_HOME is set
		return folder{}, noFolder(dir, fs.ErrInvalid)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return folder{}, noFolder(dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return folder{}, noFolder(dir, err)
	}
	if err := private(dir, root); err != nil {
		return folder{}, errors.Join(err, root.Close())
	}
	return folder{root}, nil
}

// private returns a fault if others than the caller can write to root.
func private(dir string, root *os.Root) error {
	info, err := root.Stat(".")
	if err != nil {
		return noFolder(dir, err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return &fault.Error{
			Code:    "cache.foreign_folder",
			Message: fmt.Sprintf("the cache folder %s belongs to the user %d, not to you (%d), who may have put anything there", dir, stat.Uid, os.Geteuid()),
			Next:    "remove it, or set XDG_CACHE_HOME to a folder of your own",
		}
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return &fault.Error{
			Code:    "cache.open_folder",
			Message: fmt.Sprintf("others may write to the cache folder %s (mode %04o), and may have put anything there", dir, mode),
			Next:    "rm -r " + dir + "; wr makes it again, for you alone",
		}
	}
	return nil
}

func noFolder(dir string, err error) error {
	return cmp.Or(fault.Disk(err, dir), &fault.Error{
		Code: "cache.no_folder", Message: fmt.Sprintf("no cache at %q: %v", dir, err), Err: err,
		Next: "set XDG_CACHE_HOME to an absolute path that you may write to",
	})
}

// enter opens the folder name in f, made unless it is there.
func (f folder) enter(name string) (folder, error) {
	root, err := f.OpenRoot(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = f.MkdirAll(name, 0o700); err == nil {
			root, err = f.OpenRoot(name)
		}
	}
	return folder{root}, err
}

// create makes the file name, and the folder that it is in unless that is there.
func (f folder) create(name string) (*os.File, error) {
	const fresh = os.O_CREATE | os.O_EXCL | os.O_WRONLY
	file, err := f.OpenFile(name, fresh, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err = f.MkdirAll(path.Dir(name), 0o700); err == nil {
			file, err = f.OpenFile(name, fresh, 0o600)
		}
	}
	return file, err
}

// temp is a file that has no name yet by which anybody finds it.
type temp struct {
	*os.File
	in   folder
	name string
}

func (f folder) temp() (temp, error) {
	name := path.Join(tempFolder, rand.Text())
	file, err := f.create(name)
	return temp{file, f, name}, err
}

// place closes t and gives it its name, in place of what had that.
func (t temp) place(name string) error {
	if err := t.Close(); err != nil {
		return errors.Join(err, t.in.Remove(t.name))
	}
	err := t.in.Rename(t.name, name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = t.in.MkdirAll(path.Dir(name), 0o700); err == nil {
			err = t.in.Rename(t.name, name)
		}
	}
	if err != nil {
		return errors.Join(err, t.in.Remove(t.name))
	}
	return nil
}

// discard closes and removes t. What cannot be removed is left to a trim.
func (t temp) discard() { _ = errors.Join(t.Close(), t.in.Remove(t.name)) }

// write makes the file name of b, whole or not at all.
func (f folder) write(name string, b []byte) error {
	t, err := f.temp()
	if err != nil {
		return err
	}
	if _, err := t.Write(b); err != nil {
		t.discard()
		return err
	}
	return t.place(name)
}
