package image

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/wr-build/wr/runtime/spec"
)

// cleanupBound bounds clean-up after a cancelled creation.
const cleanupBound = 10 * time.Second

// maxLabel bounds a label's value; containerd allows 4096 bytes with its name.
const maxLabel = 4000

// store writes the image of a base whose file system layer writes. Until its
// record refers to them, a lease keeps the blobs; the layer is not unpacked,
// as BuildKit unpacks a base for itself and nothing else runs it.
func (b *Bases) store(ctx context.Context, base Base, r release, layer func(io.Writer) error) (spec.Image, error) {
	ctx = namespaces.WithNamespace(ctx, Namespace)
	ctx, release, err := b.client.WithLease(ctx, leases.WithRandomID(), leases.WithExpiration(time.Hour))
	if err != nil {
		return spec.Image{}, fmt.Errorf("store base %s: %w", base.Ref, err)
	}
	defer func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupBound)
		defer cancel()
		_ = release(late) // it expires by itself
	}()
	root, err := writeLayer(ctx, b.client.ContentStore(), layer)
	if err != nil {
		return spec.Image{}, err
	}
	manifest, err := writeManifest(ctx, b.client.ContentStore(), root, base, r)
	if err != nil {
		return spec.Image{}, fmt.Errorf("store base %s: %w", base.Ref, err)
	}
	return b.record(ctx, base, manifest)
}

// writeLayer writes the layer as one uncompressed blob.
func writeLayer(ctx context.Context, store content.Store, layer func(io.Writer) error) (ocispec.Descriptor, error) {
	ref := "wr-base-" + rand.Text()
	w, err := content.OpenWriter(ctx, store, content.WithRef(ref))
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("open content store: %w", err)
	}
	counted := &counter{w: w, digester: digest.Canonical.Digester()}
	err = layer(counted)
	if err == nil {
		err = w.Commit(ctx, counted.n, counted.digester.Digest())
	}
	if err != nil && !errdefs.IsAlreadyExists(err) {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupBound)
		defer cancel()
		return ocispec.Descriptor{}, errors.Join(err, w.Close(), store.Abort(late, ref))
	}
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: counted.digester.Digest(), Size: counted.n}, w.Close()
}

// counter counts and hashes what passes.
type counter struct {
	w        io.Writer
	digester digest.Digester
	n        int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.digester.Hash().Write(p[:n])
	return n, err
}

// writeManifest writes the configuration and the manifest of a base.
func writeManifest(ctx context.Context, store content.Store, root ocispec.Descriptor, base Base, r release) (ocispec.Descriptor, error) {
	created := r.epoch
	config, err := writeJSON(ctx, store, ocispec.MediaTypeImageConfig, nil, ocispec.Image{
		Created:  &created,
		Platform: ocispec.Platform{OS: "linux", Architecture: ociArch(base.Arch)},
		Config: ocispec.ImageConfig{
			Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"},
			Cmd: []string{"bash"},
		},
		RootFS:  ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{root.Digest}},
		History: []ocispec.History{{Created: &created, CreatedBy: "wr image base create --suite " + base.Suite + " --include " + strings.Join(base.Include, ",")}},
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return writeJSON(ctx, store, ocispec.MediaTypeImageManifest, map[string]string{
		"containerd.io/gc.ref.content.config": config.Digest.String(),
		"containerd.io/gc.ref.content.l.0":    root.Digest.String(),
	}, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    config,
		Layers:    []ocispec.Descriptor{root},
	})
}

// writeJSON writes a value as a blob.
func writeJSON(ctx context.Context, store content.Store, mediaType string, labels map[string]string, value any) (ocispec.Descriptor, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	return d, content.WriteBlob(ctx, store, "wr-base-"+rand.Text(), bytes.NewReader(data), d, content.WithLabels(labels))
}

// record makes the name refer to the manifest.
func (b *Bases) record(ctx context.Context, base Base, manifest ocispec.Descriptor) (spec.Image, error) {
	name, err := normalise(base.Ref)
	if err != nil {
		return spec.Image{}, err
	}
	include := strings.Join(base.Include, ",")
	image := images.Image{
		Name:   name,
		Target: manifest,
		Labels: map[string]string{LabelBase: "1", LabelSuite: base.Suite, LabelInclude: include[:min(len(include), maxLabel)], LabelTag: base.Tag()},
	}
	stored, err := b.client.ImageService().Create(ctx, image)
	if errdefs.IsAlreadyExists(err) {
		stored, err = b.client.ImageService().Update(ctx, image, "target", "labels")
	}
	if err != nil {
		return spec.Image{}, fmt.Errorf("name base %s: %w", name, err)
	}
	return describe(ctx, b.client, stored)
}
