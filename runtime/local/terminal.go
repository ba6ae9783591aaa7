package local

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/proxy"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/wire"
)

// startOnTerminal starts cmd in a session of its own, on a terminal that is copied
// to and from stdio until end is called. Why not on the caller's: a process that is
// left behind would go on reading what is typed, and nobody could keep what is shown.
func startOnTerminal(cmd *exec.Cmd, size spec.Size, stdio spec.Stdio) (end func(), err error) {
	master, slave, err := open()
	if err != nil {
		return nil, err
	}
	resize(master, size)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		_, _ = master.Close(), slave.Close()
		return nil, err
	}
	copies, err := proxy.Start(master, stdio, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGHUP) })
	if err != nil {
		_, _ = cmd.Process.Kill(), cmd.Wait()
		_, _ = master.Close(), slave.Close()
		return nil, err
	}
	ended := make(chan struct{})
	var resizing sync.WaitGroup
	resizing.Go(func() { follow(master, stdio.Resize, ended) })
	return func() {
		close(ended)
		resizing.Wait()
		copies.Finish()
		_ = slave.Close() // not before: what is written last would be gone
	}, nil
}

// follow gives the terminal each new size, until the end.
func follow(master *os.File, sizes <-chan spec.Size, ended <-chan struct{}) {
	for {
		select {
		case size := <-sizes:
			resize(master, size)
		case <-ended:
			return
		}
	}
}

func resize(master *os.File, size spec.Size) {
	if size == (spec.Size{}) {
		return
	}
	_ = wire.Descriptors([]*os.File{master}, func(fds []int) error {
		return unix.IoctlSetWinsize(fds[0], unix.TIOCSWINSZ, &unix.Winsize{Row: size.Rows, Col: size.Cols})
	})
}

// open opens both ends of a new terminal. Reading the master can be stopped, which
// pty.Open does not care for.
func open() (master, slave *os.File, err error) {
	blocking, slave, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	defer blocking.Close()
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, nil, errors.Join(err, slave.Close())
	}
	return os.NewFile(uintptr(fd), "terminal"), slave, nil
}
