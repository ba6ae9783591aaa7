// Package scaffold writes first files: what `wr init` adds to a repository that
// knows nothing of wr, and what `wr new` starts a project with. Deciding and
// writing are apart: a [Plan] is pure data, and writing it never overwrites.
package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Plan is a list of files to write.
type Plan struct {
	Root  string   `json:"root"`  // host path
	Files []File   `json:"files"` // sorted by path; empty when there is nothing to do
	Notes []string `json:"notes,omitempty"`
}

// File is one file to write.
type File struct {
	Path    string `json:"path"` // below Root, slash-separated
	Content string `json:"content"`
	Append  bool   `json:"append,omitempty"` // to what the file has
}

// add puts a file into the plan, unless there is something at its path.
func (p *Plan) add(name, content string) {
	if _, err := os.Lstat(filepath.Join(p.Root, filepath.FromSlash(name))); err == nil {
		return
	}
	p.Files = append(p.Files, File{Path: name, Content: content})
}

// note tells the user what wr leaves to them.
func (p *Plan) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// sort puts the files in order.
func (p *Plan) sort() {
	slices.SortFunc(p.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
}

// Write makes the files. When it runs as root, they belong to owner. A file
// that exists by now is the fault "scaffold.exists"; then, and after any other
// error, what Write made is removed again.
func (p Plan) Write(owner spec.Owner) (err error) {
	root, err := os.OpenRoot(p.Root)
	if err != nil {
		return fmt.Errorf("write files: %w", err)
	}
	defer root.Close()
	w := &writer{root: root, owner: owner, grown: map[string]int64{}}
	defer func() {
		if err != nil {
			w.undo()
		}
	}()
	for _, file := range p.Files {
		if err := w.file(file); err != nil {
			return err
		}
	}
	return nil
}

// writer makes files below a root and remembers them.
type writer struct {
	root  *os.Root
	owner spec.Owner
	made  []string
	grown map[string]int64 // size before something was appended
}

// file makes one file and the directories above it.
func (w *writer) file(f File) error {
	if f.Append {
		return w.extend(f)
	}
	if err := w.dirs(path.Dir(f.Path)); err != nil {
		return err
	}
	out, err := w.root.OpenFile(filepath.FromSlash(f.Path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return &fault.Error{
			Code: "scaffold.exists", Class: fault.Usage, File: f.Path, Err: err,
			Message: "exists already and is not overwritten", Next: "look at it, then type the command again",
		}
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	w.made = append(w.made, f.Path)
	_, err = out.WriteString(f.Content)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	return w.give(f.Path)
}

// extend appends to a file.
func (w *writer) extend(f File) error {
	out, err := w.root.OpenFile(filepath.FromSlash(f.Path), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	info, err := out.Stat()
	if err == nil {
		w.grown[f.Path] = info.Size()
		_, err = out.WriteString(f.Content)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	return nil
}

// dirs makes the directory at name and those above it.
func (w *writer) dirs(name string) error {
	if name == "." {
		return nil
	}
	if err := w.dirs(path.Dir(name)); err != nil {
		return err
	}
	err := w.root.Mkdir(filepath.FromSlash(name), 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	w.made = append(w.made, name)
	return w.give(name)
}

// give hands what root made to the owner of the workspace.
func (w *writer) give(name string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return w.root.Lchown(filepath.FromSlash(name), w.owner.UID, w.owner.GID)
}

// undo removes what was made and appended, as far as it can: the first error
// counts.
func (w *writer) undo() {
	for name, size := range w.grown {
		if f, err := w.root.OpenFile(filepath.FromSlash(name), os.O_WRONLY, 0); err == nil {
			_ = f.Truncate(size)
			_ = f.Close()
		}
	}
	for _, name := range slices.Backward(w.made) {
		_ = w.root.Remove(filepath.FromSlash(name))
	}
}
