package workspace

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/target"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// unknownProject is the code of a name that no project has.
const unknownProject = "project.unknown"

// Nearest returns the project at or above dir, a host path or a path relative
// to where the workspace was loaded. Nothing needs to exist at dir.
func (w *Workspace) Nearest(dir string) (Project, bool) {
	at, ok := w.locate(dir)
	for ok {
		if p, found := w.at(at); found || at == "." {
			return p, found
		}
		at = path.Dir(at)
	}
	return Project{}, false
}

// Here returns the project at or above the directory where the workspace was
// loaded.
func (w *Workspace) Here() (Project, error) {
	if p, ok := w.Nearest(w.host(w.Cwd)); ok {
		return p, nil
	}
	return Project{}, w.noneAt(w.host(w.Cwd))
}

// Find returns the project called name. In this order name is: a directory,
// seen from where the workspace was loaded; a workspace path; the name in a
// project's config; the last part or parts of a single project's path. What is
// typed as a directory ("./infra") is never taken for a name.
func (w *Workspace) Find(name string) (Project, error) {
	if at, ok := w.locate(name); ok {
		if p, found := w.at(at); found {
			return p, nil
		}
	}
	if (target.Target{Project: name}).IsDir() || name == "" {
		return Project{}, w.unknown(name)
	}
	p, err := w.Named(name)
	if fault.HasCode(err, unknownProject) {
		err = w.noProject(name)
	}
	return p, err
}

// Named returns the project that a file of the workspace calls name, wherever
// one stands: by its workspace path, the name in its config, or the last part or
// parts of a single project's path.
func (w *Workspace) Named(name string) (Project, error) {
	if p, found := w.at(path.Clean(name)); found {
		return p, nil
	}
	for _, same := range []func(Project) bool{
		func(p Project) bool { return p.called(name) },
		func(p Project) bool { return p.endsWith(path.Clean(name)) },
	} {
		if found := w.all(same); len(found) == 1 {
			return found[0], nil
		} else if len(found) > 1 {
			return Project{}, ambiguous(name, found)
		}
	}
	return Project{}, w.unknown(name)
}

// Selection is what a target stands for.
type Selection struct {
	Project Project
	Path    string // below the project, slash-separated, with ::node; "" = all of it
}

// Resolve finds what t stands for. A file or directory inside a project stands
// for that part of the nearest project; it is looked for in the directory where
// the workspace was loaded, then in the root. The name of an entry of [images] is
// no directory unless it is typed as one.
func (w *Workspace) Resolve(t target.Target) (Selection, error) {
	if t.Path != "" {
		return w.resolveFile(t)
	}
	p, err := w.Find(t.Project)
	if err == nil {
		return Selection{Project: p}, nil
	}
	if at, ok := w.look(t.Project, isDir); ok && fault.HasCode(err, unknownProject) {
		return w.inside(at)
	}
	return Selection{}, err
}

// resolveFile resolves a test file, or a case in one.
func (w *Workspace) resolveFile(t target.Target) (Selection, error) {
	at, ok := w.look(t.Path, isFile)
	if !ok {
		return Selection{}, w.noFile(t)
	}
	s, err := w.inside(at)
	if err == nil && t.Node != "" {
		s.Path += "::" + t.Node
	}
	return s, err
}

// look returns the workspace path of name, seen from where the workspace was
// loaded or else from the root, if there is what is wanted.
func (w *Workspace) look(name string, wanted func(string) bool) (string, bool) {
	for _, from := range []string{w.Cwd, "."} {
		if at, ok := w.locate(absolute(w.host(from), name)); ok && wanted(w.host(at)) {
			return at, true
		}
	}
	return "", false
}

// inside returns the part of the nearest project that lies at a workspace path.
func (w *Workspace) inside(at string) (Selection, error) {
	p, ok := w.Nearest(w.host(at))
	if !ok {
		return Selection{}, w.noneAt(at)
	}
	if p.Path == at {
		return Selection{Project: p}, nil
	}
	return Selection{Project: p, Path: strings.TrimPrefix(strings.TrimPrefix(at, p.Path), "/")}, nil
}

// Below returns the project at the workspace path at, if there is one, and,
// when recursive, all projects below it.
func (w *Workspace) Below(at string, recursive bool) []Project {
	return w.all(func(p Project) bool {
		return p.Path == at || recursive && within(p.Path, at)
	})
}

// Folder returns the workspace path of the directory called name, as seen from
// where the workspace was loaded, or ok = false when there is none.
func (w *Workspace) Folder(name string) (at string, ok bool) {
	at, ok = w.locate(name)
	return at, ok && isDir(w.host(at))
}

