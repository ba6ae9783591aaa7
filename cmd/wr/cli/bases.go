package cli

import (
	"context"
	"maps"
	"slices"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
)

// makeBases makes the bases that wr.toml declares, that projects build upon and
// that are not there yet. A project that cannot be read is left to whoever uses
// it; a base that cannot be made fails the builds that need it, by name.
func (a *app) makeBases(ctx context.Context, engine Engine, ws *workspace.Workspace, projects []workspace.Project) error {
	if a.DryRun || a.Connect != nil || len(ws.Config.Bases) == 0 {
		return nil
	}
	missing, err := missingBases(ctx, engine, ws, projects)
	if err != nil || len(missing) == 0 {
		return err
	}
	bases, err := a.bases(ctx)
	if err != nil {
		return err
	}
	defer bases.Close()
	_, err = a.createBases(ctx, bases, missing, a.Err)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		a.report(err) // the projects on other bases go on
	}
	return nil
}

// missingBases lists the declared bases of projects that the store has not.
func missingBases(ctx context.Context, images spec.Images, ws *workspace.Workspace, projects []workspace.Project) ([]image.Base, error) {
	var missing []image.Base
	needed := neededBases(projects)
	for _, name := range slices.Sorted(maps.Keys(ws.Config.Bases)) {
		ref, err := image.FullName(name)
		if err != nil || !needed[ref] {
			continue
		}
		_, there, err := images.Lookup(ctx, ref)
		if err != nil {
			return nil, err
		}
		if !there {
			missing = append(missing, declaredBase(name, ws.Config.Bases[name]))
		}
	}
	return missing, nil
}

// declaredBase is the base that wr.toml describes under name.
func declaredBase(name string, b config.Base) image.Base {
	return image.Base{Ref: name, Suite: b.Suite, Include: b.Include, Mirror: b.Mirror}
}

// neededBases holds the full names of all images that projects build upon.
func neededBases(projects []workspace.Project) map[string]bool {
	needed := map[string]bool{}
	for _, p := range projects {
		if p.Fault != nil {
			continue
		}
		s, err := readSource(p)
		if err != nil {
			continue
		}
		for _, ref := range s.recipe.Bases {
			needed[ref] = true
		}
	}
	return needed
}
