//go:build unix

package testrun

import (
	"os"
	"syscall"
)

// tryLock locks f for this process, or fails when another one has it. The
// kernel unlocks it when f is closed, however the process ends.
func tryLock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) })
	if err != nil {
		return err
	}
	return inner
}
