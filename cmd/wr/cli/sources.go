package cli

import (
	"context"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// sources are what the images of some projects, and of [images], are made from: each Dockerfile
// is read once, and each base that is there is looked up once.
type sources struct {
	images  spec.Images
	all     map[string]source // by project path
	digests map[string]string // of the bases found so far, by full name

	declared map[string]declared // bases of wr.toml, by full name
	pins     pins
	failed   map[string]error // bases whose digest could not be found, by full name
}

// source is a project's Dockerfile and what it takes from outside.
type source struct {
	data   []byte
	recipe spec.Recipe
	made   *plan.Dockerfile // by a plugin; nil = it is a file
	err    error            // why there is no recipe
}

// readSources reads the Dockerfile of each project that can be used, besides those that
// plugins have made.
func readSources(images spec.Images, ws *workspace.Workspace, projects []workspace.Project, made map[string]source) *sources {
	s := &sources{
		images: images, all: map[string]source{}, digests: map[string]string{},
		declared: declaredBases(ws), failed: map[string]error{},
	}
	for _, p := range projects {
		if from, known := made[p.Path]; known {
			s.all[p.Path] = from
		} else if p.Fault == nil {
			s.all[p.Path] = readSource(p)
		}
	}
	return s
}

// made are those that plugins have made, by project path.
func (s *sources) made() map[string]source {
	all := maps.Clone(s.all)
	maps.DeleteFunc(all, func(_ string, from source) bool { return from.made == nil })
	return all
}

// readSource reads p's Dockerfile.
func readSource(p workspace.Project) source {
	if p.Dockerfile == "" {
		return source{err: &fault.Error{
			Code: "image.no_dockerfile", Message: p.Path + " has no " + p.Config.Image.Dockerfile,
			File: path.Join(p.Folder(), p.Config.Image.Dockerfile), Next: "write it, name another one: [image] dockerfile = \"...\" in wr.toml, or add a plugin that makes images",
		}}
	}
	data, err := os.ReadFile(filepath.Join(p.Dir, filepath.FromSlash(p.Dockerfile)))
	if err != nil {
		return source{err: &fault.Error{
			Code: "image.no_dockerfile", Message: err.Error(), File: path.Join(p.Folder(), p.Dockerfile), Err: err,
			Next: "make it a file that can be read",
		}}
	}
	recipe, err := image.Recipe(spec.Dockerfile{
		Path: path.Join(p.Folder(), p.Dockerfile), Data: data, Target: p.Config.Image.Target, Args: p.Config.Image.Args,
	})
	return source{data: data, recipe: recipe, err: err}
}

// needed holds the full names of all images that the projects build upon.
func (s *sources) needed() map[string]bool {
	needed := map[string]bool{}
	for _, one := range s.all {
		for _, ref := range one.recipe.Bases {
			needed[ref] = true
		}
	}
	return needed
}

// pinned is the digest that wr.lock has for a base, "" for none.
func (s *sources) pinned(ref string) string {
	if d, ok := s.declared[ref]; ok {
		return d.pinned(s.pins)
	}
	return s.pins.images[ref]
}

// base is the digest of a base, "" while nobody knows it.
func (s *sources) base(ctx context.Context, ref string) (string, error) {
	if digest := s.pinned(ref); digest != "" {
		return digest, nil
	}
	if err := s.failed[ref]; err != nil {
		return "", err
	}
	return s.stored(ctx, ref)
}

// stored is the digest of a base in the store, "" while it has none. A declared
// one that was made from another declaration is none.
func (s *sources) stored(ctx context.Context, ref string) (string, error) {
	if digest, found := s.digests[ref]; found {
		return digest, nil
	}
	base, there, err := s.images.Lookup(ctx, ref)
	if err != nil || !there {
		return "", err
	}
	if d, ok := s.declared[ref]; ok && !d.base.MadeFrom(base) {
		return "", nil
	}
	s.digests[ref] = base.Digest
	return base.Digest, nil
}

// stand is what the pinned bases of p stand for in a build. A declared one is
// taken from the store, where it has a name of its own for each digest.
func (s *sources) stand(p workspace.Project) (map[string]string, error) {
	all := map[string]string{}
	for _, ref := range s.all[p.Path].recipe.Bases {
		digest := s.pinned(ref)
		if digest == "" {
			continue
		}
		name := ref
		if _, ok := s.declared[ref]; ok {
			var err error
			if name, err = image.Pinned(ref, digest); err != nil {
				return nil, err
			}
		}
		all[ref] = name + "@" + digest
	}
	return all, nil
}

// key is the key of the inputs of p's image, to which wr adds the layer.
func (s *sources) key(ctx context.Context, p workspace.Project, layer *spec.Layer, index *inputs.Index) (string, error) {
	from := s.all[p.Path]
	if from.err != nil {
		return "", from.err
	}
	bases := map[string]string{}
	for _, ref := range from.recipe.Bases {
		digest, err := s.base(ctx, ref)
		if err != nil {
			return "", err
		}
		if digest != "" {
			bases[ref] = digest
		}
	}
	var ignore []string
	if from.made != nil {
		ignore = from.made.Ignore
	}
	key, err := inputs.Of(ctx, inputs.Image{
		Context: p.Dir, Dockerfile: p.Dockerfile, Data: from.data, Ignore: ignore, Target: p.Config.Image.Target, Args: p.Config.Image.Args,
		Platform: "linux/" + runtime.GOARCH, Bases: bases, Recipe: from.recipe, Layer: layer, Index: index,
	})
	return key.Digest, err
}

// selectAll finds what decides the image of each project. A project that
// cannot be used carries its fault; the others are not touched by it.
func (a *app) selectAll(ctx context.Context, o *opened) ([]plan.Selected, error) {
	index := inputs.OpenIndex(a.cachePath(o.ws))
	var all []plan.Selected
	for _, p := range o.involved() {
		s := plan.Selected{Project: p, Broken: p.Fault}
		if s.Broken == nil {
			err := o.decide(ctx, &s, index)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				s.Broken = fault.Of(err)
			}
		}
		all = append(all, s)
	}
	if err := index.Close(); err != nil {
		a.log.Warn().Err(err).Msg("the index of content hashes was not saved")
	}
	return all, nil
}
