package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/wr-build/wr/host/lock"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// basing is an engine that has the pinned bases of an image at hand before it
// builds it. Whoever finds the image in the registry needs none of them.
type basing struct {
	Engine
	app      *app
	ws       *workspace.Workspace
	declared map[string]declared

	mu sync.Mutex // guards the bases: one is brought once
}

// Build implements spec.Builder.
func (e *basing) Build(ctx context.Context, b spec.Build, progress func(spec.Step)) (spec.Image, error) {
	for _, ref := range slices.Sorted(maps.Keys(e.declared)) {
		if stands, ok := b.Bases[ref]; ok {
			if err := e.bring(ctx, ref, stands, progress); err != nil {
				return spec.Image{}, err
			}
		}
	}
	return e.Engine.Build(ctx, b, progress)
}

// bring puts a declared base into the store as what it stands for: NAME@DIGEST.
func (e *basing) bring(ctx context.Context, ref, stands string, progress func(spec.Step)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	name, digest, _ := strings.Cut(stands, "@")
	there, err := keepBase(ctx, e.Engine, ref, name, digest)
	if there || err != nil {
		return err
	}
	d := e.declared[ref]
	_, found, asked := e.Pull(ctx, spec.Copy{Local: name, Remote: d.remote + "@" + digest, Labels: baseLabels(digest), Packed: true}, progress)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case found:
		return nil
	}
	made := ""
	if asked == nil && e.app.Connect == nil && e.app.mayBuild(e.ws) {
		if made, err = e.make(ctx, d, progress); err != nil {
			return err
		}
		if made == digest {
			return e.Keep(ctx, ref, name, baseLabels(digest))
		}
	}
	return pinMissing(d, digest, made, asked)
}

// make makes a base anew and returns its digest.
func (e *basing) make(ctx context.Context, d declared, progress func(spec.Step)) (string, error) {
	mine, err := e.app.personal(ctx, e.ws)
	if err != nil {
		return "", err
	}
	bases, err := e.app.bases(ctx)
	if err != nil {
		return "", err
	}
	defer bases.Close()
	d.base.Via = via("", mine.Mirrors, d.base)
	made, err := bases.Create(ctx, d.base, func(line string) { progress(spec.Step{ID: d.name, Name: d.name + "  " + line}) })
	return made.Digest, err
}

// keepBase reports whether the store has a base as name, which implies its
// digest. What ref still names is kept under name.
func keepBase(ctx context.Context, engine Engine, ref, name, digest string) (bool, error) {
	if _, there, err := engine.Lookup(ctx, name); there || err != nil {
		return there, err
	}
	last, there, err := engine.Lookup(ctx, ref)
	if err != nil || !there || last.Digest != digest {
		return false, err
	}
	return true, engine.Keep(ctx, ref, name, baseLabels(digest))
}

// baseLabels let wr gc remove a base when it is no longer pinned or used.
func baseLabels(digest string) map[string]string {
	return map[string]string{"wr.key": digest}
}

// pinMissing is the fault of a pinned base that is nowhere to be had. made is
// the digest that it got when it was made anew, asked what the registry said.
func pinMissing(d declared, digest, made string, asked error) error {
	f := &fault.Error{
		Code: "base.pin_missing", File: lock.Name, Err: asked,
		Message: fmt.Sprintf("the base %s is neither here nor in the registry as it is pinned", d.name),
		Details: "missing: " + d.remote + "@" + digest,
		Next:    "have whoever pinned it run `wr image push`, or pin a new one with `wr build --update`",
	}
	if made != "" {
		f.Details += "\nmade anew: " + made + ", as its packages have changed since"
	}
	if asked != nil {
		f.Details += "\n" + asked.Error()
	}
	return f
}
