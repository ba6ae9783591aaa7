package cache

import (
	"cmp"
	"errors"
	"os"
	"syscall"
	"time"
)

// errBusy is that somebody else holds a lock.
var errBusy = errors.New("another wr is writing to it")

// stop says whether to go on: nil, or why not.
type stop func() error

// atOnce does not wait.
func atOnce() error { return errBusy }

// or stops when either does.
func (s stop) or(other stop) stop {
	return func() error { return cmp.Or(s(), other()) }
}

// within waits no longer than d.
func within(d time.Duration) stop {
	deadline := time.Now().Add(d)
	return func() error {
		if time.Now().After(deadline) {
			return errBusy
		}
		return nil
	}
}

// lock opens the file name, which nobody writes to, and locks it until it is
// closed or the process ends. Why it asks again and again: the kernel's own
// waiting cannot be called off, and a holder that is stopped would stop all.
func (f folder) lock(name string, stop stop) (*os.File, error) {
	file, err := f.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		err = tryLock(file)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
		if err = stop(); err != nil {
			break
		}
		time.Sleep(wait)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func tryLock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) }); err != nil {
		return err
	}
	return inner
}
