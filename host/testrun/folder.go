package testrun

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/wr-build/wr/runtime/spec"
)

// folder is a directory of wr's own in a workspace, held open. Why not its
// path: under sudo the tree belongs to someone else, who may put a symbolic link
// in place of any directory at any time. What goes through the handle stays
// below it. Opening and making a folder follows no link at all.
type folder struct {
	*os.Root
	owner spec.Owner // of what is made in it
}

// openFolder opens the directory at path, a host path that is trusted.
func openFolder(path string, owner spec.Owner) (folder, error) {
	r, err := os.OpenRoot(path)
	return folder{r, owner}, err
}

// enter opens the folder name in f, made unless it is there.
func (f folder) enter(name string) (folder, error) {
	made, err := f.fresh(name)
	if errors.Is(err, fs.ErrExist) {
		return f.open(name)
	}
	return made, err
}

// fresh makes the folder name in f, which must not be there yet.
func (f folder) fresh(name string) (folder, error) {
	if err := f.Mkdir(name, 0o755); err != nil {
		return folder{}, err
	}
	made, err := f.open(name)
	if err != nil {
		return folder{}, err
	}
	if isRoot() {
		err = made.Lchown(".", f.owner.UID, f.owner.GID)
	}
	if err != nil {
		return folder{}, errors.Join(err, made.Close())
	}
	return made, nil
}

// open opens the folder name in f.
func (f folder) open(name string) (folder, error) {
	there, err := f.Lstat(name)
	if err != nil {
		return folder{}, err
	}
	if !there.IsDir() {
		return folder{}, notAFolder(name, there.Mode())
	}
	r, err := f.OpenRoot(name)
	if err != nil {
		return folder{}, err
	}
	opened, err := r.Stat(".")
	if err == nil && !os.SameFile(there, opened) { // replaced in between
		err = notAFolder(name, fs.ModeSymlink)
	}
	if err != nil {
		return folder{}, errors.Join(err, r.Close())
	}
	return folder{r, f.owner}, nil
}

func notAFolder(name string, mode fs.FileMode) error {
	if mode&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is a symbolic link, which wr does not follow: %w", name, syscall.ELOOP)
	}
	return fmt.Errorf("open %s: %w", name, syscall.ENOTDIR)
}

// create makes the file name in f, which must not be there yet, for reading
// and appending.
func (f folder) create(name string) (*os.File, error) {
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

// write makes the file name with content. No half of it is left.
func (f folder) write(name string, content []byte) error {
	file, err := f.create(name)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, f.Remove(name))
	}
	return nil
}

// replace makes the file name of what fill writes, whole or not at all. What
// had that name is replaced.
func (f folder) replace(name string, fill func(*os.File) error) error {
	fresh := "." + name + "." + random(4)
	file, err := f.create(fresh)
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

// point makes the symbolic link name lead to target, in one step for everyone
// who looks.
func (f folder) point(name, target string) error {
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

// Close closes the handle; the folder stays. The zero folder is closed.
func (f folder) Close() error {
	if f.Root == nil {
		return nil
	}
	return f.Root.Close()
}

// isRoot reports whether this process can give files away.
func isRoot() bool { return os.Geteuid() == 0 }
