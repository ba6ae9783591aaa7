// Package workspace finds the root of a workspace and the projects in it.
// There is one definition of a project, used by every command: a directory
// with a wr.toml that holds [project], or a directory with a devops folder.
//
// A "workspace path" is slash-separated and relative to the root, which is "."
// itself. It is a string of bytes: names need not be UTF-8.
package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Workspace is the tree under one root. It is plain data and does not change
// after Load.
type Workspace struct {
	Root     string         // host path, without symbolic links
	Name     string         // from [workspace], else the root's own name
	Cwd      string         // workspace path of the directory that Load was given
	Config   *config.File   // the root's wr.toml; defaults when there is none
	Above    []Policy       // of the workspaces that the root lies in, the nearest first
	Projects []Project      // sorted: a project comes right before those inside it
	Images   []Project      // entries of [images] in the root's wr.toml, by name
	Faults   []*fault.Error // what could not be read and is no project; show these
}

// Load finds the workspace around dir and all its projects. A broken project
// carries its own fault; the error is about the workspace as a whole:
// "workspace.not_found", "workspace.bad_dir", "config.name_taken" or mistakes in
// the root's wr.toml.
func Load(ctx context.Context, dir string) (*Workspace, error) {
	return load(ctx, dir, os.ReadDir)
}

// load is Load with its way to read directories.
func load(ctx context.Context, dir string, readDir readDirFunc) (*Workspace, error) {
	dir, err := physical(dir)
	if err != nil {
		return nil, err
	}
	root, err := findRoot(dir)
	if err != nil {
		return nil, err
	}
	w := &Workspace{Root: root, Config: config.Default()}
	if w.Cwd, err = w.relative(dir); err != nil {
		return nil, err
	}
	if w.Above, err = policiesAbove(root); err != nil {
		return nil, err
	}
	l := loader{ws: w}
	walk := walker{root: root, readDir: readDir, visit: l.visit}
	if err := walk.run(ctx); err != nil {
		return nil, err
	}
	if l.rootErr != nil {
		return nil, l.rootErr
	}
	w.Faults = append(w.Faults, walk.faults...)
	l.finish()
	if w.Images, err = w.entries(); err != nil {
		return nil, err
	}
	return w, nil
}

// NoProjects returns the fault of a workspace without projects, or nil.
func (w *Workspace) NoProjects() *fault.Error {
	if len(w.Projects) > 0 {
		return nil
	}
	return &fault.Error{
		Code:    "workspace.no_projects",
		Message: "no projects in " + w.Root,
		Next:    "type `wr init` to set them up, or `wr ls --check` to see what nearly is one",
	}
}

// relative returns the workspace path of a host path.
func (w *Workspace) relative(host string) (string, error) {
	rel, err := filepath.Rel(w.Root, host)
	if err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s is outside of the workspace %s", host, w.Root)
	}
	return filepath.ToSlash(rel), nil
}

// loader collects what a walk sees into a workspace.
type loader struct {
	ws      *Workspace
	rootErr error // mistakes that concern the whole workspace
}

// visit takes what one directory says.
func (l *loader) visit(d Dir) {
	problems, _ := errors.AsType[config.Errors](d.ConfigErr)
	if d.Path == "." && d.Config != nil {
		l.ws.Config = d.Config
		if slices.ContainsFunc([]string{"workspace", "bases", "images", "policy"}, problems.Touches) {
			l.rootErr = problems
			return
		}
	}
	if d.IsProject() {
		l.ws.Projects = append(l.ws.Projects, newProject(l.ws.Root, d))
	} else if f := problems.Fault(); f != nil {
		l.ws.Faults = append(l.ws.Faults, f)
	}
}

// finish names the workspace and puts everything in order.
func (l *loader) finish() {
	w := l.ws
	w.Name = rootName(w)
	slices.SortFunc(w.Projects, func(a, b Project) int { return comparePaths(a.Path, b.Path) })
	slices.SortFunc(w.Faults, func(a, b *fault.Error) int { return comparePaths(a.File, b.File) })
	for i := range w.Projects {
		if w.Projects[i].Name == "" {
			w.Projects[i].Name = w.Name
		}
	}
}

// rootName is the name that a workspace gives itself, or that of its root.
func rootName(w *Workspace) string {
	if w.Config.Workspace != nil && w.Config.Workspace.Name != "" {
		return w.Config.Workspace.Name
	}
	if base := filepath.Base(w.Root); base != string(filepath.Separator) {
		return base
	}
	return "workspace"
}

// physical returns dir as an absolute path without symbolic links.
func physical(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err == nil && !isDir(abs) {
		err = errors.New("not a directory")
	}
	if err != nil {
		return "", &fault.Error{
			Code: "workspace.bad_dir", Class: fault.Usage, Err: err,
			Message: "cannot work in " + dir + ": " + plain(err),
		}
	}
	return abs, nil
}

// isDir reports whether path is a directory, or a symbolic link to one.
func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// isFile reports whether path is a regular file, or a symbolic link to one.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// plain returns err without the path it carries.
func plain(err error) string {
	if pathError, ok := errors.AsType[*os.PathError](err); ok {
		return pathError.Err.Error()
	}
	return err.Error()
}
