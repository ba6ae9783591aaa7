package workspace

import (
	"fmt"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/wr-build/wr/host/config"
)

// neverWalked reports whether directories of this name hold tools' own files
// and never projects.
func neverWalked(name string) bool {
	switch name {
	case ".git", ".hg", ".svn", ".wr", "__pycache__", "node_modules", "site-packages",
		".venv", ".tox", ".nox", ".eggs", ".mypy_cache", ".pytest_cache", ".ruff_cache",
		".hypothesis", ".ipynb_checkpoints":
		return true
	}
	return false
}

// CanHoldProjects reports whether directories of this name may be projects:
// they are neither left out of every walk nor the devops folder of one.
func CanHoldProjects(name string) bool { return name != devops && !neverWalked(name) }

// isCache reports whether what lies in d marks it as a virtual environment or
// a cache (bford.info/cachedir). The root always counts.
func isCache(d Dir) bool {
	return d.Path != "." && (d.Has("pyvenv.cfg") || d.Has("CACHEDIR.TAG"))
}

// scope holds the rules that are in force in one directory.
type scope struct {
	ignores  *ignores
	excludes *excludes
}

// prunes says why the directory at the workspace path dir does not count, or "".
func (s scope) prunes(dir string) string {
	for e := s.excludes; e != nil; e = e.above {
		if glob := e.match(dir); glob != "" {
			return fmt.Sprintf("[workspace] exclude = %q in %s", glob, path.Join(e.dir, config.Name))
		}
	}
	if file, line := s.ignores.match(dir); line > 0 {
		return fmt.Sprintf("%s:%d", file, line)
	}
	return ""
}

// excludes holds the globs of one [workspace]. Those of a sub-repo hold below
// it as well, so that it has the same projects alone and as a part.
type excludes struct {
	above *excludes
	dir   string // workspace path that the globs are relative to
	globs []string
}

// match returns the first glob that dir matches, or "".
func (e *excludes) match(dir string) string {
	if e.dir != "." {
		dir = strings.TrimPrefix(dir, e.dir+"/")
	}
	for _, glob := range e.globs {
		if doublestar.MatchUnvalidated(path.Clean(glob), dir) {
			return glob
		}
	}
	return ""
}
