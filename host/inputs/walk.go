package inputs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wr-build/wr/runtime/spec"
)

// entry is one file of the context.
type entry struct {
	rel, abs string
	info     fs.FileInfo
}

// walk visits the files that include matches and exclude does not, and the
// directories above them, as BuildKit's transfer of the context would, which is
// without what wr itself keeps there.
type walk struct {
	root             string
	include, exclude *filter
	visit            func(entry) error
}

// parent is a directory that is being walked.
type parent struct {
	entry
	up               *parent
	include, exclude verdict
	visited          bool
}

// dir walks a directory.
func (w *walk) dir(ctx context.Context, p parent) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	children, err := os.ReadDir(filepath.Join(w.root, p.rel))
	if err != nil {
		skipped := p.rel != "" && !p.visited && errors.Is(err, fs.ErrPermission)
		if skipped || errors.Is(err, fs.ErrNotExist) && p.rel != "" {
			return nil
		}
		return unreadable(p.rel, err)
	}
	for _, c := range children {
		if err := w.child(ctx, &p, c); err != nil {
			return err
		}
	}
	return nil
}

// child decides on one entry of a directory and goes down into it.
func (w *walk) child(ctx context.Context, p *parent, d fs.DirEntry) error {
	rel := filepath.Join(p.rel, d.Name())
	if rel == spec.State {
		return nil // or each run would make another key
	}
	included, err := w.include.match(rel, p.include, true)
	if err != nil {
		return err
	}
	if !included.yes && (!d.IsDir() || !w.include.mayHold(rel)) {
		return nil
	}
	excluded, err := w.exclude.match(rel, p.exclude, false)
	if err != nil {
		return err
	}
	if excluded.yes && (!d.IsDir() || !w.exclude.mayHold(rel)) {
		return nil
	}
	here := parent{entry: entry{rel: rel, abs: filepath.Join(w.root, rel)}, up: p, include: included, exclude: excluded}
	if included.yes && !excluded.yes {
		if err := w.reach(&here, d); err != nil {
			return err
		}
	}
	if d.IsDir() {
		return w.dir(ctx, here)
	}
	return nil
}

// reach visits an entry after the directories above it.
func (w *walk) reach(p *parent, d fs.DirEntry) error {
	info, err := d.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed since the directory was read
	}
	if err != nil {
		return unreadable(p.rel, err)
	}
	p.info = info
	if err := w.above(p.up); err != nil {
		return err
	}
	p.visited = true
	return w.visit(p.entry)
}

// above visits a directory that was not asked for itself, and those above it.
func (w *walk) above(p *parent) error {
	if p == nil || p.visited || p.rel == "" {
		return nil
	}
	if err := w.above(p.up); err != nil {
		return err
	}
	info, err := os.Lstat(p.abs)
	if err != nil {
		return unreadable(p.rel, err)
	}
	p.info, p.visited = info, true
	return w.visit(p.entry)
}