// Unknown returns what at and below it might be a project but cannot be read,
// each as a project with its fault, so that a run can report it and not end as
// if all were well.
func (w *Workspace) Unknown(at string) []Project {
	var all []Project
	for _, f := range w.Faults {
		dir := f.File
		if path.Base(dir) == config.Name {
			dir = path.Dir(dir)
		}
		if dir == at || within(dir, at) {
			all = append(all, Project{Path: dir, Name: path.Base(dir), Dir: w.host(dir), Config: config.Default(), Fault: f})
		}
	}
	return all
}

// NestedIn returns the workspace paths of all projects inside p: what lies in
// them is not p's. An entry of [images] is for tests of all projects.
func (w *Workspace) NestedIn(p Project) []string {
	var paths []string
	for _, other := range w.Projects {
		if !p.Entry && other.Path != p.Path && within(other.Path, p.Path) {
			paths = append(paths, other.Path)
		}
	}
	return paths
}

// all returns the projects that are wanted, in order.
func (w *Workspace) all(wanted func(Project) bool) []Project {
	var found []Project
	for _, p := range w.Projects {
		if wanted(p) {
			found = append(found, p)
		}
	}
	return found
}

// at returns the project at a workspace path.
func (w *Workspace) at(workspacePath string) (Project, bool) {
	i := slices.IndexFunc(w.Projects, func(p Project) bool { return p.Path == workspacePath })
	if i < 0 {
		return Project{}, false
	}
	return w.Projects[i], true
}

// host returns the host path of a workspace path.
func (w *Workspace) host(workspacePath string) string {
	return filepath.Join(w.Root, filepath.FromSlash(workspacePath))
}

// locate returns the workspace path of dir, a host path or a path relative to
// Cwd, after symbolic links. It is not ok when dir is outside of the workspace.
func (w *Workspace) locate(dir string) (workspacePath string, ok bool) {
	host := absolute(w.host(w.Cwd), dir)
	if real, err := filepath.EvalSymlinks(host); err == nil {
		host = real
	}
	workspacePath, err := w.relative(host)
	return workspacePath, err == nil
}

// absolute returns name as seen from dir.
func absolute(dir, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// noneAt is the fault for a place that no project is at or above.
func (w *Workspace) noneAt(place string) error {
	if f := w.NoProjects(); f != nil {
		return f
	}
	return &fault.Error{
		Code: "project.none_here", Class: fault.Usage,
		Message: "no project at or above " + place,
		Next:    "name one of " + listed(w.Projects) + ", or take all with -r",
	}
}

// unknown is the fault for a name that no project has.
func (w *Workspace) unknown(name string) error {
	if f := w.NoProjects(); f != nil {
		return f
	}
	return w.unknownOf(w.Projects, name)
}

// unknownOf is the fault for a name that none of those that could be meant has.
func (w *Workspace) unknownOf(all []Project, name string) *fault.Error {
	var known []string
	for _, p := range all {
		known = append(known, p.Path, p.Name, path.Base(p.Path))
	}
	return &fault.Error{
		Code: unknownProject, Class: fault.Usage,
		Message: fmt.Sprintf("no project is called %q", name),
		Hint:    fault.Closest(strings.TrimPrefix(name, "./"), known),
		Next:    "name one of " + listed(all),
	}
}

// ambiguous is the fault for a name that several projects share.
func ambiguous(name string, found []Project) error {
	paths := make([]string, len(found))
	for i, p := range found {
		paths[i] = p.Path
	}
	return &fault.Error{
		Code: "project.ambiguous", Class: fault.Usage,
		Message: fmt.Sprintf("%q could be %s", name, strings.Join(paths, " or ")),
		Next:    "name it by its path",
	}
}

// noFile is the fault for a test file that does not exist.
func (w *Workspace) noFile(t target.Target) error {
	entries, _ := os.ReadDir(filepath.Dir(absolute(w.host(w.Cwd), t.Path)))
	var siblings []string
	for _, e := range entries {
		siblings = append(siblings, path.Join(path.Dir(t.Path), e.Name()))
	}
	return &fault.Error{
		Code: "target.no_file", Class: fault.Usage,
		Message: "there is no file " + t.Path + " in this workspace",
		Hint:    fault.Closest(t.Path, siblings),
	}
}

// listed names projects for a message: all of them when they are few.
func listed(all []Project) string {
	const most = 8
	var names []string
	for _, p := range all[:min(most, len(all))] {
		names = append(names, p.Path)
	}
	if len(all) > most {
		names = append(names, fmt.Sprintf("... (%d more: wr ls)", len(all)-most))
	}
	return strings.Join(names, ", ")
}
