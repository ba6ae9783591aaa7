package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/host/target"
	"github.com/wr-build/wr/host/workspace"
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

// container is a project, or an entry of [images] with that name.
func (a *app) container(ws *workspace.Workspace, name string) (workspace.Project, error) {
	if entry, ok := ws.Image(name); ok {
		return usable(entry)
	}
	return a.project(ws, name)
}

// words are what a person typed to choose projects.
type words struct {
	names     []string // none = the nearest project
	recursive bool     // and all below
	images    bool     // entries of [images] can be chosen too; the root has them below it
}

// choice is what a person asked for: projects, and what of each.
type choice struct {
	projects []workspace.Project // and entries of [images], where words may choose them
	paths    map[string][]string // project path to files and node ids; none = all
	lenders  []workspace.Project // whose containers the tests of projects need besides their own: projects, and entries of [images]
}

// involved are all whose images are needed.
func (c choice) involved() []workspace.Project { return slices.Concat(c.projects, c.lenders) }

// opened is what commands on projects work with.
type opened struct {
	choice
	ws      *workspace.Workspace
	engine  Engine
	sources *sources // of choice.projects
	useLast bool     // where an image is missing, use the newest one
	update  bool     // find out anew what bases stand for
}

// open loads the workspace, finds the projects and images that were asked for and
// opens them. The caller closes the engine.
func (a *app) open(ctx context.Context, names []string, recursive bool) (*opened, error) {
	ws, c, err := a.chosen(ctx, words{names, recursive, true})
	if err != nil {
		return nil, err
	}
	return a.openAll(ctx, ws, c)
}

// chosen loads the workspace and finds the projects that were asked for.
func (a *app) chosen(ctx context.Context, typed words) (*workspace.Workspace, choice, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return nil, choice{}, err
	}
	c, err := choose(ws, typed)
	return ws, c, err
}

// openAll starts the engine and reads what the chosen projects are made from.
// The caller closes the engine.
func (a *app) openAll(ctx context.Context, ws *workspace.Workspace, c choice) (*opened, error) {
	engine, err := a.connect(ctx)
	if err != nil {
		return nil, err
	}
	o, err := a.openWith(ctx, engine, ws, c)
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return o, nil
}

// openWith is openAll with an engine that is there.
func (a *app) openWith(ctx context.Context, engine Engine, ws *workspace.Workspace, c choice) (*opened, error) {
	known, err := readPins(ws.Root)
	if err != nil {
		return nil, err
	}
	all := makers(ws, c.involved())
	made, err := a.made(ctx, ws, all)
	if err != nil {
		return nil, err
	}
	from := readSources(engine, ws, all, made)
	from.pins = known
	return &opened{choice: c, ws: ws, engine: &basing{Engine: engine, app: a, ws: ws, declared: from.declared}, sources: from}, nil
}

// choose resolves names, paths and node ids. Without any it is the nearest
// project; recursive adds all projects below, and what below cannot be read.
func choose(ws *workspace.Workspace, typed words) (choice, error) {
	c := choice{paths: map[string][]string{}}
	if len(typed.names) == 0 && typed.recursive {
		return c, c.addBelow(ws, ws.Cwd, typed)
	}
	if len(typed.names) == 0 {
		p, err := ws.Here()
		if err != nil {
			return c, err
		}
		c.add(p, "")
		return c, nil
	}
	for _, name := range typed.names {
		if err := c.addNamed(ws, name, typed); err != nil {
			return c, err
		}
	}
	return c, nil
}

// addNamed adds what one word on the command line stands for.
func (c *choice) addNamed(ws *workspace.Workspace, name string, typed words) error {
	t, err := target.Parse(name)
	if err != nil {
		return err
	}
	entry, isEntry := ws.Image(name)
	if isEntry && typed.images {
		c.add(entry, "")
		return nil
	}
	if at, ok := ws.Folder(name); ok && typed.recursive && !isEntry {
		return c.addBelow(ws, at, typed)
	}
	s, err := ws.Resolve(t)
	switch {
	case err != nil:
		return err
	case typed.recursive && s.Path == "":
		return c.addBelow(ws, s.Project.Path, typed)
	default:
		c.add(s.Project, s.Path)
		return nil
	}
}

// addBelow adds every project at and below the workspace path at.
func (c *choice) addBelow(ws *workspace.Workspace, at string, typed words) error {
	found := append(ws.Below(at, true), ws.Unknown(at)...)
	if typed.images && at == "." {
		found = append(found, ws.Images...)
	}
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

// cachePath is the file of content hashes for the workspace.
func (a *app) cachePath(ws *workspace.Workspace) string {
	root := sha256.Sum256([]byte(ws.Root))
	return filepath.Join(a.cacheDir(), "inputs", hex.EncodeToString(root[:16]))
}

// cacheDir is wr's directory among the user's caches, unless WR_CACHE_DIR names
// another. Root has the system's: under sudo, HOME is another's.
func (a *app) cacheDir() string {
	if dir := a.Getenv("WR_CACHE_DIR"); filepath.IsAbs(dir) {
		return dir
	}
	base := a.Getenv("XDG_CACHE_HOME")
	switch {
	case os.Geteuid() == 0:
		base = "/var/cache"
	case base == "":
		base = filepath.Join(a.Getenv("HOME"), ".cache")
	}
	return filepath.Join(base, "wr")
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

// ownState opens the state of a workspace. The caller closes it.
func (a *app) ownState(ws *workspace.Workspace) (state.Folder, error) {
	caller, err := a.caller(ws)
	if err != nil {
		return state.Folder{}, err
	}
	return state.Open(ws.Root, caller)
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
