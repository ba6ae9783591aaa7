package sandbox

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// input is the stdin of a guest. That it can be asked whether there is anything
// lets timers of a guest fire while it waits for a message.
type input struct {
	*os.File
	clock *clock
}

// Poll waits until there is something to read, or for so many milliseconds; a
// negative number is for ever.
func (i *input) Poll(flag sys.Pflag, milliseconds int32) (ready bool, errno sys.Errno) {
	if flag != sys.POLLIN {
		return false, sys.ENOTSUP
	}
	raw, err := i.SyscallConn()
	if err != nil {
		return false, sys.EBADF
	}
	var n int
	var inner error
	err = raw.Control(func(fd uintptr) { n, inner = poll(int32(fd), int(milliseconds)) })
	switch {
	case err != nil || inner != nil:
		return false, sys.EIO
	case n == 0:
		i.clock.now += int64(milliseconds) * int64(time.Millisecond)
	}
	return n > 0, 0
}

// poll waits for one descriptor to be readable or closed.
func poll(fd int32, milliseconds int) (int, error) {
	deadline := time.Now().Add(time.Duration(milliseconds) * time.Millisecond)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: fd, Events: unix.POLLIN}}, milliseconds)
		if err != unix.EINTR {
			return n, err
		}
		if milliseconds >= 0 {
			milliseconds = max(0, int(time.Until(deadline).Milliseconds()))
		}
	}
}

// tailSize is how much of the end of a log is kept, in bytes.
const tailSize = 32 << 10

// logged is the stderr of a guest: passed on at once as long as it is not too
// much, then only the end of it, when there is one.
type logged struct {
	to   io.Writer
	left int64
	rest tail
}

func (l *logged) Write(b []byte) (int, error) {
	now := b[:min(int64(len(b)), l.left)]
	l.left -= int64(len(now))
	_, _ = l.to.Write(now) // a log that nobody reads stops no guest
	_, _ = l.rest.Write(b[len(now):])
	return len(b), nil
}

// flush passes on the end of what was held back.
func (l *logged) flush() {
	if l.rest.total > int64(len(l.rest.kept)) {
		fmt.Fprintf(l.to, "\n... %d bytes are left out here ...\n", l.rest.total-int64(len(l.rest.kept)))
	}
	_, _ = l.to.Write(l.rest.kept)
}

// tail keeps the last bytes of what is written to it.
type tail struct {
	kept  []byte
	total int64
}

func (t *tail) Write(b []byte) (int, error) {
	t.total += int64(len(b))
	t.kept = append(t.kept, b[max(0, len(b)-tailSize):]...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(b), nil
}
