package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Dir is one directory that a walk saw.
type Dir struct {
	Path      string        // workspace path
	Entries   []fs.DirEntry // sorted by name
	Config    *config.File  // its wr.toml, or nil; not read when Pruned
	ConfigErr error         // mistakes in its wr.toml
	Pruned    string        // why nothing in here counts; "" = it does

	root string // host path of the workspace
}

// IsProject is the one definition of a project.
func (d Dir) IsProject() bool {
	return d.Pruned == "" && (d.Config != nil && d.Config.Project != nil || d.HasDir(devops))
}

// Has reports whether the directory has a regular file called name, or a
// symbolic link to one inside the workspace.
func (d Dir) Has(name string) bool {
	entry, ok := d.entry(name)
	return ok && leadsTo(d.root, filepath.Join(d.host(), name), entry.Type(), fs.FileMode.IsRegular)
}

// HasDir is Has for directories.
func (d Dir) HasDir(name string) bool {
	entry, ok := d.entry(name)
	return ok && leadsTo(d.root, filepath.Join(d.host(), name), entry.Type(), fs.FileMode.IsDir)
}

// entry returns the entry called name.
func (d Dir) entry(name string) (fs.DirEntry, bool) {
	i, found := slices.BinarySearchFunc(d.Entries, name, func(e fs.DirEntry, name string) int {
		return strings.Compare(e.Name(), name)
	})
	if !found {
		return nil, false
	}
	return d.Entries[i], true
}

// leadsTo reports whether the file at path, of the given type, is wanted. A
// symbolic link stands for what it leads to, unless that lies outside of root.
func leadsTo(root, path string, mode fs.FileMode, wanted func(fs.FileMode) bool) bool {
	if mode&fs.ModeSymlink == 0 {
		return wanted(mode)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	if rel, err := filepath.Rel(root, real); err != nil || !filepath.IsLocal(rel) {
		return false
	}
	info, err := os.Stat(real)
	return err == nil && wanted(info.Mode())
}

// host returns the directory's host path.
func (d Dir) host() string { return filepath.Join(d.root, filepath.FromSlash(d.Path)) }

// Walk calls visit for each directory of the workspace at root, pruned as
// discovery prunes, one at a time and in no particular order. What cannot be
// read is returned as faults.
func Walk(ctx context.Context, root string, visit func(Dir)) ([]*fault.Error, error) {
	walk := walker{root: root, readDir: os.ReadDir, visit: visit}
	err := walk.run(ctx)
	return walk.faults, err
}

// readDirFunc is os.ReadDir.
type readDirFunc func(string) ([]fs.DirEntry, error)

// walker goes through a tree in parallel. It never follows symbolic links.
type walker struct {
	root    string
	readDir readDirFunc
	visit   func(Dir) // one call at a time
	shadows bool      // visit what is ignored or excluded as well, with Pruned set

	group  *errgroup.Group
	mu     sync.Mutex // guards faults and the calls of visit
	faults []*fault.Error
}

// run walks everything and waits for the end.
func (w *walker) run(ctx context.Context) error {
	above, err := ignoresAbove(w.root)
	if err != nil {
		return err
	}
	w.group, ctx = errgroup.WithContext(ctx)
	w.group.SetLimit(min(4*runtime.GOMAXPROCS(0), 32))
	w.group.Go(func() error { return w.dir(ctx, Dir{Path: ".", root: w.root}, scope{ignores: above}) })
	return w.group.Wait()
}

// dir reads one directory, then goes into those below it. Free goroutines take
// some of them; the rest is walked right here, so that the walk cannot block.
func (w *walker) dir(ctx context.Context, d Dir, rules scope) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var err error
	d.Entries, err = w.readDir(d.host())
	if err != nil && (!errors.Is(err, fs.ErrNotExist) || d.Path == ".") {
		w.fault(unreadable(d.Path, err))
	}
	if isCache(d) {
		return nil
	}
	if d.Pruned == "" {
		if d.Has(config.Name) {
			d.Config, d.ConfigErr = config.Load(filepath.Join(d.host(), config.Name), path.Join(d.Path, config.Name))
		}
		rules = w.enter(d, rules)
	}
	w.see(d)
	for _, entry := range d.Entries {
		if err := w.below(ctx, d, entry, rules); err != nil {
			return err
		}
	}
	return nil
}

// below walks one entry of d, if it is a directory that counts.
func (w *walker) below(ctx context.Context, d Dir, entry fs.DirEntry, rules scope) error {
	if !entry.IsDir() || neverWalked(entry.Name()) {
		return nil
	}
	child := Dir{Path: path.Join(d.Path, entry.Name()), Pruned: d.Pruned, root: d.root}
	if child.Pruned == "" {
		child.Pruned = rules.prunes(child.Path)
	}
	if child.Pruned != "" && !w.shadows {
		return nil
	}
	walk := func() error { return w.dir(ctx, child, rules) }
	if w.group.TryGo(walk) {
		return nil
	}
	return walk()
}

// enter adds the rules that d itself has for what lies below it.
func (w *walker) enter(d Dir, rules scope) scope {
	if _, isRepo := d.entry(".git"); isRepo && d.Path != "." {
		rules.ignores = nil // git, too, starts afresh in another repository
	}
	if d.Config != nil && d.Config.Workspace != nil {
		rules.excludes = &excludes{above: rules.excludes, dir: d.Path, globs: d.Config.Workspace.Exclude}
	}
	if entry, ok := d.entry(ignoreFile); ok && entry.Type().IsRegular() {
		own, err := readIgnores(filepath.Join(d.host(), ignoreFile))
		if err != nil {
			w.fault(unreadable(path.Join(d.Path, ignoreFile), err))
			return rules
		}
		own.above, own.base, own.file = rules.ignores, d.Path, path.Join(d.Path, ignoreFile)
		rules.ignores = own
	}
	return rules
}

// see hands d to the visitor.
func (w *walker) see(d Dir) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.visit(d)
}

// fault notes what could not be read.
func (w *walker) fault(f *fault.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, f)
}

// unreadable is the fault of a file or directory that may hide projects.
func unreadable(at string, err error) *fault.Error {
	return &fault.Error{
		Code: "workspace.unreadable", File: at, Err: err,
		Message: fmt.Sprintf("cannot be read, so projects in it are unknown: %s", plain(err)),
		Next:    "make it readable, or name it in [workspace] exclude",
	}
}
