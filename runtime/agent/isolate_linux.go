package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// Descriptors of the process that makes an isolation, after the usual three.
const (
	clientFD = 3 // the connection
	mountFD  = 4 // the first mount
)

// isolated is what the process that makes an isolation is told.
type isolated struct {
	Isolation
	Scratch string `json:"scratch"` // directory of its own, on a disk
}

// isolate serves a connection through an agent of its own, the first process
// of new namespaces. With that process everything in them ends.
func (s *server) isolate(conn *wire.Conn, i Isolation, mounts []*os.File) error {
	if problem := i.check(len(mounts)); problem != nil {
		return problem
	}
	if s.scratch == "" {
		return badRequest("this container isolates no commands")
	}
	s.scratches <- struct{}{}
	defer func() { <-s.scratches }()
	scratch, err := os.MkdirTemp(s.scratch, "run-")
	if err != nil {
		return fmt.Errorf("isolate: %w", err)
	}
	c := &command{args: []string{EnterIsolation}, started: time.Now(), ended: make(chan unix.WaitStatus, 1)}
	if err := c.enter(s.reaper, conn, isolated{i, scratch}, mounts); err != nil {
		return errors.Join(fmt.Errorf("isolate: %w", err), os.RemoveAll(scratch))
	}
	wire.CloseAll(mounts)
	_ = conn.Close() // from here on it is the other agent's
	<-c.ended
	s.reaper.release(c)
	_ = os.RemoveAll(scratch) // nobody waits for it; what stays goes with the container
	return nil
}

// enter starts the other agent.
func (c *command) enter(r *reaper, conn *wire.Conn, i isolated, mounts []*os.File) error {
	config, err := json.Marshal(i)
	if err != nil {
		return err
	}
	client, err := conn.File()
	if err != nil {
		return err
	}
	defer client.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	flags := unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC
	if i.Network {
		flags |= unix.CLONE_NEWNET
	}
	files := append([]*os.File{null, null, os.Stderr, client}, mounts...)
	return wire.Descriptors(files, func(fds []int) error {
		attr := &syscall.ProcAttr{Env: os.Environ(), Sys: &syscall.SysProcAttr{Setsid: true, Cloneflags: uintptr(flags)}}
		for _, fd := range fds {
			attr.Files = append(attr.Files, uintptr(fd))
		}
		return r.start(c, "/proc/self/exe", []string{os.Args[0], EnterIsolation, string(config)}, attr)
	})
}

// Enter makes this process, the first of its namespaces, see what an isolated
// command is to see, gives up the rights to change that, serves the one
// connection that it was started with and returns when that is over. Of what
// fails before, the client has been told.
func Enter(config string) error {
	conn, err := wire.FromFile(os.NewFile(clientFD, "client"))
	if err != nil {
		return err
	}
	s, signals, err := newServer()
	if err == nil {
		err = enter(config)
	}
	if err != nil {
		problem := &fault.Error{
			Code: "agent.isolation", Message: fmt.Sprintf("isolate the command: %v", err),
			Next: "run again with --fresh, for a container of its own", Err: err,
		}
		_ = conn.Send(Reply{Error: problem})
		_ = conn.Close()
		return problem
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.handle(conn)
	}()
	if s.forward(signals, done) {
		s.stop()
	}
	return nil
}

// enter is what Enter does before it serves.
func enter(config string) error {
	var i isolated
	if err := json.Unmarshal([]byte(config), &i); err != nil {
		return err
	}
	if err := i.enter(); err != nil {
		return err
	}
	_ = os.WriteFile("/proc/self/comm", []byte("agent"), 0) // as in other containers
	return confine()
}
