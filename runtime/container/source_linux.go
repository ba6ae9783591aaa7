package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// openSource opens a host path to be mounted. It follows no symbolic link,
// anywhere in the path: clients name what they mean, and what lies in a
// workspace can be replaced by whatever runs in its containers, at any time.
// Following a link there would hand the machine's files to a container.
func openSource(path string) (*os.File, error) {
	fd, err := unix.Openat2(unix.AT_FDCWD, path, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS,
	})
	switch {
	case err == nil:
		return os.NewFile(uintptr(fd), path), nil
	case errors.Is(err, unix.ELOOP):
		return nil, &fault.Error{
			Code: "mount.symlink", Message: fmt.Sprintf("cannot mount %s: a symbolic link is in the way", path),
			Next: "remove the link, or name the path that it leads to", Err: err,
		}
	case errors.Is(err, fs.ErrNotExist):
		return nil, missingMount(path, err)
	default:
		return nil, fmt.Errorf("mount %s: %w", path, err)
	}
}

// tree returns the mounts at a host path once more, attached to nothing, with
// their attributes changed. It is gone when it is closed, unless it was
// attached.
func tree(source *os.File, attr unix.MountAttr) (*os.File, error) {
	const flags = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_EMPTY_PATH | unix.AT_RECURSIVE
	fd, err := unix.OpenTree(int(source.Fd()), "", flags)
	if err != nil {
		return nil, fmt.Errorf("mount %s: %w", source.Name(), err)
	}
	f := os.NewFile(uintptr(fd), source.Name())
	if attr == (unix.MountAttr{}) { // before Linux 5.12 nothing could be changed
		return f, nil
	}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
		_ = f.Close()
		return nil, notMappable(source.Name(), err)
	}
	return f, nil
}
