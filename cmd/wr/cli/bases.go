package cli

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/image"
)

// makeBases makes the bases that wr.toml declares, that projects build upon and
// that are not there yet. A project that cannot be read is left to whoever uses
// it; a base that cannot be made fails the builds that need it, by name.
func (a *app) makeBases(ctx context.Context, o *opened) error {
	if a.Connect != nil || len(o.ws.Config.Bases) == 0 {
		return nil
	}
	mine, err := a.personal(ctx, o.ws)
	if err != nil {
		return err
	}
	missing, err := missingBases(ctx, o.ws, o.sources)
	if err != nil || len(missing) == 0 {
		return err
	}
	bases, err := a.bases(ctx)
	if err != nil {
		return err
	}
	defer bases.Close()
	for i, base := range missing {
		missing[i].Mirror = cmp.Or(mine.Mirrors[base.Suite], base.Mirror)
	}
	_, err = a.createBases(ctx, bases, missing, a.Err)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		a.report(err) // the projects on other bases go on
	}
	return nil
}

// selectMaking is selectAll after makeBases.
func (a *app) selectMaking(ctx context.Context, o *opened) ([]plan.Selected, error) {
	if err := a.makeBases(ctx, o); err != nil {
		return nil, err
	}
	return a.selectAll(ctx, o)
}

// missingBases lists the declared bases of projects that the store has not.
func missingBases(ctx context.Context, ws *workspace.Workspace, from *sources) ([]image.Base, error) {
	var missing []image.Base
	needed := from.needed()
	for _, name := range slices.Sorted(maps.Keys(ws.Config.Bases)) {
		ref, err := image.FullName(name)
		if err != nil || !needed[ref] {
			continue
		}
		digest, err := from.base(ctx, ref)
		if err != nil {
			return nil, err
		}
		if digest == "" {
			missing = append(missing, declaredBase(name, ws.Config.Bases[name]))
		}
	}
	return missing, nil
}

// declaredBase is the base that wr.toml describes under name.
func declaredBase(name string, b config.Base) image.Base {
	return image.Base{Ref: name, Suite: b.Suite, Include: b.Include, Mirror: b.Mirror}
}
