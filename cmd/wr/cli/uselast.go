package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// lastFlag is --use-last.
type lastFlag struct {
	UseLast bool `help:"If the image of the present inputs is neither here nor in the registry, use the newest one that is here and build none."`
}

// replaceMissing lets each project whose image is neither here nor in the
// registry use its newest one that is here, under a banner.
func (a *app) replaceMissing(ctx context.Context, o *opened, selected []plan.Selected) error {
	for i := range selected {
		s := &selected[i]
		if s.Broken != nil {
			continue
		}
		missing := plan.Builds(o.ws, []plan.Selected{*s}, plan.Options{NoBuild: true, UseLast: true}).Actions[0]
		there, err := a.obtain(ctx, o.engine, missing)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		images, err := o.engine.Images(ctx)
		if err != nil {
			return err
		}
		last, found := newest(images, missing.Build.Ref)
		if !found {
			s.Broken = nothingToUse(missing)
			continue
		}
		s.Ref, s.Wanted, s.ImageKey = last.Ref, missing.Build.Ref, cmp.Or(last.Labels["wr.key"], s.ImageKey)
		fmt.Fprint(a.Err, a.style(a.Err).Warning(banner(s.Path, missing, last)))
	}
	return nil
}

// obtain reports whether the image of action is in the store, or has come
// there from its registry. With --dry-run the registry is not asked.
func (a *app) obtain(ctx context.Context, engine Engine, action plan.Action) (bool, error) {
	if _, there, err := engine.Lookup(ctx, action.Build.Ref); there || err != nil || a.DryRun {
		return there, err
	}
	err := a.ensure(ctx, engine, action)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return err == nil, nil
}

// newest is the newest of images in the repository of ref.
func newest(images []spec.Image, ref string) (last spec.Image, found bool) {
	repository := ref[:strings.LastIndex(ref, ":")+1]
	for _, one := range images {
		if strings.HasPrefix(one.Ref, repository) && (!found || one.Created.After(last.Created)) {
			last, found = one, true
		}
	}
	return last, found
}

// banner says that what runs for project is not what the files say.
func banner(project string, missing plan.Action, last spec.Image) *fault.Error {
	return &fault.Error{
		Code:    "image.not_present_inputs",
		Message: fmt.Sprintf("%s runs in an image of OTHER inputs, made %s", project, strings.Trim(ago(last.Created), "()")),
		Details: "used: " + last.Ref + "\n" + missing.Denied.Details,
		Next:    missing.Denied.Next,
	}
}

// nothingToUse is the fault of a project that has no image at all.
func nothingToUse(missing plan.Action) *fault.Error {
	f := *missing.Denied
	f.Message = "the image of " + missing.Project + " for its present inputs is missing, and there is no other one here"
	return &f
}
