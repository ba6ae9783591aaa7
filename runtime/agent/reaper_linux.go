package agent

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// reaper is the only one in the process that starts children and waits for
// them. The first process of a container inherits every orphan: whoever waits
// for any child may meet one of the commands, and whoever waits for one
// command leaves the orphans.
type reaper struct {
	mu       sync.Mutex       // guards all below; makes fork + record and wait + look-up single steps
	commands map[int]*command // running, by process id
	open     int              // commands started and not yet released
	idle     chan struct{}    // not nil: nothing starts any more; closed when none is open
}

// start forks and records a command.
func (r *reaper) start(c *command, file string, args []string, attr *syscall.ProcAttr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.idle != nil {
		return &fault.Error{Code: Gone, Message: "the container is being stopped"}
	}
	pid, err := syscall.ForkExec(file, args, attr)
	if err != nil {
		return err
	}
	c.pid = pid
	r.commands[pid] = c
	r.open++
	return nil
}

// release says that a command has ended and its client knows.
func (r *reaper) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	if r.idle != nil && r.open == 0 {
		close(r.idle)
	}
}

// close stops commands from starting and returns what is closed once the last
// one has been released.
func (r *reaper) close() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = make(chan struct{})
	if r.open == 0 {
		close(r.idle)
	}
	return r.idle
}

// run collects children whenever one has ended, until children closes.
func (r *reaper) run(children <-chan os.Signal) {
	for range children {
		for r.collect() {
		}
	}
}

// collect waits for one child that has ended and tells whether there was one.
func (r *reaper) collect() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	var status unix.WaitStatus
	pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
	if err == unix.EINTR {
		return true
	}
	if err != nil || pid <= 0 {
		return false
	}
	if c, ok := r.commands[pid]; ok {
		// What the command leaves in its process group ends with it. The
		// group's number cannot have been given away yet.
		if !c.leave {
			_ = unix.Kill(-pid, unix.SIGKILL)
		}
		delete(r.commands, pid)
		c.ended <- status
	}
	return true
}

// signal sends a signal to the foreground process group of a command's
// terminal, or to the command's own group, if the command still runs.
func (r *reaper) signal(c *command, sig unix.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running(c) {
		_ = unix.Kill(-c.foreground(), sig)
	}
}

// broadcast is signal for every running command.
func (r *reaper) broadcast(sig unix.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.commands {
		_ = unix.Kill(-c.foreground(), sig)
	}
}

// hangUp asks a command, and whatever it runs in the foreground, to end.
func (r *reaper) hangUp(c *command) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running(c) {
		c.hangUp()
	}
}

// hangUpAll is hangUp for every running command.
func (r *reaper) hangUpAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.commands {
		c.hangUp()
	}
}

// running tells, with the mutex held, whether c has not been waited for, so
// that its number is still its own.
func (r *reaper) running(c *command) bool { return r.commands[c.pid] == c }
