package agent

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// command is one running command, the leader of a session of its own.
type command struct {
	args     []string
	pid      int
	started  time.Time
	terminal *terminal // nil without one
	leave    bool      // what it started stays when it ends
	ended    chan unix.WaitStatus
}

// launch starts what the request asks for, with the given stdio.
func launch(r *reaper, request Request, stdio []*os.File) (*command, *fault.Error) {
	env := environment(request.base(), plain(request.Env))
	file, problem := lookup(request, env)
	if problem != nil {
		return nil, problem
	}
	c := &command{args: plain(request.Args), leave: request.Leave, ended: make(chan unix.WaitStatus, 1)}
	if request.Terminal {
		t, err := openTerminal(request.UID, request.Size)
		if err != nil {
			return nil, startFailed(string(request.Args[0]), err, "open a terminal")
		}
		c.terminal, stdio = t, []*os.File{t.slave, t.slave, t.slave}
	}
	var err error
	if r.confines {
		request, file, err = confined(request, file)
	}
	if err == nil {
		err = c.exec(r, request, file, env, stdio)
	}
	if err != nil {
		c.terminal.close()
		if f, ok := errors.AsType[*fault.Error](err); ok {
			return nil, f
		}
		return nil, startFailure(string(request.Args[0]), under(string(request.Dir), file), err)
	}
	return c, nil
}

// confined makes the request one for the agent itself, which gives up what
// commands have not, becomes the request's user and executes file.
func confined(request Request, file string) (Request, string, error) {
	who, err := json.Marshal(identity{request.UID, request.GID, request.Groups})
	request.Args = slices.Concat([]Text{Text(os.Args[0]), RunConfined, Text(who), Text(file)}, request.Args)
	request.UID, request.GID, request.Groups = 0, 0, nil
	return request, "/proc/self/exe", err
}

// base is the environment that the request's lies over.
func (r Request) base() []string {
	if r.Whole {
		return nil
	}
	return os.Environ()
}

// exec forks the command.
func (c *command) exec(r *reaper, request Request, file string, env []string, stdio []*os.File) error {
	return wire.Descriptors(stdio, func(fds []int) error {
		attr := &syscall.ProcAttr{
			Dir:   string(request.Dir),
			Env:   env,
			Files: []uintptr{uintptr(fds[0]), uintptr(fds[1]), uintptr(fds[2])},
			Sys: &syscall.SysProcAttr{
				Setsid:     true,
				Setctty:    request.Terminal,
				Credential: credential(request),
			},
		}
		c.started = time.Now()
		return r.start(c, file, plain(request.Args), attr)
	})
}

// credential is the user of the command; nil when it is the agent's own and
// the agent has no right to set it.
func credential(r Request) *syscall.Credential {
	if os.Geteuid() != 0 && r.UID == os.Geteuid() && r.GID == os.Getegid() {
		return nil
	}
	cred := &syscall.Credential{Uid: uint32(r.UID), Gid: uint32(r.GID)}
	for _, g := range r.Groups {
		cred.Groups = append(cred.Groups, uint32(g))
	}
	return cred
}

// exit is how the command ended, as a shell would say it.
func (c *command) exit(status unix.WaitStatus) *spec.Exit {
	e := &spec.Exit{Code: status.ExitStatus(), Elapsed: time.Since(c.started)}
	if status.Signaled() {
		e.Signal = int(status.Signal())
		e.Code = 128 + e.Signal
	}
	return e
}

// foreground is the process group that the command's terminal is busy with, or
// the command's own.
func (c *command) foreground() int {
	if group := c.terminal.foreground(); group > 0 {
		return group
	}
	return c.pid
}

// hangUp sends what ends a well-behaved program, stopped or not. A shell stops
// at SIGHUP and not at SIGTERM, other programs the other way round.
func (c *command) hangUp() {
	for _, sig := range []unix.Signal{unix.SIGHUP, unix.SIGTERM, unix.SIGCONT} {
		for _, group := range []int{c.foreground(), c.pid} {
			_ = unix.Kill(-group, sig)
		}
	}
}

// end makes the command end, by force when it takes longer than grace.
func (c *command) end(r *reaper, grace time.Duration) {
	r.hangUp(c)
	c.terminal.close()
	select {
	case <-c.ended:
	case <-time.After(grace):
		killSession(c.pid)
		<-c.ended
	}
}
