package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// access says who may use an engine: its owner, and the members of a group
// when gid is not -1.
type access struct{ gid int }

// newAccess resolves a group's name or number; "" is the owner only.
func newAccess(group string) (access, error) {
	if group == "" {
		return access{gid: -1}, nil
	}
	if gid, err := strconv.Atoi(group); err == nil && gid >= 0 {
		return access{gid: gid}, nil
	}
	found, err := user.LookupGroup(group)
	if err != nil {
		return access{}, &fault.Error{
			Code:    "engine.unknown_group",
			Class:   fault.Usage,
			Message: fmt.Sprintf("there is no group %q", group),
			Next:    "create it with `sudo groupadd " + group + "`, or name another one",
			Err:     err,
		}
	}
	gid, err := strconv.Atoi(found.Gid)
	return access{gid: gid}, err
}

// dirMode and socketMode are what access means for the run directory and the
// sockets in it.
func (a access) dirMode() fs.FileMode {
	if a.gid < 0 {
		return 0o700
	}
	return 0o750
}

func (a access) socketMode() fs.FileMode {
	if a.gid < 0 {
		return 0o600
	}
	return 0o660
}

// apply gives path to the group, when there is one, and sets its mode.
func (a access) apply(path string, mode fs.FileMode) error {
	if a.gid >= 0 {
		if err := os.Chown(path, -1, a.gid); err != nil {
			return err
		}
	}
	return os.Chmod(path, mode)
}

// makeDirs makes every directory of the engine. All but Run are the owner's
// alone; containerd makes its own below them.
func (d Dirs) makeDirs(a access) error {
	if err := makeDir(d.Run, a.dirMode(), a.gid); err != nil {
		return err
	}
	private := []string{
		d.State, d.ContainerdRoot(), d.BuildkitRoot(),
		d.Shims(), d.Mounts(), d.Containers(), d.RuncRoot(), d.BuildRuncRoot(), d.TempMounts(),
	}
	for _, path := range private {
		if err := makeDir(path, 0o700, -1); err != nil {
			return err
		}
	}
	// Why 0711: a container in a user namespace reaches its bundle through it.
	// Run itself keeps strangers out.
	return makeDir(d.ContainerdState(), 0o711, -1)
}

// makeDir makes a directory of this user's with exactly that mode.
func makeDir(path string, mode fs.FileMode, gid int) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return dirFault(path, err)
	}
	if err := os.Mkdir(path, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return dirFault(path, err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return dirFault(path, err)
	}
	// A directory below /tmp may have been put there by somebody else.
	if owner := info.Sys().(*syscall.Stat_t).Uid; !info.IsDir() || int(owner) != os.Geteuid() {
		return &fault.Error{
			Code:    "engine.foreign_dir",
			Message: fmt.Sprintf("%s is not a directory of uid %d", path, os.Geteuid()),
			Next:    "remove it, or set WR_ENGINE_DIR to a directory of your own",
		}
	}
	if err := (access{gid: gid}).apply(path, mode); err != nil {
		return dirFault(path, err)
	}
	return nil
}

// dirFault explains why a directory cannot be made.
func dirFault(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return denied("this user may not create "+path, err)
	}
	return &fault.Error{
		Code:    "engine.dir",
		Message: fmt.Sprintf("cannot create %s: %v", path, errors.Unwrap(err)),
		Next:    "make room for it, or set WR_ENGINE_DIR to another directory",
		Err:     err,
	}
}
