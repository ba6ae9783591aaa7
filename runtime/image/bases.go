package image

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Labels of a base's record in the store.
const (
	LabelBase    = "wr.base"         // "1"
	LabelSuite   = "wr.base.suite"   // release of the distribution
	LabelInclude = "wr.base.include" // packages, comma-separated
	LabelTag     = "wr.base.tag"     // see Base.Tag
)

// Base says how a base image is made from a distribution's packages.
type Base struct {
	Ref     string   // what FROM calls it: acme/python
	Suite   string   // release: bookworm
	Include []string // packages beside the smallest system that has apt
	Mirror  string   // URL that replaces this machine's own sources of packages
	Via     string   // URL that replaces Mirror here: where packages come from, not which
	Arch    string   // Debian's name of an architecture; "" = this machine's
}

// BaseImage is a base in the local store.
type BaseImage struct {
	Name    string    `json:"name"`    // as FROM calls it: acme/python
	Ref     string    `json:"ref"`     // in full: docker.io/acme/python:latest
	Suite   string    `json:"suite"`   //
	Include []string  `json:"include"` //
	Tag     string    `json:"tag"`     // of what it was made from: Base.Tag
	Digest  string    `json:"digest"`  // sha256:... of the manifest
	Size    int64     `json:"size"`    // bytes in the content store
	Created time.Time `json:"created"` // on this machine
}

// Bases are the base images in the engine's store. It is safe for concurrent use.
type Bases struct {
	// Scratch is where the files of a base lie while it is made; "" = the
	// system's place for temporary files. It must allow devices and programs.
	Scratch string

	client *containerd.Client
}

// OpenBases opens the store behind containerd's socket.
func OpenBases(socket string) (*Bases, error) {
	c, err := openStore(socket)
	if err != nil {
		return nil, err
	}
	return &Bases{client: c}, nil
}

// Close closes the connection.
func (b *Bases) Close() error { return b.client.Close() }

// List returns all bases, sorted by name.
func (b *Bases) List(ctx context.Context) ([]BaseImage, error) { return listBases(ctx, b.client) }

// Remove removes a base and frees its space. Images built from it stay.
func (b *Bases) Remove(ctx context.Context, ref string) error {
	name, err := normalise(ref)
	if err != nil {
		return err
	}
	bases, err := b.List(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(bases, func(i BaseImage) bool { return i.Ref == name })
	if i < 0 {
		return unknownBase(ref, bases)
	}
	err = b.client.ImageService().Delete(namespaces.WithNamespace(ctx, Namespace), name, images.SynchronousDelete())
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove base %s: %w", name, err)
	}
	return nil
}

// unknownBase says which bases there are.
func unknownBase(ref string, bases []BaseImage) error {
	var names []string
	for _, b := range bases {
		names = append(names, b.Name)
	}
	return &fault.Error{
		Code:    "base.unknown",
		Class:   fault.Usage,
		Message: fmt.Sprintf("there is no base image %s", familiar(ref)),
		Hint:    fault.Closest(familiar(ref), names),
		Next:    "wr image base ls",
	}
}

// listBases reads the records that wr made for bases.
func listBases(ctx context.Context, c *containerd.Client) ([]BaseImage, error) {
	ctx = namespaces.WithNamespace(ctx, Namespace)
	records, err := c.ImageService().List(ctx, fmt.Sprintf("labels.%q==1", LabelBase))
	if err != nil {
		return nil, fmt.Errorf("list base images: %w", err)
	}
	bases := make([]BaseImage, 0, len(records))
	for _, r := range records {
		image, err := describe(ctx, c, r)
		if err != nil {
			return nil, err
		}
		bases = append(bases, BaseImage{
			Name: familiar(r.Name), Ref: r.Name, Digest: image.Digest, Size: image.Size, Created: r.UpdatedAt,
			Suite: r.Labels[LabelSuite], Include: splitList(r.Labels[LabelInclude]), Tag: r.Labels[LabelTag],
		})
	}
	slices.SortFunc(bases, func(a, b BaseImage) int { return cmp.Compare(a.Name, b.Name) })
	return bases, nil
}

// splitList splits a comma-separated list that may be empty.
func splitList(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
