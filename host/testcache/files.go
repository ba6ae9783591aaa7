package testcache

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/runtime/spec"
)

// Files are all files of a workspace as they were at one time.
type Files struct {
	// Key is of all that a test can find in them: names, types, permissions, where
	// links lead, contents. Times are not in it, but for those of sources beside
	// which there is bytecode: Python takes that for the source's own by them.
	Key cache.Key

	parts []string // what the key is of: a path each, a zero byte, and what is there
	marks []mark   // by path
}

// mark is a file, and what changes whenever somebody writes to it.
type mark struct {
	path  string // in the workspace, with slashes
	state inputs.State
}

// Look looks at all files of the workspace at root. index knows hashes of contents.
//
// What wr itself keeps there, which may be in directories of its own, is left out,
// and so are the objects of git: an object is named by what is in it, and who reads
// one has its name from a file that counts.
func Look(ctx context.Context, root string, own []string, index *inputs.Index) (*Files, error) {
	all, err := list(ctx, root, own)
	if err != nil {
		return nil, err
	}
	parts := make([]string, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	const share = 256
	for begin := 0; begin < len(all); begin += share {
		group.Go(func() error {
			for i := begin; i < min(begin+share, len(all)); i++ {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				text, err := all[i].describe(root, index)
				if err != nil {
					return err
				}
				parts[i] = text
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	f := &Files{parts: parts, marks: make([]mark, len(all))}
	for i, found := range all {
		f.marks[i] = mark{found.path, inputs.StateOf(found.info)}
	}
	f.Key = cache.KeyOf("workspace files 1", parts...)
	return f, nil
}

// found is what is at a path.
type found struct {
	path     string
	info     fs.FileInfo
	bytecode bool // there may be some of it beside
}

// list finds all files, by path.
func list(ctx context.Context, root string, own []string) ([]found, error) {
	var all []found
	compiled := map[string]bool{} // directories with bytecode of their sources
	err := filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return cmp.Or(context.Cause(ctx), err)
		}
		rel, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if d.IsDir() && (isOwn(name) || slices.Contains(own, at)) {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "__pycache__" {
			compiled[filepath.Dir(at)] = true
		}
		all = append(all, found{path: name, info: info})
		return nil
	})
	for i, f := range all {
		all[i].bytecode = strings.HasSuffix(f.path, ".py") && compiled[filepath.Dir(filepath.Join(root, filepath.FromSlash(f.path)))]
	}
	slices.SortFunc(all, func(a, b found) int { return cmp.Compare(a.path, b.path) })
	return all, err
}

// isOwn reports whether a directory is left out.
func isOwn(name string) bool {
	return name == spec.State || path.Base(name) == "objects" && slices.Contains(strings.Split(path.Dir(name), "/"), ".git")
}

// describe is what tests can find at a path.
func (f found) describe(root string, index *inputs.Index) (string, error) {
	mode := f.info.Mode()
	text := f.path + "\x00" + mode.String() + "\x00"
	at := filepath.Join(root, filepath.FromSlash(f.path))
	switch {
	case mode.IsRegular():
		sum, err := index.SumOf(at, f.info)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.path, err)
		}
		text += hex.EncodeToString(sum[:])
		if f.bytecode {
			text += "\x00" + strconv.FormatInt(f.info.ModTime().Unix(), 10)
		}
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(at)
		return text + target, err
	}
	return text, nil
}

// Changed is a path that was written to since f, made or removed; "" = none. A
// file that was made and removed again has changed its directory.
func (f *Files) Changed(now *Files) string {
	for i, m := range f.marks {
		if i >= len(now.marks) || now.marks[i].path > m.path {
			return m.path
		}
		if now.marks[i] != m {
			return now.marks[i].path
		}
	}
	if len(now.marks) > len(f.marks) {
		return now.marks[len(f.marks)].path
	}
	return ""
}
