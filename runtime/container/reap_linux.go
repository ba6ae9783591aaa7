package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ours filters objects of containerd that wr made for a container.
const ours = `labels."` + LabelContainer + `"`

// List returns the containers of wr, oldest first.
func (m *Manager) List(ctx context.Context) ([]Container, error) {
	ctx = m.in(ctx)
	records, err := m.cfg.Client.ContainerService().List(ctx, ours)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	out := make([]Container, 0, len(records))
	for _, r := range records {
		out = append(out, Container{
			ID: r.ID, Image: r.Image, Owner: parseOwner(r.Labels), Labels: r.Labels, Created: r.CreatedAt,
			Ended: m.hasEnded(r.ID),
		})
	}
	slices.SortFunc(out, func(a, b Container) int { return a.Created.Compare(b.Created) })
	return out, nil
}

// Reap removes every container that was not made by this manager and whose
// agent does not run, or whose owner is gone and that has no role for which it
// is kept, and all that is left of containers that no longer exist. It returns
// those it kept. It goes on after a failure and reports it at the end. What
// containerd keeps of them goes with the next collection.
func (m *Manager) Reap(ctx context.Context) (kept []Container, err error) {
	ctx = m.in(ctx)
	kept, gone, err := m.Orphans(ctx)
	return kept, errors.Join(err, m.RemoveAll(ctx, gone))
}

// Orphans returns what Reap would keep, and the sorted ids of the containers
// it would remove or of which it would remove the rest.
func (m *Manager) Orphans(ctx context.Context) (kept []Container, ids []string, err error) {
	ctx = m.in(ctx)
	all, err := m.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	keep := make(map[string]bool)
	gone := make(map[string]bool)
	for _, c := range all {
		switch {
		case m.isLive(c.ID):
			keep[c.ID] = true
		case (c.Owner.Alive() || c.Labels[LabelRole] != "") && m.runs(ctx, &c):
			keep[c.ID] = true
			kept = append(kept, c)
		default:
			gone[c.ID] = true
		}
	}
	found, err := m.leftovers(ctx)
	for id := range found {
		if !keep[id] && !m.isLive(id) {
			gone[id] = true
		}
	}
	return kept, slices.Sorted(maps.Keys(gone)), err
}

// runs reports whether the agent of a container runs, and notes its pid.
func (m *Manager) runs(ctx context.Context, c *Container) bool {
	record, err := m.cfg.Client.LoadContainer(ctx, c.ID)
	if err != nil {
		return false
	}
	task, err := record.Task(ctx, nil)
	if err != nil {
		return false
	}
	status, err := task.Status(ctx)
	c.PID = int(task.Pid())
	return err == nil && status.Status == client.Running
}

// leftovers returns the containers of which there is anything: a lease, a
// snapshot, a directory or mounts. It reads as much as it can.
func (m *Manager) leftovers(ctx context.Context) (map[string]bool, error) {
	found := make(map[string]bool)
	held, errLeases := m.cfg.Client.LeasesService().List(ctx, ours)
	for _, l := range held {
		found[l.Labels[LabelContainer]] = true
	}
	errSnapshots := m.cfg.Client.SnapshotService(snapshotter).Walk(ctx, func(_ context.Context, info snapshots.Info) error {
		found[info.Labels[LabelContainer]] = true
		return nil
	}, ours)
	for _, dir := range []string{m.cfg.Files, m.cfg.Mounts} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			found[e.Name()] = true
		}
	}
	return found, errors.Join(errLeases, errSnapshots)
}

// Collect makes containerd's garbage collector run, and waits for it. Leases
// that expire do not make it run by themselves, and after much work it pauses for
// long, while what was removed stays on the disk.
func (m *Manager) Collect(ctx context.Context) error {
	ctx = m.in(ctx)
	service := m.cfg.Client.LeasesService()
	l, err := service.Create(ctx, leases.WithRandomID(), leases.WithExpiration(leaseTime))
	if err != nil {
		return fmt.Errorf("collect garbage: %w", err)
	}
	return service.Delete(ctx, l, leases.SynchronousDelete)
}

// Scour makes containerd's garbage collector run and also look for directories
// of snapshots and for uploads without a record, such as an engine leaves that
// dies, or a creation that is cancelled. By itself it looks for those only after
// it has removed a snapshot or a blob; on a full disk it cannot be made to.
func (m *Manager) Scour(ctx context.Context) error {
	ctx = m.in(ctx)
	m.dirty(ctx)
	return m.Collect(ctx)
}

// dirty makes a snapshot and a blob for the next collection to remove.
func (m *Manager) dirty(ctx context.Context) {
	ctx, done, err := m.cfg.Client.WithLease(ctx)
	if err != nil {
		return
	}
	defer func() { _ = done(ctx) }() // it expires
	layers, id := m.cfg.Client.SnapshotService(snapshotter), newID()
	if _, err := layers.Prepare(ctx, id, ""); err == nil {
		_ = layers.Remove(ctx, id) // else it goes with the lease
	}
	blobs, blob := m.cfg.Client.ContentStore(), []byte(id)
	what := ocispec.Descriptor{Digest: digest.FromBytes(blob), Size: int64(len(blob))}
	if err := content.WriteBlob(ctx, blobs, id, bytes.NewReader(blob), what); err != nil {
		_ = blobs.Abort(ctx, id)
		return
	}
	_ = blobs.Delete(ctx, what.Digest)
}

// isLive reports whether this manager made the container and still has it.
func (m *Manager) isLive(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.live[id] != nil
}
