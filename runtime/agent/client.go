package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/wr-build/wr/runtime/proxy"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// Command is what to run. Who makes it sets HOME and USER in Env.
type Command struct {
	Args     []string
	Env      []string // KEY=VALUE, over the container's own
	Whole    bool     // Env is all there is
	Leave    bool     // what it leaves running stays, and it runs on when the session is closed
	Detached bool     // it runs on when the session is closed
	Dir      string   // container path
	UID, GID int
	Groups   []int     // supplementary
	Terminal bool      // the command gets a terminal of its own
	Size     spec.Size // of the terminal at start; zero is 80 x 24
}

// request is the command as the agent reads it.
func (c Command) request() Request {
	return Request{
		Version: Version, Args: texts(c.Args), Env: texts(c.Env), Dir: Text(c.Dir),
		Whole: c.Whole, Leave: c.Leave, Detached: c.Detached, UID: c.UID, GID: c.GID, Groups: c.Groups, Terminal: c.Terminal, Size: c.Size,
	}
}

// Ask returns the commands that run in the container of the agent at the other
// end of conn, which it closes. It waits as q says.
func Ask(ctx context.Context, conn *wire.Conn, q Query) (Running, error) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	q.Version, q.Query = Version, true
	if err := conn.Send(q); err != nil {
		return Running{}, gone(err)
	}
	var reply Reply
	files, err := conn.Receive(&reply)
	wire.CloseAll(files)
	switch {
	case ctx.Err() != nil:
		return Running{}, context.Cause(ctx)
	case err != nil:
		return Running{}, gone(err)
	case reply.Error != nil:
		return Running{}, reply.Error
	case reply.Running == nil:
		return Running{}, gone(errors.New("it did not say what runs"))
	}
	return *reply.Running, nil
}

// Connect returns a connection to a port of the loopback of the container whose
// agent is at the other end of conn, which it closes. The caller closes the file.
func Connect(conn *wire.Conn, port int) (*os.File, error) {
	defer conn.Close()
	if err := conn.Send(Dial{Version: Version, Dial: port}); err != nil {
		return nil, gone(err)
	}
	var reply Reply
	files, err := conn.Receive(&reply)
	switch {
	case err != nil:
		return nil, gone(err)
	case reply.Error != nil:
		wire.CloseAll(files)
		return nil, reply.Error
	case len(files) != 1:
		wire.CloseAll(files)
		return nil, gone(fmt.Errorf("it sent %d files", len(files)))
	}
	return files[0], nil
}

// Session is a command that was started.
type Session struct {
	conn *wire.Conn
	pid  int
	done chan struct{} // closed when exit and err are set and the output is complete

	exit spec.Exit
	err  error

	mu     sync.Mutex // guards closed
	closed bool       // by Close
}

