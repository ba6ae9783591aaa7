package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// baseTransfers are the declared bases that the images of projects stand on,
// each once.
func baseTransfers(o *opened, selected []plan.Selected) []transferred {
	stands := map[string]string{}
	for _, s := range selected {
		maps.Copy(stands, s.Bases)
	}
	var all []transferred
	for _, ref := range slices.Sorted(maps.Keys(stands)) {
		d, ok := o.sources.declared[ref]
		if !ok {
			continue // an image of another registry stays there
		}
		name, digest, _ := strings.Cut(stands[ref], "@")
		all = append(all, transferred{Base: d.name, Image: name, Remote: d.remote + ":" + d.base.Tag(), ref: ref, named: digest})
	}
	return all
}

// pushBase publishes a base under the hash of its declaration. That tag stays
// with the base that came first; a later one, of newer packages, gets its own
// digest after it, so that registries keep what wr.lock pins.
func pushBase(ctx context.Context, engine Engine, t *transferred, progress func(spec.Step)) error {
	t.Digest, t.Status = t.named, "there"
	if there, err := keepBase(ctx, engine, t.ref, t.Image, t.named); err != nil || !there {
		return firstError(err, published(ctx, engine, t))
	}
	pushed, err := engine.Push(ctx, spec.Copy{Local: t.Image, Remote: t.Remote}, progress)
	if err == nil && pushed.Digest != t.named {
		t.Remote += "-" + strings.TrimPrefix(t.named, "sha256:")[:12]
		pushed, err = engine.Push(ctx, spec.Copy{Local: t.Image, Remote: t.Remote}, progress)
	}
	if !pushed.There {
		t.Status = "pushed"
	}
	return err
}

// published returns nil if the registry has a base that this machine has not.
func published(ctx context.Context, engine Engine, t *transferred) error {
	repository := t.Remote[:strings.LastIndex(t.Remote, ":")]
	_, found, err := engine.Resolve(ctx, repository+"@"+t.named)
	if err != nil || found {
		return err
	}
	return &fault.Error{
		Code: "base.pin_missing", Message: fmt.Sprintf("the base %s is neither here nor in the registry as it is pinned", t.Base),
		Details: "missing: " + repository + "@" + t.named, Next: "push it from where it was made, or pin a new one with `wr build --update`",
	}
}

// standsOnNothing is the fault of an image one of whose bases could not be
// pushed: others could use the image, but not build the next one.
func standsOnNothing(t transferred, before []transferred) *fault.Error {
	for _, b := range before {
		if b.Base != "" && b.Fault != nil && slices.Contains(t.on, b.ref) {
			return &fault.Error{Code: "image.base_not_pushed", Message: t.Project + " was not pushed, as its base " + b.Base + " could not be", Next: b.Fault.Next}
		}
	}
	return nil
}
