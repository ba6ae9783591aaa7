package container

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/v2/client"
	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// The time between two looks for the agent's socket starts short, because the
// agent needs about 2 ms, and doubles.
const (
	firstWait = 500 * time.Microsecond
	lastWait  = 20 * time.Millisecond
)

// Connect waits until the agent of a container listens and returns a
// connection to it. The file is the caller's to pass on and to close.
func (m *Manager) Connect(ctx context.Context, c *Container) (*os.File, error) {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		f, err := dialAgent(filepath.Join(m.dir(c.ID), "sock", socketName), c.PID)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ECONNREFUSED) {
			return nil, fmt.Errorf("connect to the agent: %w", err)
		}
		if wait == lastWait { // It takes unusually long.
			if err := m.agentRuns(m.in(ctx), c.ID); err != nil {
				return nil, err
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
	}
}

// agentRuns says how the agent of a container ended, if it did.
func (m *Manager) agentRuns(ctx context.Context, id string) error {
	record, err := m.cfg.Client.LoadContainer(ctx, id)
	if err != nil {
		return fmt.Errorf("load container: %w", err)
	}
	task, err := record.Task(ctx, nil)
	if err != nil {
		return fmt.Errorf("load task: %w", err)
	}
	status, err := task.Status(ctx)
	if err != nil {
		return fmt.Errorf("agent's status: %w", err)
	}
	if status.Status == client.Stopped {
		_, _ = task.Delete(ctx) // returns when all that the agent printed is in its logs
		return m.agentDied(id, status.ExitStatus)
	}
	return nil
}

// dialAgent connects to the socket at path if process pid listens on it. The
// directory can be written by root of the container, so a symbolic link there
// is not followed and what answers must be the agent itself.
func dialAgent(path string, pid int) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	// The link in /proc also keeps the address short, whatever path is.
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: fmt.Sprintf("/proc/self/fd/%d", fd), Net: "unix"})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	f, err := conn.File()
	if err != nil {
		return nil, err
	}
	peer, err := unix.GetsockoptUcred(int(f.Fd()), unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err == nil && int(peer.Pid) != pid {
		err = fmt.Errorf("process %d listens on the agent's socket, not the agent (%d)", peer.Pid, pid)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// agentDied says that a container ended before it could be used, with what the
// agent printed.
func (m *Manager) agentDied(id string, code uint32) error {
	return &fault.Error{
		Code:    "container.agent_died",
		Message: fmt.Sprintf("the first process of the container ended with code %d before it was ready", code),
		Next:    "run the command again; if it stays, report it with wr engine status --json",
		Details: m.agentSaid(id),
	}
}

// startFailed says that the OCI runtime could not start a container.
func startFailed(err error) error {
	return &fault.Error{
		Code: "container.start_failed", Message: fmt.Sprintf("the container did not start: %v", err),
		Next: "check the mounts and the user in wr.toml; wr engine status shows runc's version", Err: err,
	}
}
