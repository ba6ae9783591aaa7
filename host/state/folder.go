package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/wr-build/wr/runtime/spec"
)

// Folder is a directory of wr's own in a workspace, held open. Why not its
// path: under sudo the tree belongs to someone else, who may put a symbolic link
// in place of any directory at any time. What goes through the handle stays
// below it. Opening and making a folder follows no link at all.
type Folder struct {
	*os.Root
	owner spec.Owner // of what is made in it
}

// Enter opens the folder name in f, made unless it is there.
func (f Folder) Enter(name string) (Folder, error) {
	made, err := f.Fresh(name)
	if errors.Is(err, fs.ErrExist) {
		return f.Existing(name)
	}
	return made, err
}

// Private is Enter for a folder that only its owner may look into.
func (f Folder) Private(name string) (Folder, error) {
	private, err := f.Enter(name)
	if err != nil {
		return Folder{}, err
	}
	if err := private.Chmod(".", 0o700); err != nil {
		return Folder{}, errors.Join(err, private.Close())
	}
	return private, nil
}

// Fresh makes the folder name in f, which must not be there yet.
func (f Folder) Fresh(name string) (Folder, error) {
	if err := f.Mkdir(name, 0o755); err != nil {
		return Folder{}, err
	}
	made, err := f.Existing(name)
	if err != nil {
		return Folder{}, err
	}
	if isRoot() {
		err = made.Lchown(".", f.owner.UID, f.owner.GID)
	}
	if err != nil {
		return Folder{}, errors.Join(err, made.Close())
	}
	return made, nil
}

// Existing opens the folder name in f.
func (f Folder) Existing(name string) (Folder, error) {
	there, err := f.Lstat(name)
	if err != nil {
		return Folder{}, err
	}
	if !there.IsDir() {
		return Folder{}, notAFolder(name, there.Mode())
	}
	r, err := f.OpenRoot(name)
	if err != nil {
		return Folder{}, err
	}
	opened, err := r.Stat(".")
	if err == nil && !os.SameFile(there, opened) { // replaced in between
		err = notAFolder(name, fs.ModeSymlink)
	}
	if err != nil {
		return Folder{}, errors.Join(err, r.Close())
	}
	return Folder{r, f.owner}, nil
}

func notAFolder(name string, mode fs.FileMode) error {
	if mode&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is a symbolic link, which wr does not follow: %w", name, syscall.ELOOP)
	}
	return fmt.Errorf("open %s: %w", name, syscall.ENOTDIR)
}

// NewFile makes the file name in f, which must not be there yet, for reading
// and appending.
func (f Folder) NewFile(name string) (*os.File, error) {
	file, err := f.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	if isRoot() {
		err = file.Chown(f.owner.UID, f.owner.GID)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Reopen opens the file name in f. What ran in a container can have put a link or a
// pipe in its place: no link is followed and no pipe waited for, and what is no
// regular file is an error.
func (f Folder) Reopen(name string, flag int) (*os.File, error) {
	// Why a look before: an os.Root follows links that stay in it, whatever the flags.
	before, err := f.Lstat(name)
	if err != nil {
		return nil, err
	}
	file, err := f.OpenFile(name, flag|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || !os.SameFile(before, info) {
		return nil, errors.Join(fmt.Errorf("%s is not a regular file any more", name), err, file.Close())
	}
	return file, nil
}

// Write makes the file name with content. No half of it is left.
func (f Folder) Write(name string, content []byte) error {
	file, err := f.NewFile(name)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, f.Remove(name))
	}
	return nil
}

// Replace makes the file name of what fill writes, whole or not at all. What
// had that name is replaced.
func (f Folder) Replace(name string, fill func(*os.File) error) error {
	fresh := "." + name + "." + Random(4)
	file, err := f.NewFile(fresh)
	if err != nil {
		return err
	}
	err = errors.Join(fill(file), file.Close())
	if err == nil {
		err = f.Rename(fresh, name)
	}
	if err != nil {
		return errors.Join(err, f.Remove(fresh))
	}
	return nil
}

// Point makes the symbolic link name lead to target, in one step for everyone
// who looks.
func (f Folder) Point(name, target string) error {
	fresh := name + "." + target
	if err := f.Symlink(target, fresh); err != nil {
		return err
	}
	var err error
	if isRoot() {
		err = f.Lchown(fresh, f.owner.UID, f.owner.GID)
	}
	if err == nil {
		err = f.Rename(fresh, name)
	}
	if err != nil {
		return errors.Join(err, f.Remove(fresh))
	}
	return nil
}

// Again opens the folder once more, to be closed by itself.
func (f Folder) Again() (Folder, error) {
	again, err := f.OpenRoot(".")
	return Folder{again, f.owner}, err
}

// Lock waits until nobody else holds f's lock, which ends with unlock and with
// the process.
func (f Folder) Lock() (unlock func(), err error) {
	dir, err := f.Open(".")
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return func() { _ = dir.Close() }, nil
}

// Close closes the handle; the folder stays. The zero Folder is closed.
func (f Folder) Close() error {
	if f.Root == nil {
		return nil
	}
	return f.Root.Close()
}

// isRoot reports whether this process can give files away.
func isRoot() bool { return os.Geteuid() == 0 }
