package image

import (
	"context"
	"errors"
	"fmt"
	"sync"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	buildkit "github.com/moby/buildkit/client"

	"github.com/wr-build/wr/runtime/spec"
)

// Config says where the engine listens.
type Config struct {
	BuildkitSocket   string // absolute path
	ContainerdSocket string // absolute path
	State            string // the engine's directory on disk, for messages about it
	// DockerConfig is the directory of a docker config.json whose credentials
	// and helpers are lent to the engine for pulls; "" = none are.
	DockerConfig string
}

// Builder makes images in the engine's store. It connects on first use. It is
// safe for concurrent use and implements spec.Builder.
type Builder struct {
	config     Config
	buildkit   func() (*buildkit.Client, error)
	containerd func() (*containerd.Client, error)

	mu      sync.Mutex // guards closers
	closers []func() error
}

var _ spec.Builder = (*Builder)(nil)

// NewBuilder returns a builder for an engine that is running.
func NewBuilder(c Config) *Builder {
	b := &Builder{config: c}
	b.buildkit = sync.OnceValues(b.dialBuildkit)
	b.containerd = sync.OnceValues(b.dialContainerd)
	return b
}

// Close closes the connections. It may be called at any time and again.
func (b *Builder) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, c := range b.closers {
		errs = append(errs, c())
	}
	b.closers = nil
	return errors.Join(errs...)
}

// dialBuildkit connects to BuildKit. The connection is made on its first call.
func (b *Builder) dialBuildkit() (*buildkit.Client, error) {
	//nolint:forbidigo // the context only bounds the dialing of docker-container addresses
	c, err := buildkit.New(context.TODO(), "unix://"+b.config.BuildkitSocket)
	if err != nil {
		return nil, fmt.Errorf("connect to BuildKit at %s: %w", b.config.BuildkitSocket, err)
	}
	b.onClose(c.Close)
	return c, nil
}

// dialContainerd connects to containerd. The connection is made on its first call.
func (b *Builder) dialContainerd() (*containerd.Client, error) {
	c, err := openStore(b.config.ContainerdSocket)
	if err != nil {
		return nil, err
	}
	b.onClose(c.Close)
	return c, nil
}

// onClose adds what Close does.
func (b *Builder) onClose(f func() error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closers = append(b.closers, f)
}

// Lookup implements spec.Images.
func (b *Builder) Lookup(ctx context.Context, ref string) (spec.Image, bool, error) {
	c, err := b.containerd()
	if err != nil {
		return spec.Image{}, false, err
	}
	return lookup(namespaces.WithNamespace(ctx, Namespace), c, ref)
}

// Keep gives an image of the local store another name, under which it stays
// when the first one is given to another image.
func (b *Builder) Keep(ctx context.Context, ref, as string, labels map[string]string) error {
	c, err := b.containerd()
	if err != nil {
		return err
	}
	ctx = namespaces.WithNamespace(ctx, Namespace)
	name, err := normalise(ref)
	if err != nil {
		return err
	}
	record, err := c.ImageService().Get(ctx, name)
	if err == nil {
		_, err = c.ImageService().Create(ctx, images.Image{Name: as, Target: record.Target, Labels: labels})
	}
	if err != nil && !errdefs.IsAlreadyExists(err) {
		return fmt.Errorf("keep image %s as %s: %w", name, as, err)
	}
	return nil
}

// Forget removes an image from the local store and frees its space. What runs
// from it goes on.
func (b *Builder) Forget(ctx context.Context, ref string) error {
	c, err := b.containerd()
	if err != nil {
		return err
	}
	err = c.ImageService().Delete(namespaces.WithNamespace(ctx, Namespace), ref, images.SynchronousDelete())
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove image %s: %w", ref, err)
	}
	return nil
}
