package plan

import (
	"maps"

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
