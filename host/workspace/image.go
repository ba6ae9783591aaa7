package workspace

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// newEntry describes the entry of [images] called name.
func newEntry(w *Workspace, name string) Project {
	p := Project{Path: name, Name: name, Dir: w.Root, Config: w.Config.Entry(name), Entry: true}
	p.findDockerfile()
	if image := p.Config.Image; p.Fault == nil && p.Dockerfile == "" && image.Ref+image.From == "" {
		p.Fault = p.noDockerfile("image")
	}
	return p
}

// entries describes what the root's wr.toml has in [images], and refuses a name
// by which a project can be called: a mark would mean the one or the other.
func (w *Workspace) entries() ([]Project, error) {
	var all []Project
	for _, name := range slices.Sorted(maps.Keys(w.Config.Images)) {
		for _, p := range w.Projects {
			if p.called(name) || p.endsWith(name) {
				return nil, &fault.Error{
					Code: "config.name_taken", Class: fault.Usage, File: config.Name, Line: w.Config.First(config.Key("images", name)),
					Message: fmt.Sprintf("[images] %s: the project %s is called so as well", name, p.Path),
					Next:    "give one of the two another name",
				}
			}
		}
		all = append(all, newEntry(w, name))
	}
	return all, nil
}

// Image returns the entry of [images] called name.
func (w *Workspace) Image(name string) (entry Project, ok bool) {
	i := slices.IndexFunc(w.Images, func(e Project) bool { return e.Path == name })
	if i < 0 {
		return Project{}, false
	}
	return w.Images[i], true
}

// Containers are all that have a container: the projects, then what is in [images].
func (w *Workspace) Containers() []Project { return slices.Concat(w.Projects, w.Images) }

// MakesImage reports whether an entry of [images] is made from the Dockerfile at a
// workspace path, so that its directory need not be a project.
func (w *Workspace) MakesImage(dockerfile string) bool {
	return slices.ContainsFunc(w.Images, func(e Project) bool { return e.Dockerfile == dockerfile })
}

// Clash returns the entry of [images] whose name a project at a workspace path
// would be called by as well.
func (w *Workspace) Clash(at string) (entry Project, clashes bool) {
	for _, e := range w.Images {
		if (Project{Path: at}).endsWith(e.Path) {
			return e, true
		}
	}
	return Project{}, false
}

// Container returns what a mark calls name: a project, as Named finds it, or an
// entry of [images].
func (w *Workspace) Container(name string) (Project, error) {
	if entry, ok := w.Image(name); ok {
		return entry, nil
	}
	p, err := w.Named(name)
	if fault.HasCode(err, unknownProject) && len(w.Images) > 0 {
		f := w.unknownOf(w.Containers(), name)
		f.Message = fmt.Sprintf("no project and no image is called %q", name)
		return Project{}, f
	}
	return p, err
}

// noProject is the fault for a name where only a project will do.
func (w *Workspace) noProject(name string) error {
	entry, ok := w.Image(name)
	if !ok {
		return w.unknown(name)
	}
	f := &fault.Error{
		Code: "project.is_image", Class: fault.Usage, File: config.Name, Line: entry.Config.First("image"),
		Message: name + " is an image of [images], and no project",
		Next:    fmt.Sprintf("name a project; its tests with the mark container(%q) run in that image", name),
	}
	if _, there := w.Folder(name); there {
		f.Next += "; or type ./" + name + " for the directory of that name"
	}
	return f
}

// endsWith reports whether name is the last part, or the last parts, of p's path.
func (p Project) endsWith(name string) bool { return strings.HasSuffix("/"+p.Path, "/"+name) }
