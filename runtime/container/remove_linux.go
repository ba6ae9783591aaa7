package container

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/engine"
)

// removeTime bounds the removal of one container.
const removeTime = 20 * time.Second

// shimTime is a little more than what containerd gives the clean-up after a
// shim: twice five seconds.
const shimTime = 11 * time.Second

// Remove kills a container and removes everything that was made for it. It
// does not stop when ctx ends, only after a bounded time, and what is already
// gone is no error. Calls for one container at the same time are one removal.
func (m *Manager) Remove(ctx context.Context, id string) error {
	_, err, _ := m.removals.Do(id, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(m.in(ctx)), removeTime)
		defer cancel()
		return nil, m.remove(ctx, id)
	})
	return err
}

// RemoveAll is Remove for many containers at once. It goes on after a failure.
func (m *Manager) RemoveAll(ctx context.Context, ids []string) error {
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() { errs[i] = m.Remove(ctx, id) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Kill ends every process of a container and returns once they are gone. What
// else there is of it stays until Remove.
func (m *Manager) Kill(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.in(ctx)), removeTime)
	defer cancel()
	_, task, err := m.find(ctx, id)
	if err == nil && task != nil {
		err = found(kill(ctx, task))
	}
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.live[id]; known != nil {
		known.ended = true
	}
	return nil
}

// hasEnded reports whether Kill has ended a container that is not yet removed.
func (m *Manager) hasEnded(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.live[id] != nil && m.live[id].ended
}

// remove is the one removal.
func (m *Manager) remove(ctx context.Context, id string) error {
	dropMounts(filepath.Join(m.cfg.Mounts, id))
	err := m.removeRecord(ctx, id)
	if err != nil {
		// A shim that dies just now fails what was asked of it; afterwards
		// containerd knows that it is gone.
		err = m.removeRecord(ctx, id)
	}
	if err != nil {
		// Whatever still runs may use the snapshot and the files: leave them
		// to the next attempt.
		return fmt.Errorf("remove container %s: %w", id, err)
	}
	err = errors.Join(
		m.removeRemains(ctx, id),
		m.cfg.Ungroup(groupName(id)),
		found(m.cfg.Client.SnapshotService(snapshotter).Remove(ctx, id)),
		found(m.cfg.Client.LeasesService().Delete(ctx, leases.Lease{ID: "wr-" + id})),
		os.RemoveAll(m.dir(id)),
		m.removeSocket(ctx, id),
	)
	if err != nil {
		return fmt.Errorf("remove container %s: %w", id, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.live, id)
	return nil
}

// removeRecord ends the processes of a container and removes its record.
func (m *Manager) removeRecord(ctx context.Context, id string) error {
	record, task, err := m.find(ctx, id)
	if err != nil || record == nil {
		return err
	}
	if task != nil {
		if err := m.removeTask(ctx, task); err != nil {
			return err
		}
	}
	return found(record.Delete(ctx))
}

// find returns the record and the task of a container, nil for what is not there.
func (m *Manager) find(ctx context.Context, id string) (client.Container, client.Task, error) {
	record, err := m.cfg.Client.LoadContainer(ctx, id)
	if err != nil {
		return nil, nil, found(err)
	}
	task, err := record.Task(ctx, nil)
	if err != nil {
		return record, nil, found(err)
	}
	return record, task, nil
}

// removeRemains ends what containerd has forgotten of a container: its shim,
// and what the OCI runtime knows of it. It first waits for as long as containerd
// itself may take to clean up after a shim that died.
func (m *Manager) removeRemains(ctx context.Context, id string) error {
	root := filepath.Join(m.cfg.RuncRoot, m.cfg.Client.DefaultNamespace())
	timeout := time.After(shimTime)
	for {
		if _, err := os.Stat(filepath.Join(root, id)); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		tick := time.NewTimer(lastWait)
		select {
		case <-tick.C:
			continue
		case <-timeout:
		case <-ctx.Done():
		}
		tick.Stop()
		break
	}
	return errors.Join(engine.KillShims(m.cfg.Address, id), engine.DeleteContainer(ctx, m.cfg.Runc, root, id))
}

// removeSocket removes the socket of a shim that was killed. Others remove it
// themselves.
func (m *Manager) removeSocket(ctx context.Context, id string) error {
	if m.cfg.Shims == "" {
		return nil
	}
	address, err := shim.CreateSocketAddress(ctx, m.cfg.Shims, m.cfg.Address, id, false)
	if err != nil {
		return err
	}
	if err := shim.RemoveSocket(address); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// removeTask kills first and only then waits for its turn to delete, so that
// what is to end has ended, however many are.
func (m *Manager) removeTask(ctx context.Context, task client.Task) error {
	if err := kill(ctx, task); err != nil {
		return found(err)
	}
	done, err := m.slot(ctx)
	if err != nil {
		return err
	}
	defer done()
	_, err = task.Delete(ctx)
	return found(err)
}

// kill ends the agent, and with its pid namespace everything in the container,
// and waits until containerd knows.
//
// Why not leave it to the OCI runtime: that starts one more process, which
// takes longer than all the rest of the kill.
func kill(ctx context.Context, task client.Task) error {
	ended, err := task.Wait(ctx)
	if err != nil {
		return err
	}
	agent, err := unix.PidfdOpen(int(task.Pid()), 0)
	if err != nil {
		return client.WithProcessKill(ctx, task)
	}
	defer unix.Close(agent)
	// Only if it runs still is the process just opened the agent and no other
	// that has got its number since.
	status, err := task.Status(ctx)
	if err != nil || status.Status != client.Running {
		return errors.Join(err, client.WithProcessKill(ctx, task))
	}
	if err := unix.PidfdSendSignal(agent, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill the agent: %w", err)
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// found takes the error away that says the thing to remove is not there.
func found(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
