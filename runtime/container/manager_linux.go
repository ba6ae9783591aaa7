package container

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	runcoptions "github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/kernelversion"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"golang.org/x/sync/singleflight"

	"github.com/wr-build/wr/runtime/spec"
)

const (
	snapshotter = "overlayfs"

	// labelSnapshot makes the container record hold its snapshot against
	// containerd's garbage collection.
	labelSnapshot = "containerd.io/gc.ref.snapshot." + snapshotter

	// leaseTime bounds how long an unfinished creation holds what it made.
	leaseTime = time.Hour

	// startLimit bounds the start of a container, of which the OCI runtime is
	// the larger part.
	startLimit = 30 * time.Second
)

// Manager makes and removes containers.
type Manager struct {
	cfg    Config
	images imageCache
	slots  chan struct{} // one for each container being started or deleted

	removals singleflight.Group // by id

	mu   sync.Mutex       // guards live
	live map[string]*live // containers made here and not yet removed, by id
}

// live is what is remembered of a container while it exists.
type live struct {
	groups cgroups // of the agent, once it runs
	ended  bool    // every process of it is gone, the rest is being removed
}

// New returns a manager of the containers in the default namespace of
// cfg.Client.
func New(cfg Config) *Manager {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Ungroup == nil {
		cfg.Ungroup = func(string) error { return nil }
	}
	return &Manager{
		cfg:    cfg,
		images: imageCache{client: cfg.Client},
		// Starting a container is bound by CPU: more at once only makes each
		// of them later.
		slots: make(chan struct{}, max(2, runtime.NumCPU())),
		live:  make(map[string]*live),
	}
}

// Create makes a container of img for owner and starts its agent. When it fails,
// nothing is left, unless it returns a container all the same: then that one
// could not be removed. Whatever is returned, the caller removes.
func (m *Manager) Create(ctx context.Context, owner Owner, img *Image, c spec.Container) (*Container, error) {
	ctx = m.in(ctx)
	if c.Role != spec.RoleTest { // there, the agent mounts them for each process
		c.Mounts = slices.Concat(c.Mounts, c.Own)
	}
	if c.Role == spec.RoleTest && !c.Rights.None() {
		return nil, errors.New("a container with rights of its own isolates no runs")
	}
	if err := checkMounts(c.Mounts); err != nil {
		return nil, err
	}
	made := &Container{ID: newID(), Image: c.Image, Owner: owner, Created: m.cfg.Now(), Entrypoint: img.config.Entrypoint}
	made.Labels = labels(made, c, img)
	m.enter(made.ID)
	err := m.make(ctx, made, c, img)
	if err == nil {
		return made, nil
	}
	if left := m.abandon(ctx, made.ID); left != nil {
		return made, errors.Join(err, left)
	}
	return nil, err
}

// make builds a container under a lease, which ends with it.
func (m *Manager) make(ctx context.Context, made *Container, c spec.Container, img *Image) error {
	leased, release, err := m.lease(ctx, made)
	if err != nil {
		return err
	}
	defer release()
	return m.build(leased, made, c, img)
}

// abandon removes what an unfinished creation made, and layers that it was
// still unpacking.
func (m *Manager) abandon(ctx context.Context, id string) error {
	if err := m.Remove(ctx, id); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime)
	defer cancel()
	return m.Scour(ctx) // cancelled after it has made the directory of a layer, containerd forgets that
}

// build makes everything that a container consists of, and starts it.
func (m *Manager) build(ctx context.Context, made *Container, c spec.Container, img *Image) error {
	rootfs, err := m.snapshot(ctx, made, img)
	if err != nil {
		return err
	}
	users, err := img.users(ctx, rootfs)
	if err != nil {
		return err
	}
	if made.Identity, err = identify(users, c.User, img); err != nil {
		return err
	}
	if err := furnish(ctx, rootfs, c.Mounts, made.Identity); err != nil {
		return err
	}
	mounts, err := m.writeFiles(made.ID, c, users, made.Identity)
	if err != nil {
		return fmt.Errorf("write the files of a container: %w", err)
	}
	sources, all, err := m.mountSources(made.ID, c, made.Identity)
	if err != nil {
		return err
	}
	defer all.drop()
	s, err := m.ociSpec(ctx, made, c, img, append(mounts, hostMounts(sources, made.Identity)...))
	if err != nil {
		return err
	}
	record, err := m.cfg.Client.NewContainer(ctx, made.ID,
		client.WithImageName(c.Image), client.WithSpec(s), client.WithContainerLabels(made.Labels),
		client.WithRuntime(m.cfg.Shim, &runcoptions.Options{BinaryName: m.cfg.Runc, Root: m.cfg.RuncRoot}))
	if err != nil {
		return fmt.Errorf("create container: %w", err)
	}
	return m.start(ctx, record, made, rootfs)
}

