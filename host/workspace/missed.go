package workspace

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
)

// NearMiss is a directory that looks like a project and is none, or a project
// that cannot be built, with what to do about it.
type NearMiss struct {
	Path string `json:"path"` // workspace path
	Why  string `json:"why"`
	Next string `json:"next,omitempty"`
}

// NearMisses looks through the whole workspace, including what discovery
// leaves out, and explains what nearly is a project.
func (w *Workspace) NearMisses(ctx context.Context) ([]NearMiss, error) {
	var misses []NearMiss
	walk := walker{root: w.Root, readDir: os.ReadDir, shadows: true, visit: func(d Dir) {
		if !w.MakesImage(path.Join(d.Path, "Dockerfile")) {
			misses = append(misses, missesOf(d)...)
		}
	}}
	if err := walk.run(ctx); err != nil {
		return nil, err
	}
	slices.SortStableFunc(misses, func(a, b NearMiss) int { return comparePaths(a.Path, b.Path) })
	return misses, nil
}

// missesOf explains one directory.
func missesOf(d Dir) []NearMiss {
	switch {
	case d.Pruned != "":
		return prunedMiss(d)
	case d.IsProject():
		return append(unbuildable(d), linkedMisses(d)...)
	default:
		return append(notAProject(d), linkedMisses(d)...)
	}
}

// prunedMiss explains a directory that would be a project if it counted.
func prunedMiss(d Dir) []NearMiss {
	if !d.HasDir(devops) && !d.Has(config.Name) {
		return nil
	}
	return []NearMiss{{
		Path: d.Path, Why: "left out by " + d.Pruned,
		Next: "change that rule if this is a project",
	}}
}

// unbuildable explains a project without a Dockerfile.
func unbuildable(d Dir) []NearMiss {
	if f := newProject(d.root, d); f.Dockerfile != "" {
		return nil
	}
	dockerfile := config.Default().Image.Dockerfile
	if d.Config != nil {
		dockerfile = d.Config.Image.Dockerfile
	}
	return []NearMiss{{
		Path: d.Path, Why: "a project, but there is no " + dockerfile,
		Next: "write " + path.Join(d.Path, dockerfile) + ", or name another in [image] dockerfile",
	}}
}

// notAProject explains a directory that counts and is no project.
func notAProject(d Dir) []NearMiss {
	var misses []NearMiss
	miss := func(why, next string) { misses = append(misses, NearMiss{Path: d.Path, Why: why, Next: next}) }
	if d.Has(config.Name) && d.Config != nil && d.Config.Workspace == nil {
		miss("its wr.toml has no [project]", "add a line [project] to "+path.Join(d.Path, config.Name))
	}
	if d.Has("Dockerfile") && !belongsToTools(d.Path) {
		miss("it has a Dockerfile, but neither a devops folder nor a wr.toml", "type `wr init`")
	}
	for _, e := range d.Entries {
		switch name := e.Name(); {
		case name == devops && e.Type()&fs.ModeSymlink != 0:
			miss("devops is a symbolic link that leaves the workspace or leads nowhere", "make it a folder")
		case name == devops && !e.IsDir():
			miss("devops is a file, not a folder", "make it a folder with a Dockerfile")
		case name == config.Name && e.Type()&fs.ModeSymlink != 0 && d.Config == nil:
			miss("wr.toml is a symbolic link that leaves the workspace or leads nowhere", "make it a file")
		case name != devops && strings.EqualFold(name, devops), name != config.Name && strings.EqualFold(name, config.Name):
			miss(name+" is not written in lower case", "rename it to "+strings.ToLower(name))
		}
	}
	return misses
}

// belongsToTools reports whether a directory lies in a devops folder or in a
// hidden one, such as .devcontainer.
func belongsToTools(dir string) bool {
	return slices.ContainsFunc(strings.Split(dir, "/"), func(part string) bool {
		return part == devops || part != "." && strings.HasPrefix(part, ".")
	})
}

// linkedMisses explains symbolic links in d to directories that look like
// projects: links are never followed.
func linkedMisses(d Dir) []NearMiss {
	var misses []NearMiss
	for _, e := range d.Entries {
		host := filepath.Join(d.host(), e.Name())
		if e.Type()&fs.ModeSymlink == 0 || !isDir(filepath.Join(host, devops)) && !isFile(filepath.Join(host, config.Name)) {
			continue
		}
		misses = append(misses, NearMiss{
			Path: path.Join(d.Path, e.Name()), Why: "a symbolic link, which discovery does not follow",
			Next: "use the project where it really is",
		})
	}
	return misses
}
