package pyscan

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// conftest is the file with which a directory extends pytest.
const conftest = "conftest.py"

// finder looks for files as pytest's collection does.
type finder struct {
	fsys      fs.FS
	config    Config
	skip      []string // directories that belong to somebody else
	files     []glob
	noRecurse []glob

	tests     []string // test files, in the order of their paths
	conftests []string
	texts     []string // test*.txt, which may hold doctests
	reasons   []Reason
}

// glob is a pattern for a path: of its name alone if there is no slash in it.
type glob struct {
	name bool
	re   *regexp.Regexp
}

func globs(patterns []string) []glob {
	all := make([]glob, len(patterns))
	for i, p := range patterns {
		all[i].name = !strings.Contains(p, "/")
		if !all[i].name {
			p = "*/" + p
		}
		all[i].re = fnmatch(p)
	}
	return all
}

// match matches a path of the tree as pytest matches the absolute one.
func (g glob) match(p string) bool {
	if g.name {
		return g.re.MatchString(path.Base(p))
	}
	return g.re.MatchString("/" + p)
}

func anyGlob(all []glob, p string) bool {
	return slices.ContainsFunc(all, func(g glob) bool { return g.match(p) })
}

// doubt notes what is not known about the tree as a whole.
func (f *finder) doubt(code, at string, what string) {
	f.reasons = append(f.reasons, Reason{Code: code, Doubt: Cases, File: at, What: what})
}

// starts are the paths at which pytest begins: those it is given, else
// testpaths if it is started in its root, else the directory.
func (f *finder) starts(dir string, paths []string) []string {
	if len(paths) == 0 && dir == f.config.RootDir {
		for _, pattern := range f.config.TestPaths {
			paths = append(paths, f.expand(dir, pattern)...)
		}
	}
	if len(paths) == 0 {
		return []string{dir}
	}
	all := make([]string, len(paths))
	for i, p := range paths {
		all[i] = path.Join(dir, strings.SplitN(p, "::", 2)[0])
	}
	return all
}

// expand finds what a pattern of testpaths matches.
func (f *finder) expand(dir, pattern string) []string {
	sub, err := fs.Sub(f.fsys, dir)
	if err != nil || !fs.ValidPath(path.Clean(pattern)) {
		f.doubt(CodeOption, f.config.File, "testpaths leads out of the tree: "+pattern)
		return nil
	}
	found, err := doublestar.Glob(sub, path.Clean(pattern), doublestar.WithNoHidden())
	if err != nil {
		f.doubt(CodeOption, f.config.File, "testpaths has the pattern "+pattern)
	}
	slices.Sort(found)
	return found
}

// find walks from all starts.
func (f *finder) find(ctx context.Context, starts []string) error {
	for _, start := range starts {
		info, err := fs.Stat(f.fsys, start)
		switch {
		case err != nil:
			f.doubt(CodeUnreadable, start, plainError(err))
		case info.IsDir():
			if err := f.dir(ctx, start); err != nil {
				return err
			}
		default: // a file that is named counts, whatever its name
			f.tests = append(f.tests, start)
		}
		f.above(start)
	}
	f.tests = sorted(f.tests)
	f.conftests = sorted(f.conftests)
	return nil
}

// above adds the conftest files from the root to a start.
func (f *finder) above(start string) {
	for dir := path.Dir(start); within(dir, f.config.RootDir); dir = path.Dir(dir) {
		if name := path.Join(dir, conftest); isFile(f.fsys, name) {
			f.conftests = append(f.conftests, name)
		}
		if dir == "." {
			return
		}
	}
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// dir reads one directory and goes into those below it. The depth is that of
// the tree: symbolic links to directories are not followed.
func (f *finder) dir(ctx context.Context, dir string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	entries, err := fs.ReadDir(f.fsys, dir)
	if err != nil {
		f.doubt(CodeUnreadable, dir, plainError(err))
		return nil
	}
	for _, e := range entries {
		at := path.Join(dir, e.Name())
		switch {
		case e.IsDir():
			if f.ignoresDir(at) {
				continue
			}
			if err := f.dir(ctx, at); err != nil {
				return err
			}
		case e.Type().IsRegular():
			f.file(at)
		case e.Type()&fs.ModeSymlink != 0:
			f.link(at)
		}
	}
	return nil
}

// ignoresDir reports whether pytest does not go into a directory.
func (f *finder) ignoresDir(at string) bool {
	return path.Base(at) == "__pycache__" || slices.Contains(f.skip, at) || anyGlob(f.noRecurse, at) ||
		isFile(f.fsys, path.Join(at, "pyvenv.cfg"))
}

// file notes a file that counts.
func (f *finder) file(at string) {
	name := path.Base(at)
	if name == conftest {
		f.conftests = append(f.conftests, at)
	}
	switch {
	case strings.HasSuffix(name, ".py") && anyGlob(f.files, at):
		f.tests = append(f.tests, at)
	case strings.HasPrefix(name, "test") && strings.HasSuffix(name, ".txt"):
		f.texts = append(f.texts, at)
	}
}

// link notes a symbolic link: a file inside of the tree counts as what it leads
// to. pytest would follow those to directories as well, and nobody wants that
// twice.
func (f *finder) link(at string) {
	if f.ignoresDir(at) {
		return
	}
	info, err := fs.Stat(f.fsys, at)
	switch {
	case errors.Is(err, fs.ErrNotExist): // nor is there anything for pytest
	case err != nil:
		f.doubt(CodeOutside, at, "a symbolic link that leads out of the tree")
	case info.IsDir():
		f.doubt(CodeUnreadable, at, "a symbolic link to a directory, which is not followed")
	case info.Mode().IsRegular():
		f.file(at)
	}
}

// plainError is an error without the operation and the path.
func plainError(err error) string {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err.Error()
	}
	return err.Error()
}
