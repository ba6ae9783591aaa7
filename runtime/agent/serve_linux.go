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

// server is the agent.
type server struct {
	reaper *reaper
}

// Serve is the agent: it takes over this process, listens on a new socket of
// mode 0600 and runs one command a connection until SIGTERM. Then it ends
// every command and process it can and returns nil. Other signals are passed
// on to all commands. From the moment it listens, the process's stdout and
// stderr are /dev/null.
func Serve(socket string) error {
	if err := takeOver(); err != nil {
		return err
	}
	// Handlers come before the first child: a handled signal is reset to its
	// default in a child, one that was ignored from the start is not.
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, forwarded...)
	signal.Notify(make(chan os.Signal, 1), unix.SIGTTIN, unix.SIGTTOU, unix.SIGPIPE) // and are dropped
	listener, err := listen(socket)
	if err != nil {
		return err
	}
	if err := silence(); err != nil {
		_ = listener.Close()
		return err
	}
	s := &server{reaper: &reaper{commands: map[int]*command{}}}
	go s.reaper.run(children)
	go s.accept(listener)
	s.forward(signals)
	_ = listener.Close()
	s.stop()
	return nil
}

// forwarded are the signals that mean the commands when sent to the agent.
var forwarded = []os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2,
	unix.SIGALRM, unix.SIGCONT, unix.SIGTSTP, unix.SIGWINCH,
}

// takeOver prepares the process: it adopts orphans even where it is not the
// first process, gives children a usual umask and no descriptor it inherited.
func takeOver() error {
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

// forward passes signals on until SIGTERM.
func (s *server) forward(signals <-chan os.Signal) {
	for received := range signals {
		sig, ok := received.(unix.Signal)
		if sig == unix.SIGTERM {
			return
		}
		if ok {
			s.reaper.broadcast(sig)
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

// handle serves one connection: one command.
func (s *server) handle(conn *wire.Conn) {
	defer conn.Close()
	c, err := s.begin(conn)
	if c == nil {
		if err != nil {
			_ = conn.Send(Reply{Error: fault.Of(err)})
		}
		return
	}
	defer s.reaper.release()
	defer c.terminal.close()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		s.obey(conn, c)
	}()
	select {
	case status := <-c.ended:
		_ = conn.Send(Reply{Exit: c.exit(status)})
	case <-gone:
		c.end(s.reaper, grace)
	}
	killSession(c.pid)
}

// begin receives the request, starts its command and says so. It returns
// neither command nor error when there is nobody to tell.
func (s *server) begin(conn *wire.Conn) (*command, error) {
	if err := checkPeer(conn); err != nil {
		return nil, err
	}
	var data json.RawMessage
	files, err := conn.Receive(&data)
	defer wire.CloseAll(files)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, badRequest("%v", err)
	}
	request, problem := decodeRequest(data)
	if problem != nil {
		return nil, problem
	}
	if want := request.files(); len(files) != want {
		return nil, badRequest("the request came with %d files instead of %d", len(files), want)
	}
	c, problem := launch(s.reaper, request, files)
	if problem != nil {
		return nil, problem
	}
	// An error means that the client is gone, which obey finds as well.
	_ = conn.Send(Reply{Started: &Started{PID: c.pid}}, c.terminal.files()...)
	return c, nil
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
