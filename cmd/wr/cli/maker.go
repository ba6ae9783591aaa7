package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/image"
)

// makers are those whose images the given ones use, each once. One that
// cannot be told is left out: decide says why.
func makers(ws *workspace.Workspace, projects []workspace.Project) []workspace.Project {
	var all []workspace.Project
	for _, p := range projects {
		maker, err := ws.Maker(p)
		known := slices.ContainsFunc(all, func(other workspace.Project) bool { return other.Path == maker.Path })
		if err == nil && !known && maker.Config.Image.Ref == "" {
			all = append(all, maker)
		}
	}
	return all
}

// decide finds what decides the image of s: who makes it, and from what, or
// which finished image it is.
func (o *opened) decide(ctx context.Context, s *plan.Selected, index *inputs.Index) (err error) {
	if s.Maker, err = o.ws.Maker(s.Project); err != nil {
		return err
	}
	finished := s.Maker.Config.Image.Ref
	if finished == "" {
		if s.Layer, err = ownLayer(o.ws, s.Maker); err != nil {
			return err
		}
		s.Made = o.sources.all[s.Maker.Path].made
		if s.ImageKey, err = o.sources.key(ctx, s.Maker, s.Layer, index); err == nil {
			s.Bases, err = o.sources.stand(s.Maker)
		}
		return err
	}
	if s.Ref, err = image.FullName(finished); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(s.Ref))
	s.ImageKey = hex.EncodeToString(sum[:])
	return nil
}
