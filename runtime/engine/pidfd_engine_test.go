//go:build linux && engine

package engine

import (
	"time"

	"golang.org/x/sys/unix"
)

func openPidfd(pid int) (int, error) { return unix.PidfdOpen(pid, 0) }

// awaitPidfd reports whether the process ends in time.
func awaitPidfd(fd int, timeout time.Duration) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(timeout.Milliseconds()))
	return err == nil && n == 1
}
