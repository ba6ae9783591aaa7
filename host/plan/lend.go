package plan

import (
	"maps"

	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
)

// in is what the tests of s have in the container of lender. An entry of [images]
// has an image and no project: all else is that of s then.
func (s Selected) in(lender Selected) Selected {
	if !lender.Entry {
		return lender
	}
	own := *s.Config
	own.Image = lender.Config.Image
	lender.Config, lender.Grant, lender.Refused = &own, s.Grant, s.Refused
	return lender
}

// ContainerIn returns the container of lender, a project or an entry of [images], as
// what belongs to project p runs in it.
func (o Options) ContainerIn(ws *workspace.Workspace, p, lender workspace.Project, image string, network spec.Network) spec.Container {
	s := Selected{Project: p}
	in := s.in(Selected{Project: lender})
	return lentTo(Container(ws, in.Project, image, network, o), s, in)
}

// ImportRoots is PYTHONPATH of what belongs to project p and runs in the container of
// lender.
func ImportRoots(p, lender workspace.Project) string { return Options{}.pythonPath(p, lender) }

// lentTo is c, a container of lender, as the tests of s have it. In the image of
// an entry each project has a container of its own, since its environment and
// limits are in there.
func lentTo(c spec.Container, s, lender Selected) spec.Container {
	if lender.Entry {
		c.Labels = maps.Clone(c.Labels)
		c.Labels["wr.project"], c.Labels["wr.image"] = s.Path, lender.Path
	}
	return c
}
