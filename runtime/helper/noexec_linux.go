package helper

import "golang.org/x/sys/unix"

// noexec tells whether programs in dir cannot be executed.
func noexec(dir string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(dir, &fs) == nil && fs.Flags&unix.ST_NOEXEC != 0
}
