package cli

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

const (
	agentFolder = "ssh"                  // of a project's private folders
	agentTarget = spec.Internal + "/ssh" // where it is in its container
	agentPrefix = "agent."               // begins the names of sockets in it
)

// agentMount brings the folder of the agents that are lent to c's project into
// c. Its owners are not mapped, since nobody inside writes to it.
func (a *app) agentMount(c spec.Container) spec.Mount {
	return spec.Mount{Source: a.privatePath(c, agentFolder), Target: agentTarget, ReadOnly: true}
}

// makeAgentFolder makes the source of agentMount unless it is there. Users
// inside get at it; those of this machine do not get at what is above it.
func (a *app) makeAgentFolder(c spec.Container) error {
	own, err := a.private(c, agentFolder)
	if err != nil {
		return err
	}
	defer own.Close()
	if err := own.Chmod(".", 0o755); err != nil {
		return notKept(a.privatePath(c, agentFolder), err)
	}
	return nil
}

// lentAgent is the caller's SSH agent as one command sees it.
type lentAgent struct {
	listener *net.UnixListener
	upstream string   // host path of the agent's own socket
	folder   *os.Root // of agentMount
	name     string   // of the socket in folder

	mu    sync.Mutex // guards conns and done
	conns map[net.Conn]bool
	done  bool
}

// lendAgent makes the caller's SSH agent reachable through a socket of its own
// in folder, until it is closed. Where there is no agent it returns nil, and
// the user is told that the command goes without.
//
// Why wr listens itself: a mount of the agent's socket would be there for all
// later commands in the same container, and they would be kept apart by the
// login session that each was typed in.
func (a *app) lendAgent(folder *os.Root, caller spec.Owner) (*lentAgent, error) {
	upstream := a.Getenv("SSH_AUTH_SOCK")
	if problem := usableAgent(upstream, caller); problem != nil {
		fmt.Fprint(a.Err, a.style(a.Err).Warning(problem))
		return nil, nil //nolint:nilnil // going without is no error
	}
	lent := &lentAgent{upstream: upstream, folder: folder, name: agentPrefix + state.Random(8), conns: map[net.Conn]bool{}}
	if err := lent.listen(); err != nil {
		return nil, fmt.Errorf("lend the SSH agent: %w", err)
	}
	go lent.serve()
	return lent, nil
}

// withAgent lends the process of e the caller's SSH agent until stop is called.
func (a *app) withAgent(e *entered) (stop func(), err error) {
	folder, err := os.OpenRoot(a.privatePath(e.Container, agentFolder))
	if err != nil {
		return nil, err
	}
	lent, err := a.lendAgent(folder, e.Container.Caller)
	if err != nil || lent == nil {
		return func() { _ = folder.Close() }, err
	}
	e.Process.Env = append(e.Process.Env, "SSH_AUTH_SOCK="+path.Join(agentTarget, lent.name))
	return func() { _ = lent.Close() }, nil
}

// usableAgent says why there is no agent to lend, or nil. Root, who works for
// someone else under sudo, takes no agent but theirs.
func usableAgent(socket string, caller spec.Owner) *fault.Error {
	problem := &fault.Error{
		Code: "rights.no_agent", Message: "the project asks for your SSH agent, and there is none; the command goes without",
		Next: "eval $(ssh-agent) && ssh-add; under sudo: sudo --preserve-env=SSH_AUTH_SOCK wr ...",
	}
	if socket == "" {
		return problem
	}
	info, err := os.Stat(socket)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		problem.Message += fmt.Sprintf(" ($SSH_AUTH_SOCK is %s, which is no socket)", socket)
		return problem
	}
	if owner := int(info.Sys().(*syscall.Stat_t).Uid); owner != caller.UID {
		problem.Message = fmt.Sprintf("the SSH agent at %s belongs to user %d and not to you; the command goes without", socket, owner)
		return problem
	}
	return nil
}

// listen makes the socket, for whoever gets at the folder. Its path begins at an
// open directory, since the kernel takes no more than 107 bytes.
func (l *lentAgent) listen() error {
	dir, err := l.folder.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	at := func(name string) string { return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), name) }
	names, err := dir.Readdirnames(-1)
	for _, name := range names {
		if strings.HasPrefix(name, agentPrefix) && isAbandoned(at(name)) {
			err = errors.Join(err, l.folder.Remove(name))
		}
	}
	if err != nil {
		return err
	}
	if l.listener, err = net.ListenUnix("unix", unixAddr(at(l.name))); err != nil {
		return err
	}
	l.listener.SetUnlinkOnClose(false) // that path is gone by then
	if err := l.folder.Chmod(l.name, 0o666); err != nil {
		return errors.Join(err, l.Close())
	}
	return nil
}

// isAbandoned reports whether nobody listens at a socket any more: its wr was
// killed.
func isAbandoned(socket string) bool {
	conn, err := net.DialUnix("unix", nil, unixAddr(socket))
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

func unixAddr(path string) *net.UnixAddr { return &net.UnixAddr{Name: path, Net: "unix"} }

// serve connects whoever comes with the agent, until Close.
func (l *lentAgent) serve() {
	for {
		inside, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.connect(inside)
	}
}

// connect copies in both directions until one side has ended.
func (l *lentAgent) connect(inside net.Conn) {
	defer inside.Close()
	outside, err := net.DialUnix("unix", nil, unixAddr(l.upstream))
	if err != nil {
		return // ssh says that the agent does not answer
	}
	defer outside.Close()
	if !l.hold(inside) {
		return
	}
	defer l.drop(inside)
	go func() {
		defer outside.Close()
		_, _ = io.Copy(outside, inside)
	}()
	_, _ = io.Copy(inside, outside)
}

func (l *lentAgent) hold(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.done {
		l.conns[c] = true
	}
	return !l.done
}

func (l *lentAgent) drop(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// Close takes the agent away again, also from whoever is still connected.
func (l *lentAgent) Close() error {
	l.mu.Lock()
	l.done = true
	for c := range l.conns {
		_ = c.Close()
	}
	l.mu.Unlock()
	return errors.Join(l.listener.Close(), l.folder.Remove(l.name), l.folder.Close())
}
