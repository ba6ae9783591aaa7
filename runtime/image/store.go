package image

import (
	"context"
	"fmt"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/distribution/reference"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Namespace is the containerd namespace of everything that wr makes.
const Namespace = "wr"

// dialTimeout bounds connecting to a local socket.
const dialTimeout = 10 * time.Second

// openStore prepares a client of containerd; it connects on first use.
func openStore(socket string) (*containerd.Client, error) {
	c, err := containerd.New(socket, containerd.WithDefaultNamespace(Namespace), containerd.WithTimeout(dialTimeout))
	if err != nil {
		return nil, &fault.Error{
			Code:    "engine.unreachable",
			Message: fmt.Sprintf("containerd cannot be reached at %s: %v", socket, err),
			Next:    "wr engine status",
			Err:     err,
		}
	}
	return c, nil
}

// lookup finds an image by a reference of any form.
func lookup(ctx context.Context, c *containerd.Client, ref string) (spec.Image, bool, error) {
	name, err := normalise(ref)
	if err != nil {
		return spec.Image{}, false, err
	}
	record, err := c.ImageService().Get(ctx, name)
	if errdefs.IsNotFound(err) {
		return spec.Image{}, false, nil
	}
	if err != nil {
		return spec.Image{}, false, fmt.Errorf("look up image %s: %w", name, err)
	}
	image, err := describe(ctx, c, record)
	return image, err == nil, err
}

// describe is what the store knows of an image.
func describe(ctx context.Context, c *containerd.Client, record images.Image) (spec.Image, error) {
	size, err := containerd.NewImage(c, record).Size(ctx)
	if err != nil {
		return spec.Image{}, fmt.Errorf("size of image %s: %w", record.Name, err)
	}
	return spec.Image{
		Ref:     record.Name,
		Digest:  record.Target.Digest.String(),
		Size:    size,
		Created: record.CreatedAt,
		Labels:  record.Labels,
	}, nil
}

// FullName completes a reference as a Dockerfile's FROM does, so that two names
// of one image can be seen to be the same.
func FullName(ref string) (string, error) { return normalise(ref) }

// normalise completes a reference: acme/python is docker.io/acme/python:latest.
func normalise(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", &fault.Error{
			Code:    "image.invalid_reference",
			Class:   fault.Usage,
			Message: fmt.Sprintf("%q is not an image reference: %v", ref, err),
			Next:    "use a name such as acme/python or acme/python:3.11",
			Err:     err,
		}
	}
	return reference.TagNameOnly(named).String(), nil
}

// familiar is the short form of a reference for messages.
func familiar(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	if tagged, ok := named.(reference.Tagged); ok && tagged.Tag() == "latest" {
		named = reference.TrimNamed(named)
	}
	return reference.FamiliarString(named)
}