// start starts the agent of a container.
func (m *Manager) start(ctx context.Context, record client.Container, made *Container, rootfs []mount.Mount) error {
	done, err := m.slot(ctx)
	if err != nil {
		return err
	}
	defer done()
	// Why it is not cancelled: containerd may leave a shim and a half-made
	// container behind then. A whole one is removed in order.
	cause := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startLimit)
	defer cancel()
	// Why the root file system is not left to the record: containerd would
	// mount it without "volatile", and taking it down would then write all
	// dirty pages of the whole disk.
	task, err := record.NewTask(ctx, m.logIO, client.WithRootFS(volatile(rootfs)))
	if err != nil {
		return startFailed(err)
	}
	made.PID = int(task.Pid())
	m.started(made)
	if err := task.Start(ctx); err != nil {
		return startFailed(err)
	}
	return context.Cause(cause)
}

// snapshot prepares the writable root file system of a container.
func (m *Manager) snapshot(ctx context.Context, made *Container, img *Image) ([]mount.Mount, error) {
	own := map[string]string{LabelContainer: made.ID, LabelOwner: made.Owner.label()}
	service := m.cfg.Client.SnapshotService(snapshotter)
	rootfs, err := service.Prepare(ctx, made.ID, img.parent, snapshots.WithLabels(own))
	if errdefs.IsNotFound(err) {
		if err := img.unpackLayers(ctx, m.cfg.Client); err != nil {
			return nil, err
		}
		rootfs, err = service.Prepare(ctx, made.ID, img.parent, snapshots.WithLabels(own))
	}
	if err != nil {
		return nil, fmt.Errorf("prepare the root file system of %s: %w", img.record.Name, err)
	}
	return rootfs, nil
}

// lease keeps what is made under the returned context from garbage collection
// until release, after which the container's record does.
func (m *Manager) lease(ctx context.Context, made *Container) (_ context.Context, release func(), err error) {
	service := m.cfg.Client.LeasesService()
	l, err := service.Create(ctx, leases.WithID("wr-"+made.ID), leases.WithExpiration(leaseTime), leases.WithLabels(map[string]string{
		LabelContainer: made.ID, LabelOwner: made.Owner.label(),
	}))
	if err != nil {
		return nil, nil, fmt.Errorf("lease: %w", err)
	}
	release = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime)
		defer cancel()
		_ = service.Delete(ctx, l) // if it stays, it expires
	}
	return leases.WithLease(ctx, l.ID), release, nil
}

// in returns ctx for calls to containerd in the manager's namespace.
func (m *Manager) in(ctx context.Context) context.Context {
	return namespaces.WithNamespace(ctx, m.cfg.Client.DefaultNamespace())
}

// slot waits until a container may be started or deleted.
func (m *Manager) slot(ctx context.Context) (done func(), err error) {
	select {
	case m.slots <- struct{}{}:
		return func() { <-m.slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (m *Manager) enter(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live[id] = &live{}
}

// Adopt takes over a container that Reap has kept.
func (m *Manager) Adopt(made *Container) { m.started(made) }

func (m *Manager) started(made *Container) {
	groups := groupsOf(made.PID)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live[made.ID] = &live{groups: groups}
}

// identify says who runs commands in a container of img: the user asked for,
// else the image's.
func identify(users accounts, name string, img *Image) (Identity, error) {
	if name == "" {
		name = img.config.User
	}
	who, err := users.identify(name)
	who.Dir, who.Command = img.config.WorkingDir, img.config.Cmd
	if who.Dir == "" {
		who.Dir = "/"
	}
	return who, err
}

// labels joins the caller's labels, which may not speak for containerd, with
// those that Reap and List rely on.
func labels(made *Container, c spec.Container, img *Image) map[string]string {
	out := make(map[string]string, len(c.Labels)+5)
	maps.Copy(out, c.Labels)
	maps.DeleteFunc(out, func(k, _ string) bool { return strings.HasPrefix(k, "containerd.io/") })
	out[LabelContainer] = made.ID
	out[LabelOwner] = made.Owner.label()
	out[LabelCaller] = strconv.Itoa(made.Owner.UID)
	out[labelSnapshot] = made.ID
	if c.Role != spec.RoleFresh {
		out[LabelRole] = string(c.Role)
	}
	if img.config.StopSignal != "" {
		out[client.StopSignalLabel] = img.config.StopSignal
	}
	return out
}

// checkMounts refuses mounts that cannot be made, by name.
func checkMounts(mounts []spec.Mount) error {
	for _, m := range mounts {
		if !filepath.IsAbs(m.Source) || !strings.HasPrefix(m.Target, "/") && !strings.HasPrefix(m.Target, home) {
			return fmt.Errorf("mount %q on %q: paths must be absolute", m.Source, m.Target)
		}
	}
	return nil
}

// newID returns 128 random bits.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// volatile marks overlay mounts as throw-away, so that the kernel syncs nothing
// when they are taken down.
func volatile(rootfs []mount.Mount) []mount.Mount {
	out := slices.Clone(rootfs)
	for i := range out {
		if out[i].Type == "overlay" && volatileSupported() {
			out[i].Options = append(slices.Clone(out[i].Options), "volatile")
		}
	}
	return out
}

// volatileSupported reports whether overlayfs knows the option.
func volatileSupported() bool {
	ok, err := kernelversion.GreaterEqualThan(kernelversion.KernelVersion{Kernel: 5, Major: 10})
	return err == nil && ok
}
