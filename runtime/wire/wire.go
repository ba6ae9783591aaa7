// Package wire carries JSON messages and open files over a unix socket: the
// one protocol between wr, its engine and the agent inside a container.
//
// A message is a 4-byte big-endian length followed by that many bytes of JSON.
// Files travel as SCM_RIGHTS on the first bytes of their message. A Conn is
// safe for one reader and any number of writers. The package is part of the
// agent and so uses nothing beyond the standard library.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// MaxMessage bounds one message, in bytes.
const MaxMessage = 16 << 20

// maxFiles bounds the files of one message.
const maxFiles = 16

// Conn is one end of a connection.
type Conn struct {
	unix *net.UnixConn

	mu     sync.Mutex // guards writes and broken
	broken error      // of a message that went out in part; nothing may follow it

	files []*os.File // of the message being received; reader only
}

// Dial connects to the socket at path.
func Dial(path string) (*Conn, error) {
	unix, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	return New(unix), nil
}

// New wraps a connected stream socket.
func New(unix *net.UnixConn) *Conn { return &Conn{unix: unix} }

// FromFile wraps a connected stream socket received as a file, and closes the file.
func FromFile(f *os.File) (*Conn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	unix, ok := c.(*net.UnixConn)
	if !ok {
		_ = c.Close()
		return nil, errors.New("not a unix socket")
	}
	return New(unix), nil
}

// File returns a duplicate of the connection's descriptor, to be sent on.
func (c *Conn) File() (*os.File, error) { return c.unix.File() }

// Unix returns the socket, for peer credentials and deadlines.
func (c *Conn) Unix() *net.UnixConn { return c.unix }

// Close closes the connection. A Receive under way returns an error and
// closes the files it already has.
func (c *Conn) Close() error { return c.unix.Close() }

// Send writes one message and hands over files, which stay open here. After
// an error in the middle of a message every later Send fails with that error.
func (c *Conn) Send(message any, files ...*os.File) error {
	body, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if len(body) > MaxMessage || len(files) > maxFiles {
		return fmt.Errorf("message too large: %d bytes, %d files", len(body), len(files))
	}
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	return Descriptors(files, func(fds []int) error { return c.write(frame, fds) })
}

// write puts out one frame with descriptors attached to its first bytes.
func (c *Conn) write(frame []byte, fds []int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	n, err := c.writeStart(frame, fds)
	if err == nil {
		_, err = c.unix.Write(frame[n:])
	}
	if err != nil {
		c.broken = err
	}
	return err
}

// writeStart sends the length with the descriptors, if there are any, and
// returns how many bytes went out.
func (c *Conn) writeStart(frame []byte, fds []int) (int, error) {
	if len(fds) == 0 {
		return 0, nil
	}
	n, _, err := c.unix.WriteMsgUnix(frame[:4], syscall.UnixRights(fds...), nil)
	return n, err
}

// Descriptors calls use with the descriptors of files, none of which is
// closed, by anyone, before use returns.
//
// Why not Fd: it would switch a file to blocking mode for good, and the number
// it returns may belong to another file by the time it is used.
func Descriptors(files []*os.File, use func(fds []int) error) error {
	return descriptors(files, make([]int, 0, len(files)), use)
}

// descriptors holds the first of files and goes on to the others.
func descriptors(files []*os.File, fds []int, use func([]int) error) error {
	if len(files) == 0 {
		return use(fds)
	}
	raw, err := files[0].SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		inner = descriptors(files[1:], append(fds, int(fd)), use)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", files[0].Name(), os.ErrClosed) // the only way to fail
	}
	return inner
}

// Receive reads one message into out and returns the files that came with it,
// which the caller closes. It returns io.EOF when the peer is gone. A message
// that is not the JSON of out is an error after which Receive may be called
// again; after any other error the connection is only good for closing.
func (c *Conn) Receive(out any) ([]*os.File, error) {
	body, err := c.receiveFrame()
	files := c.files
	c.files = nil
	if err != nil {
		CloseAll(files)
		return nil, err
	}
	if err := json.Unmarshal(body, out); err != nil {
		CloseAll(files)
		return nil, fmt.Errorf("decode message: %w", err)
	}
	return files, nil
}

// receiveFrame reads the body of one message and leaves its files in c.files.
func (c *Conn) receiveFrame() ([]byte, error) {
	var head [4]byte
	if err := c.readFull(head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > MaxMessage {
		return nil, fmt.Errorf("message of %d bytes is over the limit of %d", size, MaxMessage)
	}
	return c.readBody(int(size))
}

// readBody reads size bytes. Its buffer grows with what arrives, so that a
// peer cannot reserve memory by announcing a long message.
func (c *Conn) readBody(size int) ([]byte, error) {
	var body []byte
	for len(body) < size {
		done := len(body)
		step := min(size-done, max(64<<10, done))
		body = append(body, make([]byte, step)...)
		if err := c.readFull(body[done:]); err != nil {
			return nil, unexpected(err)
		}
	}
	return body, nil
}

// readFull fills buf and collects the files that arrive on the way. io.EOF
// means that the peer was gone before the first byte.
func (c *Conn) readFull(buf []byte) error {
	for done := 0; done < len(buf); {
		n, err := c.readSome(buf[done:])
		done += n
		switch {
		case err == nil:
		case done == 0:
			return err
		default:
			return unexpected(err)
		}
	}
	return nil
}

// readSome reads once.
func (c *Conn) readSome(buf []byte) (int, error) {
	oob := make([]byte, syscall.CmsgSpace(4*maxFiles))
	n, oobn, flags, _, err := c.unix.ReadMsgUnix(buf, oob)
	n = max(n, 0) // it is -1 with some errors
	if oobn > 0 {
		c.files = append(c.files, parseRights(oob[:oobn])...)
	}
	switch {
	case flags&syscall.MSG_CTRUNC != 0, len(c.files) > maxFiles:
		return n, fmt.Errorf("message with more than %d files", maxFiles)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), err == nil && n == 0:
		// A peer that closed without reading all that was sent is gone as well.
		return n, io.EOF
	}
	return n, err
}

// parseRights opens the descriptors in a control message. They are
// close-on-exec already: net receives with MSG_CMSG_CLOEXEC.
func parseRights(oob []byte) []*os.File {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	var files []*os.File
	for _, m := range messages {
		fds, err := syscall.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files
}

// CloseAll closes files.
func CloseAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// unexpected turns an end inside a message into io.ErrUnexpectedEOF.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
