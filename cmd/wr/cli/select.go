package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/target"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// project is the one called name, or the nearest when name is empty.
func (a *app) project(ws *workspace.Workspace, name string) (workspace.Project, error) {
	p, err := ws.Here()
	if name != "" {
		p, err = ws.Find(name)
	}
	if err == nil && p.Fault != nil {
		err = p.Fault
	}
	return p, err
}

// choice is what a person asked for: projects, and what of each.
type choice struct {
	projects []workspace.Project
	paths    map[string][]string // project path to files and node ids; none = all
}

// opened is what commands on many projects work with.
type opened struct {
	choice
	ws       *workspace.Workspace
	engine   Engine
	selected []plan.Selected // of choice.projects, in that order
}

// open loads the workspace, finds the projects that were asked for, starts the
// engine and finds what decides their images. The caller closes the engine.
func (a *app) open(ctx context.Context, names []string, recursive bool) (o opened, err error) {
	if o.ws, err = workspace.Load(ctx, a.dir); err != nil {
		return o, err
	}
	if o.choice, err = choose(o.ws, names, recursive); err != nil {
		return o, err
	}
	if o.engine, err = a.connect(ctx); err != nil {
		return o, err
	}
	defer func() {
		if err != nil {
			_ = o.engine.Close()
		}
	}()
	if err = a.makeBases(ctx, o.engine, o.ws, o.projects); err != nil {
		return o, err
	}
	o.selected, err = a.selectAll(ctx, o.engine, o.ws, o.projects)
	return o, err
}

// choose resolves names, paths and node ids. Without any it is the nearest
// project; recursive adds all projects below, and what below cannot be read.
func choose(ws *workspace.Workspace, names []string, recursive bool) (choice, error) {
	c := choice{paths: map[string][]string{}}
	if len(names) == 0 && recursive {
		return c, c.addBelow(ws, ws.Cwd)
	}
	if len(names) == 0 {
		p, err := ws.Here()
		if err != nil {
			return c, err
		}
		c.add(p, "")
		return c, nil
	}
	for _, name := range names {
		if err := c.addNamed(ws, name, recursive); err != nil {
			return c, err
		}
	}
	return c, nil
}

// addNamed adds what one word on the command line stands for.
func (c *choice) addNamed(ws *workspace.Workspace, name string, recursive bool) error {
	t, err := target.Parse(name)
	if err != nil {
		return err
	}
	if at, ok := ws.Folder(name); ok && recursive {
		return c.addBelow(ws, at)
	}
	s, err := ws.Resolve(t)
	switch {
	case err != nil:
		return err
	case recursive && s.Path == "":
		return c.addBelow(ws, s.Project.Path)
	default:
		c.add(s.Project, s.Path)
		return nil
	}
}

// addBelow adds every project at and below the workspace path at.
func (c *choice) addBelow(ws *workspace.Workspace, at string) error {
	found := append(ws.Below(at, true), ws.Unknown(at)...)
	for _, p := range found {
		c.add(p, "")
	}
	if len(found) > 0 {
		return nil
	}
	if f := ws.NoProjects(); f != nil {
		return f
	}
	return &fault.Error{
		Code: "project.none_below", Message: "no project at or below " + filepath.Join(ws.Root, at),
		Next: "wr ls shows the projects of the workspace",
	}
}

// add adds a project, once, and the part of it that was named.
func (c *choice) add(p workspace.Project, part string) {
	named, seen := c.paths[p.Path]
	if !seen {
		c.projects = append(c.projects, p)
	}
	if part == "" || seen && len(named) == 0 {
		c.paths[p.Path] = nil // all of it
		return
	}
	c.paths[p.Path] = append(named, part)
}

// selectAll finds what decides the image of each project. A project that
// cannot be used carries its fault; the others are not touched by it.
func (a *app) selectAll(ctx context.Context, images spec.Images, ws *workspace.Workspace, projects []workspace.Project) ([]plan.Selected, error) {
	index := inputs.OpenIndex(a.cachePath(ws))
	var all []plan.Selected
	for _, p := range projects {
		s := plan.Selected{Project: p, Broken: p.Fault}
		if s.Broken == nil {
			key, err := a.imageKey(ctx, images, p, index)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				s.Broken = fault.Of(err)
			}
			s.ImageKey = key
		}
		all = append(all, s)
	}
	if err := index.Close(); err != nil {
		a.log.Warn().Err(err).Msg("the index of content hashes was not saved")
	}
	return all, nil
}

