package cli

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// settling finds out what the bases of projects stand for, where wr.lock does
// not say so.
type settling struct {
	*app
	*opened
	may     bool // the caller may make bases
	missing []image.Base
	fresh   pins // what is to be written to wr.lock
}

// settleBases gives every base that projects build upon a digest: the one of
// wr.lock, else that of its registry, else that of the store; a declared one
// that is nowhere is made. A base that cannot be settled fails the projects
// that need it, by name, and no others.
func (a *app) settleBases(ctx context.Context, o *opened) error {
	s := &settling{app: a, opened: o, may: a.mayBuild(o.ws), fresh: pins{map[string]string{}, map[string]string{}}}
	for _, ref := range slices.Sorted(maps.Keys(o.sources.needed())) {
		if strings.Contains(ref, "@") || !o.update && o.sources.pinned(ref) != "" {
			continue
		}
		if err := s.settle(ctx, ref); err != nil {
			return err
		}
	}
	if err := s.make(ctx); err != nil {
		return err
	}
	return s.write()
}

// settle finds the digest of one base.
func (s *settling) settle(ctx context.Context, ref string) error {
	there, err := s.sources.stored(ctx, ref)
	if err != nil {
		return err
	}
	if d, ok := s.sources.declared[ref]; ok {
		return s.settleDeclared(ctx, ref, d, there)
	}
	if there != "" {
		return nil // a base that somebody made here, and no registry has
	}
	return s.settleImage(ctx, ref)
}

// settleImage asks the registry of an image for its digest.
func (s *settling) settleImage(ctx context.Context, ref string) error {
	if s.Locked {
		s.sources.failed[ref] = unlocked(ref)
		return nil
	}
	digest, found, err := s.engine.Resolve(ctx, ref)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case found:
		s.fresh.images[ref] = digest
	case err != nil && s.update:
		s.sources.failed[ref] = err
	case err != nil:
		s.warnUnsettled(ref, err)
	}
	return nil // the builder says what it cannot find
}

// warnUnsettled says that the image of a base could not be told, though a
// build may still find it.
func (s *settling) warnUnsettled(ref string, err error) {
	f := *fault.Of(err)
	f.Message = "the base " + ref + " is not pinned: " + f.Message
	s.warnOf(&f)
}

// settleDeclared finds the digest of a base that wr.toml describes; there is
// that of the local store, "" for none.
func (s *settling) settleDeclared(ctx context.Context, ref string, d declared, there string) error {
	switch {
	case s.update && s.may, d.remote == "" && there == "" && s.may:
		s.missing = append(s.missing, d.base)
		return nil
	case s.update || d.remote == "":
		return nil
	case s.Locked:
		s.sources.failed[ref] = unlocked(d.name)
		return nil
	}
	digest, found, err := s.engine.Resolve(ctx, d.remote+":"+d.base.Tag())
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		s.warnUnsettled(d.name, err)
	}
	switch {
	case found:
		s.fresh.bases[d.key()] = d.pin(digest)
	case there != "":
		s.fresh.bases[d.key()] = d.pin(there)
	case s.may:
		s.missing = append(s.missing, d.base)
	}
	return nil // who may not make it is told so of the image
}

// make makes the bases that are nowhere.
func (s *settling) make(ctx context.Context) error {
	if len(s.missing) == 0 || s.Connect != nil {
		return nil
	}
	mine, err := s.personal(ctx, s.ws)
	if err != nil {
		return err
	}
	bases, err := s.bases(ctx)
	if err != nil {
		return err
	}
	defer bases.Close()
	for i, base := range s.missing {
		s.missing[i].Via = via("", mine.Mirrors, base)
	}
	made, err := s.createBases(ctx, bases, s.missing, s.Err)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		s.report(err) // the projects on other bases go on
	}
	s.note(made)
	return nil
}

// note takes the digests of bases that have been made.
func (s *settling) note(made []spec.Image) {
	for _, i := range made {
		delete(s.sources.digests, i.Ref)
		if d := s.sources.declared[i.Ref]; d.remote != "" {
			s.fresh.bases[d.key()] = d.pin(i.Digest)
		}
	}
}

// write writes to wr.lock what has been found. Where it cannot be written, it
// holds for this run.
func (s *settling) write() error {
	s.sources.pins.add(s.fresh)
	if err := s.writePins(s.opened, s.fresh, s.update); err != nil {
		if s.update {
			return err
		}
		f := *fault.Of(err)
		f.Message = "wr.lock was not written: " + f.Message
		s.warnOf(&f)
	}
	s.tellPins(s.fresh)
	return nil
}

// declaredBase is the base that wr.toml describes under name.
func declaredBase(name string, b config.Base) image.Base {
	return image.Base{Ref: name, Suite: b.Suite, Include: b.Include, Mirror: b.Mirror}
}

// via is where the packages of a base come from for this caller.
func via(flag string, mirrors map[string]string, base image.Base) string {
	return cmp.Or(flag, mirrors[base.Suite])
}
