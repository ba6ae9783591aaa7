package daemon

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"

	"github.com/wr-build/wr/runtime/spec"
)

// lookup returns the image that ref names, or none.
func lookup(ctx context.Context, c *client.Client, ref string) ([]spec.Image, error) {
	record, err := c.ImageService().Get(ctx, ref)
	if errdefs.IsNotFound(err) {
		return []spec.Image{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up image %s: %w", ref, err)
	}
	return []spec.Image{toImage(ctx, c, record)}, nil
}

// listImages returns all images, sorted by reference.
func listImages(ctx context.Context, c *client.Client) ([]spec.Image, error) {
	records, err := c.ImageService().List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	out := make([]spec.Image, len(records))
	for i, r := range records {
		out[i] = toImage(ctx, c, r)
	}
	slices.SortFunc(out, func(a, b spec.Image) int { return cmp.Compare(a.Ref, b.Ref) })
	return out, nil
}

// toImage describes a record. An image whose content is incomplete has size 0.
func toImage(ctx context.Context, c *client.Client, record images.Image) spec.Image {
	size, err := record.Size(ctx, c.ContentStore(), platforms.Default())
	if err != nil {
		size = 0
	}
	return spec.Image{
		Ref: record.Name, Digest: record.Target.Digest.String(), Size: size,
		Created: record.CreatedAt, Labels: record.Labels,
	}
}
