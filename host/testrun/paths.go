package testrun

import (
	"path"
	"path/filepath"
	"strings"
)

// paths turns what pytest says, relative to its rootdir, into what wr says.
// All three are container paths.
type paths struct {
	root    string // of the workspace: files are relative to it
	dir     string // of the project: node ids are relative to it
	rootdir string // of pytest
}

// nodeID makes a node id relative to the project.
func (p paths) nodeID(id string) string {
	if p.rootdir == p.dir || p.rootdir == "" {
		return id
	}
	file, rest, found := strings.Cut(id, "::")
	file = relative(p.dir, p.absolute(file))
	if !found {
		return file
	}
	return file + "::" + rest
}

// file makes a file relative to the workspace. Without one, that of the node
// id, as pytest wrote it, is taken.
func (p paths) file(file, id string) string {
	if file == "" {
		file, _, _ = strings.Cut(id, "::")
	}
	absolute := p.absolute(file)
	if rel := relative(p.root, absolute); filepath.IsLocal(rel) {
		return rel
	}
	return absolute
}

func (p paths) absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	base := p.rootdir
	if base == "" {
		base = p.dir
	}
	return path.Join(base, name)
}

func relative(base, target string) string {
	rel, err := filepath.Rel(base, target)
	if err != nil {
		return target
	}
	return filepath.ToSlash(rel)
}
