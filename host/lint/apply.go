package lint

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/wr-build/wr/host/edit"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// disjoint are the fixes that can be applied at once: each that overlaps an
// earlier one, in whatever file, is left for later.
func disjoint(fixes []abi.Fix) []abi.Edit {
	var taken []abi.Edit
	for _, fix := range fixes {
		free := !slices.ContainsFunc(fix.Edits, func(e abi.Edit) bool {
			return slices.ContainsFunc(taken, func(other abi.Edit) bool { return overlap(e, other) })
		})
		if free {
			taken = append(taken, fix.Edits...)
		}
	}
	return taken
}

// overlap reports whether two edits are of the same bytes. Two that insert at the
// same place do: which one comes first is nobody's to say.
func overlap(a, b abi.Edit) bool {
	if a.File != b.File {
		return false
	}
	return a.Start < b.End && b.Start < a.End || a.Start == b.Start
}

// apply applies edits to files and returns those that were written, sorted. seen is
// what counts of a file as the edits are of it. A file that is different by now is
// left as it is, and is a fault.
func (t *Tree) apply(edits []abi.Edit, seen map[string]string) (written []string, err error) {
	root, err := os.OpenRoot(t.root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	byFile := map[string][]abi.Edit{}
	for _, e := range edits {
		byFile[e.File] = append(byFile[e.File], e)
	}
	var faults []error
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		done, err := change(root, file, byFile[file], seen[file])
		if err != nil {
			faults = append(faults, notApplied(file, err))
		}
		if done {
			written = append(written, file)
		}
	}
	t.forget(written)
	return written, errors.Join(faults...)
}

// change applies edits to one file and reports whether it is another one now.
func change(root *os.Root, file string, edits []abi.Edit, seen string) (done bool, err error) {
	content, info, err := readRegular(root, file)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256(content)
	if _, was, _ := strings.Cut(seen, " "); was != hex.EncodeToString(sum[:]) {
		return false, edit.ErrChanged
	}
	fresh, err := edit.Text(content, edits)
	if err != nil || bytes.Equal(fresh, content) {
		return false, err
	}
	return true, replace(root, file, fresh, info)
}

func readRegular(root *os.Root, file string) ([]byte, fs.FileInfo, error) {
	f, err := root.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		return nil, nil, err
	}
	content, err := io.ReadAll(f)
	return content, info, err
}

// replace writes a file by renaming a new one over it, with the mode and the owner
// that it had.
func replace(root *os.Root, file string, content []byte, old fs.FileInfo) error {
	name := path.Join(path.Dir(file), "."+path.Base(file)+"."+rand.Text()[:8])
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if stat, ok := old.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		err = errors.Join(err, f.Chown(int(stat.Uid), int(stat.Gid)))
	}
	err = errors.Join(err, f.Chmod(old.Mode().Perm()), f.Close())
	if err == nil {
		err = root.Rename(name, file)
	}
	if err != nil {
		return errors.Join(err, root.Remove(name))
	}
	return nil
}

func notApplied(file string, err error) error {
	f := &fault.Error{Code: "lint.not_applied", File: file, Message: "could not be mended: " + err.Error(), Next: "run wr lint --fix again", Err: err}
	if full := fault.Disk(err, ""); full != nil {
		return full
	}
	return f
}
