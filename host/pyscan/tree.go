package pyscan

import (
	"bytes"
	"context"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Tree is what the files of a directory say about tests, all taken together.
type Tree struct {
	Version   int      `json:"version"`
	Config    Config   `json:"config"`
	Tests     []File   `json:"tests,omitempty"`     // by path; with the reasons that conftest files give
	Conftests []File   `json:"conftests,omitempty"` // by path
	Reasons   []Reason `json:"reasons,omitempty"`   // what is not decided about the tree as a whole
}

// Options say what to discover.
type Options struct {
	Dir   string   // where pytest is started; "" is "."
	Paths []string // its arguments, relative to Dir; none = testpaths, or all of Dir
	Skip  []string // directories of the tree that are somebody else's: nested projects
}

// Discover finds and reads the tests below a directory of fsys, which has to be
// the whole workspace: settings and imported modules lie above. Where links must
// not lead out of it, fsys is [os.Root.FS]. An error is a fault of pytest's own
// settings, or the end of ctx.
func Discover(ctx context.Context, fsys fs.FS, opts Options) (*Tree, error) {
	dir := path.Clean(opts.Dir)
	config, err := Configure(fsys, dir, opts.Paths...)
	if err != nil {
		return nil, err
	}
	f := &finder{
		fsys: fsys, config: config, skip: opts.Skip,
		files: globs(config.Files), noRecurse: globs(config.NoRecurse),
	}
	if err := f.find(ctx, f.starts(dir, opts.Paths)); err != nil {
		return nil, err
	}
	r := &reader{fsys: fsys, rules: config.Rules().patterns()}
	t := &Tree{Version: Version, Config: config}
	if t.Conftests, err = r.all(ctx, f.conftests); err != nil {
		return nil, err
	}
	ignore := ignored(t.Conftests)
	if t.Tests, err = r.all(ctx, without(f.tests, ignore)); err != nil {
		return nil, err
	}
	f.doctests(without(f.texts, ignore))
	t.Reasons = slices.Concat(config.Reasons, f.reasons)
	j := newJoin(t, r, dir)
	j.run()
	return t, nil
}

// doctests notes text files with examples, which pytest runs as one case each.
func (f *finder) doctests(texts []string) {
	for _, at := range texts {
		data, err := readFile(f.fsys, at, maxSource)
		if err != nil {
			f.doubt(CodeUnreadable, at, plainError(err))
		} else if bytes.Contains(data, []byte(">>>")) {
			f.doubt(CodeDoctest, at, "examples in a text file")
		}
	}
}

// reader reads and scans files.
type reader struct {
	fsys  fs.FS
	rules patterns
}

// one reads and scans one file.
func (r *reader) one(name string) File {
	src, err := readFile(r.fsys, name, maxSource)
	if err != nil {
		return File{Version: Version, Name: name, Reasons: []Reason{{Code: CodeUnreadable, Doubt: Cases, What: plainError(err)}}}
	}
	return scan(name, src, r.rules)
}

// all reads and scans files, several at a time.
func (r *reader) all(ctx context.Context, names []string) ([]File, error) {
	files := make([]File, len(names))
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(len(names), runtime.GOMAXPROCS(0)) {
		group.Go(func() error {
			for i := int(next.Add(1)) - 1; i < len(names) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				files[i] = r.one(names[i])
			}
			return context.Cause(ctx)
		})
	}
	return files, group.Wait()
}

// ignored are the paths and globs that conftest files leave out.
type ignores struct {
	paths map[string]bool
	globs []ignoreGlob
}

// ignoreGlob is a glob of collect_ignore_glob. The conftest.py of a directory
// speaks for what lies in it.
type ignoreGlob struct {
	dir  string
	glob glob
}

func ignored(conftests []File) ignores {
	all := ignores{paths: map[string]bool{}}
	for _, f := range conftests {
		dir := path.Dir(f.Name)
		for _, p := range f.Ignore {
			all.paths[path.Join(dir, p)] = true
		}
		for _, p := range f.IgnoreGlob {
			all.globs = append(all.globs, ignoreGlob{dir, glob{re: fnmatch("/" + path.Join(dir, p))}})
		}
	}
	return all
}

// without leaves out the files that are ignored, or that lie in directories
// that are.
func without(names []string, ignore ignores) []string {
	if len(ignore.paths) == 0 && len(ignore.globs) == 0 {
		return names
	}
	var all []string
	for _, name := range names {
		if !ignore.match(name) {
			all = append(all, name)
		}
	}
	return all
}

// match reports whether a path, or a directory above it, is ignored.
func (i ignores) match(name string) bool {
	for at := name; at != "."; at = path.Dir(at) {
		if i.paths[at] {
			return true
		}
		for _, g := range i.globs {
			if within(at, g.dir) && g.glob.re.MatchString("/"+at) {
				return true
			}
		}
	}
	return false
}

// NodeIDs are the ids of all cases of the tree that are known, as pytest writes
// them: with the path relative to its root.
func (t *Tree) NodeIDs() []string {
	var all []string
	for i := range t.Tests {
		f := &t.Tests[i]
		for j := range f.Cases {
			for _, id := range f.Cases[j].IDs() {
				all = append(all, t.relative(f.Name)+"::"+id)
			}
		}
	}
	return all
}

// relative is a path as seen from pytest's root.
func (t *Tree) relative(name string) string {
	if t.Config.RootDir == "." {
		return name
	}
	return strings.TrimPrefix(name, t.Config.RootDir+"/")
}
