package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// imagePullCmd is `wr image pull [PROJECT...]`.
type imagePullCmd struct {
	Projects  []string `arg:"" predictor:"container" optional:"" name:"project" help:"Projects, and entries of [images]; default: the nearest project above."`
	Recursive bool     `short:"r" help:"Also all projects below, and with the root what is in [images]."`
}

// Help is the long form.
func (imagePullCmd) Help() string {
	return "An image is found under the key of its inputs, so this brings what the present files say and nothing else. Commands that need an image pull it by themselves. What ref in wr.toml names is fetched again, as its tag may have moved."
}

// Prepare finds out what is to be pulled.
func (c *imagePullCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	return a.transfer(ctx, c.Projects, c.Recursive, "pull", func(engine Engine, t *transferred) error {
		if _, there, err := engine.Lookup(ctx, t.Image); err != nil || there && t.Image != t.Remote {
			t.Status = "there"
			return err
		}
		labels := map[string]string{"wr.project": t.Project, "wr.key": t.key}
		i, found, err := engine.Pull(ctx, spec.Copy{Local: t.Image, Remote: t.Remote, Labels: labels}, a.steps(t.Project))
		if err == nil && !found {
			err = &fault.Error{
				Code: "image.not_in_registry", Message: "the registry has no image of " + t.Project + " for its present inputs",
				Details: "missing: " + t.Remote, Next: "wr build " + t.Project,
			}
		}
		t.Digest, t.Status = i.Digest, "pulled"
		return err
	})
}

// imagePushCmd is `wr image push [PROJECT...]`.
type imagePushCmd struct {
	Projects  []string `arg:"" predictor:"container" optional:"" name:"project" help:"Projects, and entries of [images]; default: the nearest project above."`
	Recursive bool     `short:"r" help:"Also all projects below, and with the root what is in [images]."`
}

// Help is the long form.
func (imagePushCmd) Help() string {
	return "Images go to [workspace] registry as REGISTRY/PROJECT:in-KEY, by the key of their inputs. Such a tag is written once: if it is taken, by this image or by another build of the same inputs, nothing is pushed. The bases of wr.toml that they stand on go first, as REGISTRY/BASE:in-HASH, by the hash of what wr.toml says of them. Who may write is the registry's to say: docker login, or a credential helper of docker's config.json."
}

// Prepare finds out what is to be pushed.
func (c *imagePushCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	return a.transfer(ctx, c.Projects, c.Recursive, "push", func(engine Engine, t *transferred) error {
		if t.Base != "" {
			return pushBase(ctx, engine, t, a.steps(t.Base))
		}
		if t.Image == t.Remote {
			t.Status = "there" // a finished image is not this workspace's to publish
			return nil
		}
		local, there, err := engine.Lookup(ctx, t.Image)
		if err == nil && !there {
			err = &fault.Error{
				Code: "image.missing", Message: "there is no image of " + t.Project + " for its present inputs", Details: "missing: " + t.Image, Next: "wr build " + t.Project,
			}
		}
		if err != nil {
			return err
		}
		pushed, err := engine.Push(ctx, spec.Copy{Local: t.Image, Remote: t.Remote}, a.steps(t.Project))
		t.Digest, t.Status = pushed.Digest, "pushed"
		switch {
		case pushed.There && pushed.Digest != local.Digest:
			t.Status = "taken by another build of the same inputs"
		case pushed.There:
			t.Status = "there"
		}
		return err
	})
}

// transferred is one line of `wr image pull|push --json`.
type transferred struct {
	Project string       `json:"project,omitempty"`
	Base    string       `json:"base,omitempty"`   // in place of a project: a base that images stand on
	Image   string       `json:"image,omitempty"`  // in the local store
	Remote  string       `json:"remote,omitempty"` // in the registry
	Status  string       `json:"status,omitempty"` // pulled, pushed, there, or whom it is taken by
	Digest  string       `json:"digest,omitempty"` // of what the registry has
	Fault   *fault.Error `json:"fault,omitempty"`

	key   string   // of the inputs
	on    []string // bases that it stands on
	ref   string   // of a base: what FROM calls it, in full
	named string   // of a base: its digest
}

// what is the project or base.
func (t *transferred) what() string { return cmp.Or(t.Project, t.Base) }

// transfer is the deed of copying the images of projects to or from the
// registry. One that fails stops no other.
func (a *app) transfer(ctx context.Context, names []string, recursive bool, verb string, copying func(Engine, *transferred) error) (deed, error) {
	o, err := a.open(ctx, names, recursive)
	if err != nil {
		return deed{}, err
	}
	each := func(do func(*transferred)) func([]plan.Selected) error {
		return func(selected []plan.Selected) error {
			all := transfers(o, selected)
			if verb == "push" {
				all = append(baseTransfers(o, selected), all...)
			}
			if err := transferAll(ctx, all, do); err != nil {
				return err
			}
			return a.printTransfers(all)
		}
	}
	return a.deedOn(ctx, o,
		each(func(t *transferred) { t.Status = "would " + verb }),
		each(func(t *transferred) {
			if err := copying(o.engine, t); err != nil {
				t.Status, t.Fault = "", fault.Of(err)
			}
		}),
	), nil
}

// transferAll does each after those it stands on.
func transferAll(ctx context.Context, all []transferred, do func(*transferred)) error {
	for i := range all {
		if all[i].Fault == nil {
			all[i].Fault = standsOnNothing(all[i], all[:i])
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if all[i].Fault == nil {
			do(&all[i])
		}
	}
	return nil
}

// transfers says what of each project is where.
func transfers(o *opened, selected []plan.Selected) []transferred {
	var all []transferred
	for _, action := range plan.Builds(o.ws, selected, plan.Options{}).Actions {
		t := transferred{Project: action.Project, Fault: action.Fault, Remote: action.Remote, key: action.Key}
		if action.Build != nil {
			t.Image, t.on = action.Build.Ref, slices.Collect(maps.Keys(action.Build.Bases))
		}
		if t.Fault == nil && t.Remote == "" {
			t.Fault = &fault.Error{
				Code: "registry.none", Class: fault.Usage, Message: "the workspace names no registry", File: "wr.toml",
				Next: "[workspace] registry = \"ghcr.io/acme\" in the root wr.toml",
			}
		}
		all = append(all, t)
	}
	return all
}

// printTransfers says what came of each.
func (a *app) printTransfers(all []transferred) error {
	var failed []error
	for _, t := range all {
		switch {
		case t.Fault != nil:
			failed = append(failed, t.Fault)
		case !a.JSON:
			fmt.Fprintf(a.Out, "%s  %s  %s\n", t.what(), t.Status, t.Remote)
		}
	}
	if a.JSON {
		return firstError(a.printJSON(orEmpty(all)), exitOn(failed))
	}
	for _, f := range failed {
		a.report(f)
	}
	return exitOn(failed)
}

// steps tells of the progress of a transfer on stderr.
func (a *app) steps(project string) func(spec.Step) {
	return func(s spec.Step) {
		if !a.Quiet {
			fmt.Fprintf(a.Err, "%s  %s\n", project, s.Name)
		}
	}
}
