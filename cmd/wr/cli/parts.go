package cli

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/suite"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// parts is in which containers the tests of the chosen projects run, by path.
type parts struct {
	of     map[string]place.Tests
	faults map[string]*fault.Error // why that cannot be told
	lost   []*fault.Error          // tests that no container has
}

// placeTests reads the tests of the chosen projects, asks plugins that find tests,
// and adds to the choice those whose containers they need.
func (a *app) placeTests(ctx context.Context, ws *workspace.Workspace, c *choice, args []string) (parts, error) {
	out := parts{of: map[string]place.Tests{}, faults: map[string]*fault.Error{}}
	root, err := os.OpenRoot(ws.Root)
	if err != nil {
		return out, err
	}
	defer root.Close()
	d, err := a.discovering(ctx, ws, root.FS())
	if err != nil {
		return out, err
	}
	defer d.Close(ctx)
	for _, p := range c.projects {
		if p.Fault != nil || p.Config.Test.None != "" {
			continue
		}
		found, err := d.tests(ctx, p, place.Asked{Paths: c.paths[p.Path], More: len(args)+len(p.Config.Test.Args) > 0})
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		if err != nil {
			out.faults[p.Path] = fault.Of(err)
			continue
		}
		out.of[p.Path] = found
		for _, part := range found.Parts {
			c.addLender(part.Lender)
		}
		for _, link := range found.Outside {
			if holdsTests(filepath.Join(ws.Root, filepath.FromSlash(link))) {
				out.lost = append(out.lost, leadsOut(link))
			}
		}
	}
	return out, a.warnOfUnpinned(ws, c.projects)
}

// holdsTests reports whether a file is one of tests, or a directory has such a one.
func holdsTests(at string) bool {
	info, err := os.Stat(at)
	if err != nil || !info.IsDir() {
		return err == nil && isTestFile(filepath.Base(at))
	}
	entries, err := os.ReadDir(at)
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return isTestFile(e.Name()) })
}

// leadsOut is the fault of a link to tests that containers do not have.
func leadsOut(link string) *fault.Error {
	return &fault.Error{
		Code: "test.link_outside", Class: fault.Usage, File: link,
		Message: link + " leads out of the workspace, which is all that containers have: no test behind it runs",
		Next:    "move the tests into the workspace, or remove the link",
	}
}

// addLender adds a project whose container is needed, once.
func (c *choice) addLender(p workspace.Project) {
	if !slices.ContainsFunc(c.involved(), func(other workspace.Project) bool { return other.Path == p.Path }) {
		c.lenders = append(c.lenders, p)
	}
}

// add completes what is known of a project that is to be tested.
func (p parts) add(s *plan.Selected, ws *workspace.Workspace) {
	if s.Untestable = p.faults[s.Path]; s.Untestable == nil {
		s.Untestable = contradiction(ws, s.Project)
	}
	found := p.of[s.Path]
	s.Parts, s.Assigned, s.Further, s.Suites = found.Parts, found.Assigned, found.Further, suite.Of(ws, s.Project)
}
