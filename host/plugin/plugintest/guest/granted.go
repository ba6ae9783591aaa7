package main

import (
	"io/fs"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
)

// granted is a tree of which only the files are there that a manifest asks for: a
// plugin that needs more than it says does not work in its tests either.
type granted struct {
	fs.FS
	globs []string
}

// shows says whether a file is granted.
func (g granted) shows(name string) bool {
	return slices.ContainsFunc(g.globs, func(glob string) bool { return doublestar.MatchUnvalidated(glob, name) })
}

// Open opens a directory, or a file that is granted.
func (g granted) Open(name string) (fs.File, error) {
	f, err := g.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return directory{f.(fs.ReadDirFile), g, name}, nil
	}
	if err == nil && !g.shows(name) {
		err = &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// directory lists directories, and of all else what is granted.
type directory struct {
	fs.ReadDirFile
	tree granted
	name string
}

// ReadDir reads like a directory of the system does.
func (d directory) ReadDir(n int) ([]fs.DirEntry, error) {
	for {
		entries, err := d.ReadDirFile.ReadDir(n)
		kept := slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
			return !e.IsDir() && !d.tree.shows(join(d.name, e.Name()))
		})
		if n <= 0 || err != nil || len(kept) > 0 {
			return kept, err
		}
	}
}

func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}
