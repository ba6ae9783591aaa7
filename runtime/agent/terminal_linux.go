package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/wire"
)

// terminal is a pty in the container's devpts. The agent keeps both ends until
// the command has ended: the master for its size and foreground group, the
// slave so that the client does not read an end while the command lives but
// has its own ends closed. A nil terminal has no foreground group.
type terminal struct {
	master, slave *os.File
}

// openTerminal opens a pty that belongs to uid.
func openTerminal(uid int, size spec.Size) (*terminal, error) {
	master, err := openMaster()
	if err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	t := &terminal{master: master}
	if err := t.openSlave(); err != nil {
		t.close()
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	_ = t.slave.Chown(uid, -1) // best effort: only opening it again by name needs it
	if size == (spec.Size{}) {
		size = spec.Size{Cols: 80, Rows: 24}
	}
	t.resize(size)
	return t, nil
}

// openMaster opens a new pty's master, not blocking: that is a property of the
// open file and stays with it on its way to the client.
func openMaster() (*os.File, error) {
	const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC | unix.O_NONBLOCK
	master, err := os.OpenFile("/dev/ptmx", flags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return os.OpenFile("/dev/pts/ptmx", flags, 0)
	}
	return master, err
}

// openSlave opens the other end through the master, whatever /dev/pts shows.
func (t *terminal) openSlave() error {
	return control(t.master, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC
		slave, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, flags)
		if errno != 0 {
			return errno
		}
		t.slave = os.NewFile(slave, "terminal")
		return nil
	})
}

// resize sets the size, of which the kernel tells the foreground group.
func (t *terminal) resize(size spec.Size) {
	if t == nil {
		return
	}
	_ = control(t.master, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: size.Rows, Col: size.Cols})
	})
}

// foreground is the foreground process group, or 0.
func (t *terminal) foreground() (group int) {
	if t == nil {
		return 0
	}
	_ = control(t.master, func(fd int) (err error) {
		group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		return err
	})
	return group
}

// files are what the client gets.
func (t *terminal) files() []*os.File {
	if t == nil {
		return nil
	}
	return []*os.File{t.master}
}

// close closes both ends, which hangs the terminal up.
func (t *terminal) close() {
	if t == nil {
		return
	}
	_ = t.master.Close()
	if t.slave != nil {
		_ = t.slave.Close()
	}
}

// control calls use with the descriptor of f.
func control(f *os.File, use func(fd int) error) error {
	return wire.Descriptors([]*os.File{f}, func(fds []int) error { return use(fds[0]) })
}
