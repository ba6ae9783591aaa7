//go:build linux && engine

package containertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// Bystanders are things of others that look as much like an engine's as they
// can: one of each kind that a census counts. Why not all that the machine has:
// what others do with their own while a test runs is no finding.
type Bystanders struct {
	client  *client.Client
	process *exec.Cmd // in a control group and a network of its own
	life    io.Closer // of the process
	group   Cgroup
	dir     string // a mount below the directory for temporary files
}

// The names of bystanders. The first would be a container's.
const (
	foreignID    = "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"
	foreignSpace = "other"
	foreignText  = "of another"
)

// Stand puts bystanders beside the engine of c.
func Stand(ctx context.Context, c *client.Client) (b *Bystanders, err error) {
	b = &Bystanders{client: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Leave(ctx))
		}
	}()
	if b.group, err = NewCgroup("wr-" + foreignID + fmt.Sprint(os.Getpid())); err != nil {
		return b, err
	}
	if err := b.run(ctx); err != nil {
		return b, err
	}
	if b.dir, err = os.MkdirTemp("", "wr-"); err != nil {
		return b, err
	}
	if err := unix.Mount("wr", b.dir, "tmpfs", 0, "size=1m"); err != nil {
		return b, err
	}
	if err := os.WriteFile(filepath.Join(b.dir, "file"), []byte(foreignText), 0o600); err != nil {
		return b, err
	}
	for _, space := range []string{foreignSpace, c.DefaultNamespace()} {
		if err := b.record(namespaces.WithNamespace(ctx, space)); err != nil {
			return b, err
		}
	}
	return b, nil
}

// run starts a process with the command line of a shim of another containerd.
// It ends with ctx at the latest.
func (b *Bystanders) run(ctx context.Context) error {
	b.process = exec.CommandContext(ctx, "sh", "-c", "read line", "containerd-shim-runc-v2", "-namespace", foreignSpace, "-id", foreignID, "-address", "/run/other/containerd.sock")
	b.process.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Setpgid: true}
	life, err := b.process.StdinPipe()
	if err != nil {
		return err
	}
	b.life = life
	if err := b.process.Start(); err != nil {
		return err
	}
	return b.group.Enter(b.process.Process.Pid)
}

// record makes in a namespace of containerd a lease that holds a blob and a
// snapshot, and a container that nobody labelled.
func (b *Bystanders) record(ctx context.Context) error {
	lease, err := b.client.LeasesService().Create(ctx, leases.WithID(foreignID))
	if err != nil {
		return err
	}
	held := leases.WithLease(ctx, lease.ID)
	text := []byte(foreignText)
	desc := ocispec.Descriptor{Digest: digest.FromBytes(text), Size: int64(len(text))}
	err = content.WriteBlob(held, b.client.ContentStore(), foreignID, bytes.NewReader(text), desc)
	_, errSnapshot := b.client.SnapshotService("overlayfs").Prepare(held, foreignID, "")
	_, errRecord := b.client.ContainerService().Create(ctx, containers.Container{ID: foreignID, Runtime: containers.RuntimeInfo{Name: "none"}})
	return errors.Join(err, errSnapshot, errRecord)
}

// Unharmed returns an error for each bystander that is not what it was.
func (b *Bystanders) Unharmed(ctx context.Context) error {
	var errs []error
	if err := b.process.Process.Signal(syscall.Signal(0)); err != nil {
		errs = append(errs, fmt.Errorf("the process of another: %w", err))
	}
	if in := b.group.Processes(); !in[b.process.Process.Pid] {
		errs = append(errs, errors.New("the process of another has left its control group"))
	}
	if text, err := os.ReadFile(filepath.Join(b.dir, "file")); string(text) != foreignText {
		errs = append(errs, fmt.Errorf("the mount of another holds %q: %w", text, err))
	}
	for _, space := range []string{foreignSpace, b.client.DefaultNamespace()} {
		if err := b.recorded(namespaces.WithNamespace(ctx, space)); err != nil {
			errs = append(errs, fmt.Errorf("in namespace %s: %w", space, err))
		}
	}
	return errors.Join(errs...)
}

// recorded is Unharmed for one namespace of containerd.
func (b *Bystanders) recorded(ctx context.Context) error {
	_, errBlob := b.client.ContentStore().Info(ctx, digest.FromString(foreignText))
	_, errSnapshot := b.client.SnapshotService("overlayfs").Stat(ctx, foreignID)
	_, errRecord := b.client.ContainerService().Get(ctx, foreignID)
	_, errLease := b.client.LeasesService().ListResources(ctx, leases.Lease{ID: foreignID})
	return errors.Join(errBlob, errSnapshot, errRecord, errLease)
}

// Met gives bystanders that stand beside an engine the client of its successor.
func (b *Bystanders) Met(c *client.Client) { b.client = c }

// leaveTime bounds the removal of what is in containerd.
const leaveTime = 10 * time.Second

// Leave removes all of them. Of a half-made set it removes what there is.
func (b *Bystanders) Leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	var errs []error
	if b.process != nil && b.process.Process != nil {
		errs = append(errs, b.life.Close())
		_ = b.process.Wait() // sh ends with 1 where there was no line
	}
	errs = append(errs, b.group.Remove())
	if b.dir != "" {
		_ = unix.Unmount(b.dir, unix.MNT_DETACH) // the removal tells what is wrong
		errs = append(errs, os.RemoveAll(b.dir))
	}
	for _, space := range []string{foreignSpace, b.client.DefaultNamespace()} {
		in := namespaces.WithNamespace(ctx, space)
		errs = append(errs, absent(b.client.ContainerService().Delete(in, foreignID)),
			absent(b.client.LeasesService().Delete(in, leases.Lease{ID: foreignID}, leases.SynchronousDelete)))
	}
	return errors.Join(errs...)
}

// absent takes away the error that what is to be removed is not there.
func absent(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
