package agent

import (
	"os"
	"slices"
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
	mu       sync.Mutex            // guards all below; makes fork + record and wait + look-up single steps
	commands map[int]*command      // running, by process id
	open     map[*command]struct{} // started and not yet released
	closed   bool                  // nothing starts any more
	confines bool                  // this process has rights that commands must not have
	changed  *sync.Cond            // of open
}

func newReaper() *reaper {
	r := &reaper{commands: map[int]*command{}, open: map[*command]struct{}{}}
	r.changed = sync.NewCond(&r.mu)
	return r
}

// start forks and records a command.
func (r *reaper) start(c *command, file string, args []string, attr *syscall.ProcAttr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return &fault.Error{Code: Gone, Message: "the container is being stopped"}
	}
	pid, err := syscall.ForkExec(file, args, attr)
	if err != nil {
		return err
	}
	c.pid = pid
	r.commands[pid] = c
	r.open[c] = struct{}{}
	return nil
}

// release says that a command has ended, its client knows and nothing is left
// of it.
func (r *reaper) release(c *command) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
	r.changed.Broadcast()
}

// busy reports, with the mutex held, whether a command is not released: the one
// with that process id, or with 0 any. What was told to leave others running is
// no work but part of the container.
func (r *reaper) busy(pid int) bool {
	for c := range r.open {
		if !c.leave && (pid == 0 || c.pid == pid) {
			return true
		}
	}
	return false
}

// close stops commands from starting and returns what is closed once the last
// one has been released.
func (r *reaper) close() <-chan struct{} {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		r.running(true, 0)
	}()
	return idle
}

// tell answers a query.
func (r *reaper) tell(q Query) *Running {
	if q.Left {
		return &Running{Commands: []Line{}, Left: r.left()}
	}
	return r.running(q.Idle, q.PID)
}

// left waits until every command is released, also those that leave others
// running, and counts the living processes that there are then.
func (r *reaper) left() (n int) {
	r.mu.Lock()
	for len(r.open) > 0 {
		r.changed.Wait()
	}
	r.mu.Unlock()
	for _, p := range processes() {
		if !p.dead && p.pid != os.Getpid() {
			n++
		}
	}
	return n
}

// running lists the commands that are not released, oldest first; with idle it
// waits until the one with that process id is, or with 0 all are.
func (r *reaper) running(idle bool, pid int) *Running {
	r.mu.Lock()
	defer r.mu.Unlock()
	for idle && r.busy(pid) {
		r.changed.Wait()
	}
	lines := []Line{}
	for c := range r.open {
		if c.leave {
			continue
		}
		lines = append(lines, Line{PID: c.pid, Args: texts(c.args), Started: c.started, Terminal: c.terminal != nil})
	}
	slices.SortFunc(lines, func(a, b Line) int { return a.Started.Compare(b.Started) })
	return &Running{Commands: lines}
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
	if r.runs(c) {
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
	if r.runs(c) {
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

// runs tells, with the mutex held, whether c has not been waited for, so
// that its number is still its own.
func (r *reaper) runs(c *command) bool { return r.commands[c.pid] == c }
