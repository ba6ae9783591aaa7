package view

import (
	"errors"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// searchOnly opens a directory as a place to start from; to read it is not needed.
const searchOnly = unix.O_PATH

// openDir opens a directory and follows no link on the way. It notes in plain that
// the kernel, or its seccomp filter, has no openat2.
func openDir(root int, dir string, plain *atomic.Bool) (int, error) {
	if plain.Load() {
		return walk(root, dir)
	}
	how := unix.OpenHow{
		Flags:   searchOnly | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	}
	fd, err := retry(func() (int, error) { return unix.Openat2(root, dir, &how) })
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
		plain.Store(true)
		return walk(root, dir)
	case errors.Is(err, unix.EAGAIN): // something was renamed meanwhile
		return walk(root, dir)
	}
	return fd, err
}
