package deps

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// own knows which modules are the workspace's.
type own struct {
	fsys    fs.FS
	project string
	named   []string
	known   map[string]bool // by path without ending
}

func newOwn(fsys fs.FS, project string, named []string) *own {
	return &own{fsys: fsys, project: project, named: named, known: map[string]bool{}}
}

// has says whether a module is found where Python looks when it runs that file:
// beside it, above its package, in the project and its src, in the workspace's root.
func (o *own) has(module, file string) bool {
	if slices.Contains(o.named, module) {
		return true
	}
	dir := path.Dir(file)
	for _, root := range []string{dir, o.packageRoot(dir), o.project, path.Join(o.project, "src"), "."} {
		if o.at(path.Join(root, module)) {
			return true
		}
	}
	return false
}

// packageRoot is the first directory above that is no package.
func (o *own) packageRoot(dir string) string {
	for dir != "." && o.isFile(path.Join(dir, "__init__.py")) {
		dir = path.Dir(dir)
	}
	return dir
}

// at says whether a module is at a path, which has no ending.
func (o *own) at(name string) bool {
	found, seen := o.known[name]
	if !seen {
		found = o.isFile(name+".py") || o.hasPython(name, maxDepth)
		o.known[name] = found
	}
	return found
}

func (o *own) isFile(name string) bool {
	info, err := fs.Stat(o.fsys, name)
	return err == nil && info.Mode().IsRegular()
}

// maxDepth is how deep below a directory there has to be Python for it to be a
// package: one of a namespace has none in itself.
const maxDepth = 3

func (o *own) hasPython(dir string, depth int) bool {
	entries, err := fs.ReadDir(o.fsys, dir)
	if err != nil || depth == 0 {
		return false
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		if e.IsDir() {
			return !strings.HasPrefix(e.Name(), ".") && o.hasPython(path.Join(dir, e.Name()), depth-1)
		}
		return path.Ext(e.Name()) == ".py"
	})
}
