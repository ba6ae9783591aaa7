package cli

import (
	"context"
	"os"
	"slices"

	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/suite"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// parts is in which containers the tests of the chosen projects run, by path.
type parts struct {
	of     map[string][]place.Part
	faults map[string]*fault.Error // why that cannot be told
}

// placeTests reads the tests of the chosen projects, and adds to the choice
// those whose containers they need.
func placeTests(ctx context.Context, ws *workspace.Workspace, c *choice, args []string) (parts, error) {
	out := parts{of: map[string][]place.Part{}, faults: map[string]*fault.Error{}}
	root, err := os.OpenRoot(ws.Root)
	if err != nil {
		return out, err
	}
	defer root.Close()
	for _, p := range c.projects {
		if p.Fault != nil || p.Config.Test.None != "" {
			continue
		}
		found, err := place.Of(ctx, ws, root.FS(), p, place.Asked{
			Paths: c.paths[p.Path], More: len(args)+len(p.Config.Test.Args) > 0,
		})
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		if err != nil {
			out.faults[p.Path] = fault.Of(err)
			continue
		}
		out.of[p.Path] = found
		for _, part := range found {
			c.addLender(part.Lender)
		}
	}
	return out, nil
}

// addLender adds a project whose container is needed, once.
func (c *choice) addLender(p workspace.Project) {
	if !slices.ContainsFunc(c.involved(), func(other workspace.Project) bool { return other.Path == p.Path }) {
		c.lenders = append(c.lenders, p)
	}
}

// complete adds to the first n, which are to be tested, and returns all by path.
func (p parts) complete(selected []plan.Selected, n int, ws *workspace.Workspace) map[string]plan.Selected {
	all := map[string]plan.Selected{}
	for i := range selected {
		if i < n {
			p.add(&selected[i], ws)
		}
		all[selected[i].Path] = selected[i]
	}
	return all
}

// add completes what is known of a project that is to be tested.
func (p parts) add(s *plan.Selected, ws *workspace.Workspace) {
	if s.Untestable = p.faults[s.Path]; s.Untestable == nil {
		s.Untestable = contradiction(ws, s.Project)
	}
	s.Parts, s.Suites = p.of[s.Path], suite.Of(ws, s.Project)
}
