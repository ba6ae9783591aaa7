package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// grace is how long a command whose client is gone, or whose container stops,
// has after SIGHUP and SIGTERM.
const grace = time.Second

// maxScratches bounds for how many isolated commands there is something on disk:
// for the one that runs, and for others whose files are being removed.
const maxScratches = 3

// server is the agent.
type server struct {
	reaper    *reaper
	scratch   string        // for what isolated commands write; "" = it isolates none
	scratches chan struct{} // holds one for each of maxScratches that is taken
}

// Serve is the agent: it takes over this process, listens on a new socket of
// mode 0600 and runs one command a connection until SIGTERM. Then it ends
// every command and process it can and returns nil. Other signals are passed
// on to all commands. With scratch, a directory on a disk, it isolates commands
// that are to be. From the moment it listens, the process's stdout and stderr
// are /dev/null.
func Serve(socket, scratch string) error {
	s, signals, err := newServer()
	if err != nil {
		return err
	}
	if scratch != "" {
		if err := bequeath(); err != nil {
			return err
		}
		s.scratch, s.reaper.confines = scratch, true
	}
	listener, err := listen(socket)
	if err != nil {
		return err
	}
	if err := silence(); err != nil {
		_ = listener.Close()
		return err
	}
	go s.accept(listener)
	s.forward(signals, nil)
	_ = listener.Close()
	s.stop()
	return nil
}

// newServer takes over this process and returns the signals to forward.
func newServer() (*server, <-chan os.Signal, error) {
	if err := takeOver(); err != nil {
		return nil, nil, err
	}
	// Handlers come before the first child: a handled signal is reset to its
	// default in a child, one that was ignored from the start is not.
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, forwarded...)
	signal.Notify(make(chan os.Signal, 1), unix.SIGTTIN, unix.SIGTTOU, unix.SIGPIPE) // and are dropped
	s := &server{reaper: newReaper(), scratches: make(chan struct{}, maxScratches)}
	go s.reaper.run(children)
	return s, signals, nil
}

// forwarded are the signals that mean the commands when sent to the agent.
var forwarded = []os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2,
	unix.SIGALRM, unix.SIGCONT, unix.SIGTSTP, unix.SIGWINCH,
}

// takeOver prepares the process: it adopts orphans even where it is not the
// first process, gives children a usual umask and no descriptor it inherited,
// and lets no other process of root trace it: that could tell any exit code.
func takeOver() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("refuse to be traced: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("adopt orphans: %w", err)
	}
	unix.Umask(0o022)
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list descriptors: %w", err)
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// listen makes the socket. It is never reachable with a wider mode.
func listen(socket string) (*net.UnixListener, error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	before := unix.Umask(0o177)
	defer unix.Umask(before)
	return net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
}

// silence gives up stdout and stderr, which lead out of the container: every
// process of its root can open /proc/1/fd/1 and fill a disk of the host. All
// that the agent has to say from here on, it says to its clients.
func silence() error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("give up stdout: %w", err)
	}
	defer null.Close()
	for _, fd := range []int{1, 2} {
		if err := unix.Dup3(int(null.Fd()), fd, 0); err != nil {
			return fmt.Errorf("give up stdout: %w", err)
		}
	}
	return nil
}

// accept serves connections until the listener closes. Running out of
// descriptors or memory passes, as commands end.
func (s *server) accept(listener *net.UnixListener) {
	for {
		unixConn, err := listener.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		go s.handle(wire.New(unixConn))
	}
}

// forward passes signals on until done, or until SIGTERM: then it returns true.
func (s *server) forward(signals <-chan os.Signal, done <-chan struct{}) (terminated bool) {
	for {
		select {
		case <-done:
			return false
		case received := <-signals:
			sig, ok := received.(unix.Signal)
			if sig == unix.SIGTERM {
				return true
			}
			if ok {
				s.reaper.broadcast(sig)
			}
		}
	}
}

// stop ends everything. Clients still learn how their commands ended.
func (s *server) stop() {
	idle := s.reaper.close()
	s.reaper.hangUpAll()
	select {
	case <-idle:
	case <-time.After(grace):
	}
	deadline := time.Now().Add(grace)
	for killAll() && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond) // a killed process needs a moment to go
	}
	select {
	case <-idle:
	case <-time.After(grace):
	}
}

// handle serves one connection.
func (s *server) handle(conn *wire.Conn) {
	defer conn.Close()
	message, files, err := s.receive(conn)
	if err == nil {
		switch m := message.(type) {
		case *Isolation:
			err = s.isolate(conn, *m, files)
		case *Query:
			_ = conn.Send(Reply{Running: s.reaper.tell(*m)})
		case *Dial:
			err = dial(conn, m.Dial)
		case *Request:
			err = s.command(conn, *m, files)
		}
	}
	wire.CloseAll(files)
	if err != nil {
		_ = conn.Send(Reply{Error: fault.Of(err)})
	}
}

// receive reads the first message. It returns neither message nor error when
// there is nobody to answer.
func (s *server) receive(conn *wire.Conn) (opening, []*os.File, error) {
	if err := checkPeer(conn); err != nil {
		return nil, nil, err
	}
	var data json.RawMessage
	files, err := conn.Receive(&data)
	if errors.Is(err, io.EOF) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, files, badRequest("%v", err)
	}
	message, problem := decodeOpening(data)
	if problem != nil {
		return nil, files, problem
	}
	return message, files, nil
}

// command runs one command to its end.
func (s *server) command(conn *wire.Conn, request Request, files []*os.File) error {
	if problem := request.check(len(files)); problem != nil {
		return problem
	}
	c, problem := launch(s.reaper, request, files)
	if problem != nil {
		return problem
	}
	wire.CloseAll(files) // or who reads from the command's pipes would never see their end
	defer s.reaper.release(c)
	defer c.terminal.close()
	// An error means that the client is gone, which obey finds as well.
	_ = conn.Send(Reply{Started: &Started{PID: c.pid}}, c.terminal.files()...)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		s.obey(conn, c)
	}()
	if c.leave {
		_ = conn.Send(Reply{Exit: c.exit(<-c.ended)})
		return nil
	}
	if request.Detached {
		_ = conn.Send(Reply{Exit: c.exit(<-c.ended)}) // which few wait for
		killSession(c.pid)
		return nil
	}
	select {
	case status := <-c.ended:
		_ = conn.Send(Reply{Exit: c.exit(status)})
	case <-gone:
		c.end(s.reaper, grace)
	}
	killSession(c.pid)
	return nil
}

// obey carries out what the client says until it is gone.
func (s *server) obey(conn *wire.Conn, c *command) {
	for {
		var control Control
		files, err := conn.Receive(&control)
		wire.CloseAll(files)
		if err != nil {
			return
		}
		if control.Size != nil {
			c.terminal.resize(*control.Size)
		}
		if control.Signal > 0 {
			s.reaper.signal(c, unix.Signal(control.Signal))
		}
	}
}

// checkPeer refuses clients from inside the container: they could borrow the
// agent's rights. A process outside has no number here and shows as 0.
func checkPeer(conn *wire.Conn) error {
	if os.Getpid() != 1 {
		return nil
	}
	raw, err := conn.Unix().SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var inner error
	err = raw.Control(func(fd uintptr) {
		peer, inner = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(err, inner); err != nil {
		return err
	}
	if peer.Pid != 0 {
		return &fault.Error{Code: Denied, Message: "commands cannot be started from inside the container"}
	}
	return nil
}
