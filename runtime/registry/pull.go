package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

const (
	snapshotter  = "overlayfs"      // of wr's engine
	keepFor      = time.Hour        // how long half of an image waits for another try
	cleanupBound = 10 * time.Second // bounds clean-up after the end of a context
	layersAtOnce = 4
)

// Pull implements spec.Puller.
func (r *Registry) Pull(ctx context.Context, c spec.Copy, progress func(spec.Step)) (spec.Image, bool, error) {
	client, err := r.client()
	if err != nil {
		return spec.Image{}, false, err
	}
	ctx = r.within(ctx)
	there := named{Resolver: r.resolver(nil), remote: c.Remote, local: c.Local}
	found, err := again(ctx, progress, func() (bool, error) { return exists(ctx, there.Resolver, c.Remote) })
	if err != nil || !found {
		return spec.Image{}, false, r.fault(ctx, "pull", c.Remote, err)
	}
	ctx, done, err := lease(ctx, client, c.Remote)
	if err != nil {
		return spec.Image{}, false, err
	}
	options := []containerd.RemoteOpt{
		containerd.WithResolver(there), containerd.WithPullLabels(c.Labels),
		containerd.WithImageHandler(tell(progress, "pull")), containerd.WithMaxConcurrentDownloads(layersAtOnce),
	}
	if !c.Packed {
		options = append(options, containerd.WithPullUnpack, containerd.WithPullSnapshotter(snapshotter))
	}
	pulled, err := again(ctx, progress, func() (containerd.Image, error) { return client.Pull(ctx, c.Local, options...) })
	if fault.Disk(err, "") != nil {
		done(leases.SynchronousDelete) // half of an image must not keep the disk full
	}
	if err != nil {
		return spec.Image{}, false, r.fault(ctx, "pull", c.Remote, err)
	}
	done()
	size, err := pulled.Size(ctx)
	if err != nil {
		return spec.Image{}, false, fmt.Errorf("size of image %s: %w", c.Local, err)
	}
	record := pulled.Metadata()
	return spec.Image{
		Ref: record.Name, Digest: record.Target.Digest.String(), Size: size, Created: record.CreatedAt, Labels: record.Labels,
	}, true, nil
}

// Resolve implements spec.Resolver.
func (r *Registry) Resolve(ctx context.Context, ref string) (digest string, found bool, err error) {
	ctx = r.within(ctx)
	digest, err = again(ctx, nil, func() (string, error) { return r.digest(ctx, ref) })
	return digest, digest != "", r.fault(ctx, "resolve", ref, err)
}

// exists reports whether the registry has ref.
func exists(ctx context.Context, resolver remotes.Resolver, ref string) (bool, error) {
	_, _, err := resolver.Resolve(ctx, ref)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// named resolves one image under the name that it gets in the local store.
type named struct {
	remotes.Resolver
	remote, local string
}

// Resolve implements remotes.Resolver.
func (n named) Resolve(ctx context.Context, _ string) (string, ocispec.Descriptor, error) {
	_, descriptor, err := n.Resolver.Resolve(ctx, n.remote)
	return n.local, descriptor, err
}

// Fetcher implements remotes.Resolver.
func (n named) Fetcher(ctx context.Context, _ string) (remotes.Fetcher, error) {
	return n.Resolver.Fetcher(ctx, n.remote)
}

// lease keeps what is fetched of ref. Its name is ref's, and only done ends it:
// after a failure the next pull of ref finds the layers, and half of a layer,
// until the lease expires.
func lease(ctx context.Context, client *containerd.Client, ref string) (_ context.Context, done func(...leases.DeleteOpt), err error) {
	sum := sha256.Sum256([]byte(ref))
	service := client.LeasesService()
	l := leases.Lease{ID: "wr-pull-" + hex.EncodeToString(sum[:16])}
	_, err = service.Create(ctx, leases.WithID(l.ID), leases.WithExpiration(keepFor))
	if err != nil && !errdefs.IsAlreadyExists(err) {
		return ctx, nil, fmt.Errorf("pull %s: %w", ref, err)
	}
	return leases.WithLease(ctx, l.ID), func(how ...leases.DeleteOpt) {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupBound)
		defer cancel()
		_ = service.Delete(late, l, how...) // it expires by itself
	}, nil
}

// tell reports each layer that is copied.
func tell(progress func(spec.Step), what string) images.Handler {
	return images.HandlerFunc(func(_ context.Context, d ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		if progress != nil && images.IsLayerType(d.MediaType) {
			name := fmt.Sprintf("%s layer %.12s (%.1f MB)", what, d.Digest.Encoded(), float64(d.Size)/1e6)
			progress(spec.Step{ID: d.Digest.Encoded(), Name: name})
		}
		return nil, nil
	})
}
