// Package spectest has fakes of the interfaces in spec, so that everything
// above them is tested without an engine. They record how they are called, do
// what the test scripts, and are safe for concurrent use.
package spectest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/wr-build/wr/runtime/spec"
)

// Builder is a fake spec.Builder with a store. The zero value has no images
// and every build succeeds.
type Builder struct {
	// OnBuild does a build: it may report progress and fail. nil makes the
	// image at once. It is called from the goroutine of the build.
	OnBuild func(ctx context.Context, b spec.Build, progress func(spec.Step)) error
	// OnLookup fails lookups when it returns an error; nil never does.
	OnLookup func(ref string) error

	mu     sync.Mutex // guards the rest
	store  map[string]spec.Image
	builds []spec.Build
	gauge  gauge
}

var _ spec.Builder = (*Builder)(nil)

// Add puts an image into the store; what it does not say is made up from Ref.
func (b *Builder) Add(image spec.Image) spec.Image {
	if image.Digest == "" {
		image.Digest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(image.Ref)))
	}
	if image.Created.IsZero() {
		image.Created = time.Unix(0, 0).UTC()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.store == nil {
		b.store = make(map[string]spec.Image)
	}
	b.store[image.Ref] = image
	return image
}

// Lookup implements spec.Images.
func (b *Builder) Lookup(ctx context.Context, ref string) (spec.Image, bool, error) {
	if err := context.Cause(ctx); err != nil {
		return spec.Image{}, false, err
	}
	if b.OnLookup != nil {
		if err := b.OnLookup(ref); err != nil {
			return spec.Image{}, false, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	image, ok := b.store[ref]
	return image, ok, nil
}

// Build implements spec.Builder.
func (b *Builder) Build(ctx context.Context, build spec.Build, progress func(spec.Step)) (spec.Image, error) {
	b.enter(build)
	defer b.leave()
	if progress == nil {
		progress = func(spec.Step) {}
	}
	if err := context.Cause(ctx); err != nil {
		return spec.Image{}, err
	}
	if b.OnBuild != nil {
		if err := b.OnBuild(ctx, build, progress); err != nil {
			return spec.Image{}, err
		}
	}
	return b.Add(spec.Image{Ref: build.Ref, Labels: build.Labels}), nil
}

// Builds returns the builds asked for, in the order in which they began.
func (b *Builder) Builds() []spec.Build {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.builds)
}

// Refs returns the references in the store, sorted.
func (b *Builder) Refs() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.store))
}

// Peak returns how many builds went on at once, at most.
func (b *Builder) Peak() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gauge.peak
}

func (b *Builder) enter(build spec.Build) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.builds = append(b.builds, build)
	b.gauge.up()
}

func (b *Builder) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gauge.down()
}

// gauge counts what goes on.
type gauge struct{ now, peak int }

func (g *gauge) up() {
	g.now++
	g.peak = max(g.peak, g.now)
}

func (g *gauge) down() { g.now-- }