// source is a project's Dockerfile and what it takes from outside.
type source struct {
	data   []byte
	recipe spec.Recipe
}

// readSource reads p's Dockerfile.
func readSource(p workspace.Project) (source, error) {
	if p.Dockerfile == "" {
		return source{}, &fault.Error{
			Code: "image.no_dockerfile", Message: p.Path + " has no " + p.Config.Image.Dockerfile,
			File: path.Join(p.Path, p.Config.Image.Dockerfile), Next: "write it, or name another one: [image] dockerfile = \"...\" in wr.toml",
		}
	}
	data, err := os.ReadFile(filepath.Join(p.Dir, filepath.FromSlash(p.Dockerfile)))
	if err != nil {
		return source{}, &fault.Error{
			Code: "image.no_dockerfile", Message: err.Error(), File: path.Join(p.Path, p.Dockerfile), Err: err,
			Next: "make it a file that can be read",
		}
	}
	recipe, err := image.Recipe(spec.Dockerfile{
		Path: path.Join(p.Path, p.Dockerfile), Data: data, Target: p.Config.Image.Target, Args: p.Config.Image.Args,
	})
	return source{data, recipe}, err
}

// imageKey is the key of the inputs of p's image.
func (a *app) imageKey(ctx context.Context, images spec.Images, p workspace.Project, index *inputs.Index) (string, error) {
	s, err := readSource(p)
	if err != nil {
		return "", err
	}
	bases := map[string]string{}
	for _, ref := range s.recipe.Bases {
		base, ok, err := images.Lookup(ctx, ref)
		if err != nil {
			return "", err
		}
		if ok {
			bases[ref] = base.Digest
		}
	}
	key, err := inputs.Of(ctx, inputs.Image{
		Context: p.Dir, Dockerfile: p.Dockerfile, Data: s.data, Target: p.Config.Image.Target, Args: p.Config.Image.Args,
		Platform: "linux/" + runtime.GOARCH, Bases: bases, Recipe: s.recipe, Index: index,
	})
	return key.Digest, err
}

// cachePath is the file of content hashes for the workspace, in the user's
// cache directory. Root has the system's: under sudo, HOME is another's.
func (a *app) cachePath(ws *workspace.Workspace) string {
	base := a.Getenv("XDG_CACHE_HOME")
	switch {
	case os.Geteuid() == 0:
		base = "/var/cache"
	case base == "":
		base = filepath.Join(a.Getenv("HOME"), ".cache")
	}
	root := sha256.Sum256([]byte(ws.Root))
	return filepath.Join(base, "wr", "inputs", hex.EncodeToString(root[:16]))
}

// hostEnv holds the variables of the host that p allows in.
func (a *app) hostEnv(projects ...workspace.Project) map[string]string {
	env := map[string]string{}
	for _, p := range projects {
		for _, name := range p.Config.Env.Allow {
			if value, ok := a.LookupEnv(name); ok {
				env[name] = value
			}
		}
	}
	return env
}

// caller is whom written files belong to: whoever typed the command, and with
// root's rights the user behind sudo or else the owner of the workspace.
func (a *app) caller(ws *workspace.Workspace) (spec.Owner, error) {
	if uid := os.Getuid(); uid != 0 {
		return spec.Owner{UID: uid, GID: os.Getgid()}, nil
	}
	owner, err := ws.Owner()
	if err != nil {
		return spec.Owner{}, err
	}
	uid, uidErr := strconv.Atoi(a.Getenv("SUDO_UID"))
	gid, gidErr := strconv.Atoi(a.Getenv("SUDO_GID"))
	if errors.Join(uidErr, gidErr) == nil && uid == owner.UID {
		return spec.Owner{UID: uid, GID: gid}, nil
	}
	return owner, nil
}
