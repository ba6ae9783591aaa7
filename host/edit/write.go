package edit

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Change is what becomes of one file.
type Change struct {
	Content []byte            // all of it, whatever there is now
	Edits   []abi.Edit        // or, if there are any, edits of what there is now,
	Was     [sha256.Size]byte // of which this is the hash
}

// ErrChanged is that a file is not what its edits are of.
var ErrChanged = errors.New("it was changed meanwhile")

// Write makes changes below root, by paths with slashes, and returns those of the
// files that are others now, sorted. Directories are made as needed.
func Write(root state.Folder, changes map[string]Change) (written []string, err error) {
	w := &writing{root: root}
	defer func() { err = errors.Join(err, w.discard()) }()
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if err := w.draft(name, changes[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return w.publish()
}

// writing is a set of files that lie beside those that they are going to be.
type writing struct {
	root   state.Folder
	drafts []draft
	made   []string // directories, the outer ones first
}

// draft is a file that is written and not yet where it belongs.
type draft struct {
	file, name string // name is its own, in the directory of file
}

// draft writes the draft of a change. Where nothing changes there is none.
func (w *writing) draft(file string, c Change) error {
	if !fs.ValidPath(file) || file == "." {
		return errors.New("it is no path of the workspace")
	}
	dir, err := w.enter(path.Dir(file), w.mkdir)
	if err != nil {
		return err
	}
	defer dir.Close()
	old, info, err := current(dir, path.Base(file))
	if err != nil {
		return err
	}
	fresh, err := c.of(old, info != nil)
	if err != nil || info != nil && bytes.Equal(old, fresh) {
		return err
	}
	d := draft{file, "." + state.Random(8)}
	w.drafts = append(w.drafts, d)
	return fill(dir, d.name, fresh, info)
}

// of is what a file with old in it becomes.
func (c Change) of(old []byte, there bool) ([]byte, error) {
	if len(c.Edits) == 0 {
		return c.Content, nil
	}
	if !there || sha256.Sum256(old) != c.Was {
		return nil, ErrChanged
	}
	return Text(old, c.Edits)
}

// enter opens a directory, name by name; missing is asked for what is not there.
func (w *writing) enter(dir string, missing func(in state.Folder, name, path string) (state.Folder, error)) (state.Folder, error) {
	at, err := w.root.Again()
	if err != nil || dir == "." {
		return at, err
	}
	parts := strings.Split(dir, "/")
	for i, part := range parts {
		next, err := at.Existing(part)
		if errors.Is(err, fs.ErrNotExist) {
			next, err = missing(at, part, path.Join(parts[:i+1]...))
		}
		_ = at.Close()
		if err != nil {
			return state.Folder{}, err
		}
		at = next
	}
	return at, nil
}

// mkdir makes a directory.
func (w *writing) mkdir(in state.Folder, name, path string) (state.Folder, error) {
	made, err := in.Fresh(name)
	if err == nil {
		w.made = append(w.made, path)
	}
	return made, err
}

// gone is that a directory is not there any more.
func gone(_ state.Folder, _, path string) (state.Folder, error) {
	return state.Folder{}, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
}

// current is what there is now; info nil = nothing.
func current(dir state.Folder, base string) ([]byte, fs.FileInfo, error) {
	info, err := dir.Lstat(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, errors.New("it is no regular file")
	}
	f, err := dir.OpenFile(base, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	opened, err := f.Stat()
	if err == nil && !os.SameFile(info, opened) {
		err = ErrChanged
	}
	if err != nil {
		return nil, nil, err
	}
	content, err := io.ReadAll(f)
	return content, opened, err
}

// fill writes a new file, with the mode and owner of the one whose place it takes.
func fill(dir state.Folder, name string, content []byte, old fs.FileInfo) error {
	f, err := dir.NewFile(name)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if old != nil {
		if stat, ok := old.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
			err = errors.Join(err, f.Chown(int(stat.Uid), int(stat.Gid)))
		}
		err = errors.Join(err, f.Chmod(old.Mode().Perm()))
	}
	return errors.Join(err, f.Close())
}

// publish has each draft take its place.
func (w *writing) publish() (written []string, err error) {
	for len(w.drafts) > 0 {
		d := w.drafts[0]
		dir, err := w.enter(path.Dir(d.file), gone)
		if err == nil {
			err = errors.Join(dir.Rename(d.name, path.Base(d.file)), dir.Close())
		}
		if err != nil {
			return written, fmt.Errorf("%s: %w", d.file, err)
		}
		written, w.drafts, w.made = append(written, d.file), w.drafts[1:], nil
	}
	return written, nil
}

// discard removes the drafts that are left, and what was made for them alone.
func (w *writing) discard() error {
	var errs []error
	for _, d := range w.drafts {
		dir, err := w.enter(path.Dir(d.file), gone)
		if err == nil {
			err = errors.Join(dir.Remove(d.name), dir.Close())
		}
		if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, made := range slices.Backward(w.made) {
		_ = w.root.Remove(made) // one that has something in it by now stays
	}
	return errors.Join(errs...)
}
