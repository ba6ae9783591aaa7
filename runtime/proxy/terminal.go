//go:build unix

// Package proxy copies between the terminal of a person and the one that a
// command has of its own, so that nothing the command leaves behind holds the
// former.
package proxy

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/wire"
)

// endOfFile is the byte (Ctrl-D) that ends input on a terminal.
const endOfFile = 4

// Terminal copies between the caller's files and the master of a command's terminal.
type Terminal struct {
	master  *os.File
	in      int      // a descriptor of its own, so that the caller's file can be closed
	out     *os.File //
	wake    *os.File // its other end closes to stop input
	stop    *os.File // that end
	broken  func()   // called when nobody takes the output any more
	copying sync.WaitGroup
}

// Start starts copying, and calls broken when nobody takes the output any more.
// It owns master, which must not block, when it returns no error.
func Start(master *os.File, stdio spec.Stdio, broken func()) (*Terminal, error) {
	in, err := duplicate(stdio.In)
	if err != nil {
		return nil, err
	}
	wake, stop, err := os.Pipe()
	if err != nil {
		_ = unix.Close(in)
		return nil, err
	}
	p := &Terminal{master: master, in: in, out: stdio.Out, wake: wake, stop: stop, broken: broken}
	p.copying.Go(p.input)
	p.copying.Go(p.output)
	return p, nil
}

// duplicate returns another descriptor of f.
func duplicate(f *os.File) (dup int, err error) {
	err = wire.Descriptors([]*os.File{f}, func(fds []int) error {
		dup, err = unix.FcntlInt(uintptr(fds[0]), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	return dup, err
}

// Finish ends the input, completes the output and closes the master, once the
// command has ended.
func (p *Terminal) Finish() {
	_ = p.stop.Close()
	// Whatever is blocked on the master now returns; output goes on by itself.
	_ = p.master.SetDeadline(time.Unix(1, 0))
	p.copying.Wait()
	_ = p.master.Close()
	_ = p.wake.Close()
}

// input copies to the master until Finish or the end of the input.
func (p *Terminal) input() {
	defer unix.Close(p.in)
	_ = wire.Descriptors([]*os.File{p.wake}, func(fds []int) error {
		return copyInput(p.master, p.in, fds[0])
	})
}

// copyInput copies from in to master until wake has something to say. It
// reads only what is there and never while the command has ended, so that
// input typed for whoever comes next is not lost.
//
// Why not Read on the file: a user's terminal is usually no file that Go can
// stop reading.
func copyInput(master io.Writer, in, wake int) error {
	buf := make([]byte, 4096)
	last := byte('\n')
	for {
		fds := []unix.PollFd{{Fd: int32(wake), Events: unix.POLLIN}, {Fd: int32(in), Events: unix.POLLIN}}
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case fds[0].Revents != 0:
			return nil
		}
		n, err := unix.Read(in, buf)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		case err != nil:
			return err
		case n == 0:
			return endInput(master, last)
		}
		last = buf[n-1]
		if _, err := master.Write(buf[:n]); err != nil {
			return err
		}
	}
}

// endInput tells a terminal that nothing follows the byte last. Within a line
// the first end of file only sends the line off.
func endInput(master io.Writer, last byte) error {
	end := []byte{endOfFile, endOfFile}
	if last == '\n' {
		end = end[:1]
	}
	_, err := master.Write(end)
	return err
}

// output copies from the master until its end; after Finish, until nothing is
// left to read. The kernel hangs up the terminal of a command that ended, so
// nothing can come later.
func (p *Terminal) output() {
	sink := &sink{out: p.out, broken: p.broken}
	buf := make([]byte, 32<<10)
	for {
		n, err := p.master.Read(buf)
		sink.write(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return
		}
	}
	_ = wire.Descriptors([]*os.File{p.master}, func(fds []int) error {
		return drain(sink, fds[0], buf)
	})
}

// drain copies what can be read from fd without waiting.
func drain(sink *sink, fd int, buf []byte) error {
	for {
		n, err := unix.Read(fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n <= 0 {
			return err
		}
		sink.write(buf[:n])
	}
}

// sink writes to out until that fails, and then throws away, so that the
// command is never stuck in a write.
type sink struct {
	out    io.Writer
	broken func()
	failed bool
}

// write writes data or drops it.
func (s *sink) write(data []byte) {
	if s.failed || len(data) == 0 {
		return
	}
	if _, err := s.out.Write(data); err != nil {
		s.failed = true
		s.broken()
	}
}