// Start runs p through the agent at the other end of conn, which belongs to
// the session from here on, also when Start fails.
//
// The files of io are handed to the command itself and stay open here; a
// missing one is /dev/null. With p.Terminal they stay outside, io.In and
// io.Out are proxied to the command's terminal until it ends, and setting the
// user's terminal to raw mode is the caller's affair. io.Resize and io.Signals
// are forwarded. A command that does not come to life is a *fault.Error.
func Start(conn *wire.Conn, p Command, io spec.Stdio) (*Session, error) {
	s, err := start(conn, p, io)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

// start is Start without the cleaning up.
func start(conn *wire.Conn, p Command, stdio spec.Stdio) (*Session, error) {
	stdio, closeNull, err := complete(stdio)
	if err != nil {
		return nil, err
	}
	started, master, err := negotiate(conn, p, stdio)
	if err != nil {
		closeNull()
		return nil, err
	}
	s := &Session{conn: conn, pid: started.PID, done: make(chan struct{})}
	go s.forward(stdio)
	go func() {
		defer closeNull()
		s.run(stdio, master)
	}()
	return s, nil
}

// complete puts /dev/null where the caller gave nothing.
func complete(stdio spec.Stdio) (spec.Stdio, func(), error) {
	if stdio.In != nil && stdio.Out != nil && stdio.Err != nil {
		return stdio, func() {}, nil
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return stdio, nil, err
	}
	for _, f := range []**os.File{&stdio.In, &stdio.Out, &stdio.Err} {
		if *f == nil {
			*f = null
		}
	}
	return stdio, func() { _ = null.Close() }, nil
}

// negotiate sends the request and waits for the agent's word. master is nil
// without a terminal.
func negotiate(conn *wire.Conn, p Command, stdio spec.Stdio) (*Started, *os.File, error) {
	var files []*os.File
	if !p.Terminal {
		files = []*os.File{stdio.In, stdio.Out, stdio.Err}
		// A program expects its stdio to block, and a pipe made by Go does not.
		for _, f := range files {
			f.Fd()
		}
	}
	// An agent that hung up may have said why.
	if err := conn.Send(p.request(), files...); err != nil && !errors.Is(err, syscall.EPIPE) {
		return nil, nil, fmt.Errorf("send the command to the agent: %w", err)
	}
	var reply Reply
	received, err := conn.Receive(&reply)
	switch {
	case err != nil:
		return nil, nil, gone(err)
	case reply.Error != nil:
		wire.CloseAll(received)
		return nil, nil, reply.Error
	case reply.Started == nil || p.Terminal != (len(received) == 1):
		wire.CloseAll(received)
		return nil, nil, gone(fmt.Errorf("it sent %+v with %d files", reply, len(received)))
	case p.Terminal:
		return reply.Started, received[0], nil
	}
	return reply.Started, nil, nil
}

// run waits for the command's end and completes its output.
func (s *Session) run(stdio spec.Stdio, master *os.File) {
	defer close(s.done)
	defer s.conn.Close()
	if master == nil {
		s.exit, s.err = s.receiveExit()
		return
	}
	p, err := proxy.Start(master, stdio, func() { _ = s.Signal(syscall.SIGHUP) })
	if err != nil {
		_ = master.Close()
		s.err = err
		return
	}
	s.exit, s.err = s.receiveExit()
	p.Finish()
}

// receiveExit waits for the agent's last word.
func (s *Session) receiveExit() (spec.Exit, error) {
	var reply Reply
	files, err := s.conn.Receive(&reply)
	wire.CloseAll(files)
	switch {
	case err != nil && s.wasClosed():
		return spec.Exit{}, os.ErrClosed
	case err != nil:
		return spec.Exit{}, gone(err)
	case reply.Error != nil:
		return spec.Exit{}, reply.Error
	case reply.Exit == nil:
		return spec.Exit{}, gone(errors.New("it did not say how the command ended"))
	}
	return *reply.Exit, nil
}

// forward passes sizes and signals on until the command has ended.
func (s *Session) forward(stdio spec.Stdio) {
	for {
		select {
		case <-s.done:
			return
		case size, ok := <-stdio.Resize:
			if !ok {
				stdio.Resize = nil
				continue
			}
			_ = s.Resize(size)
		case sig, ok := <-stdio.Signals:
			if !ok {
				stdio.Signals = nil
				continue
			}
			_ = s.Signal(sig)
		}
	}
}

// PID is the command's process id in the container.
func (s *Session) PID() int { return s.pid }

// Wait returns how the command ended, once all its output to a terminal has
// been written. When ctx ends first it returns context.Cause(ctx), and the
// command runs on: Wait may be called again.
func (s *Session) Wait(ctx context.Context) (spec.Exit, error) {
	select {
	case <-s.done:
		return s.exit, s.err
	default:
	}
	select {
	case <-s.done:
		return s.exit, s.err
	case <-ctx.Done():
		return spec.Exit{}, context.Cause(ctx)
	}
}

// Signal sends a signal to the command's process group, or to the foreground
// group of its terminal.
func (s *Session) Signal(sig os.Signal) error {
	number, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("signal %v has no number", sig)
	}
	return s.conn.Send(Control{Signal: int(number)})
}

// Resize sets the size of the command's terminal.
func (s *Session) Resize(size spec.Size) error {
	return s.conn.Send(Control{Size: &size})
}

// Close ends the command if it still runs: the agent hangs it up and, a second
// later, kills it. It does not wait for that.
func (s *Session) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return s.conn.Close()
}

// wasClosed tells whether Close was called.
func (s *Session) wasClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// gone is an agent that ended, or went mad, before it said how its command ended.
func gone(err error) error {
	return &fault.Error{
		Code:    Gone,
		Message: fmt.Sprintf("the container ended before the command did: %v", err),
		Next:    "try again; `wr engine status` shows the engine's state",
		Err:     err,
	}
}
