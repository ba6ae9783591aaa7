package edit_test

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/edit"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestTextIsEditedWhereItSays(t *testing.T) {
	at := func(start, end int64, text string) abi.Edit { return abi.Edit{Start: start, End: end, Text: text} }
	tests := map[string]struct {
		edits []abi.Edit
		want  string // "" = it is refused
	}{
		"none":                 {nil, "abcdef"},
		"in any order":         {[]abi.Edit{at(4, 6, "Y"), at(0, 1, "X")}, "XbcdY"},
		"two at one place":     {[]abi.Edit{at(2, 2, "1"), at(2, 2, "2")}, "ab12cdef"},
		"at the end":           {[]abi.Edit{at(6, 6, "!")}, "abcdef!"},
		"one behind another":   {[]abi.Edit{at(0, 2, ""), at(2, 3, "C")}, "Cdef"},
		"overlapping":          {[]abi.Edit{at(0, 3, ""), at(2, 4, "")}, ""},
		"behind the end":       {[]abi.Edit{at(5, 7, "")}, ""},
		"before the beginning": {[]abi.Edit{at(-1, 0, "")}, ""},
		"backwards":            {[]abi.Edit{at(3, 2, "")}, ""},
	}
	for name, test := range tests {
		got, err := edit.Text([]byte("abcdef"), test.edits)
		if string(got) != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// workspace makes files, and links where the content begins with "->".
func workspace(t *testing.T, files map[string]string) (dir string, root state.Folder) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(at), 0o755)
		if to, link := strings.CutPrefix(text, "->"); link {
			err = errors.Join(err, os.Symlink(to, at))
		} else {
			err = errors.Join(err, os.WriteFile(at, []byte(text), 0o640))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := state.Root(dir, spec.Owner{UID: os.Getuid(), GID: os.Getgid()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return dir, root
}

// tree is what lies below dir.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, at)
		switch {
		case err != nil:
			return err
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(at)
			all[name] = "->" + to
			return err
		case d.IsDir() && name != ".":
			all[name] = "dir"
		case !d.IsDir():
			text, err := os.ReadFile(at)
			all[name] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func whole(text string) edit.Change { return edit.Change{Content: []byte(text)} }

func inserted(was, text string) edit.Change {
	return edit.Change{Was: sha256.Sum256([]byte(was)), Edits: []abi.Edit{{Text: text}}}
}

func TestFilesAreWrittenAndEdited(t *testing.T) {
	dir, root := workspace(t, map[string]string{"a.py": "one", "same.py": "same", "sub/b.py": "two"})
	if err := os.Chmod(filepath.Join(dir, "a.py"), 0o751); err != nil {
		t.Fatal(err)
	}
	written, err := edit.Write(root, map[string]edit.Change{
		"a.py": inserted("one", "new "), "same.py": whole("same"), "sub/b.py": whole("2"), "x/y/z.txt": whole("made"), "empty": whole(""),
	})
	if err != nil || !slices.Equal(written, []string{"a.py", "empty", "sub/b.py", "x/y/z.txt"}) {
		t.Errorf("wrote %q, %v", written, err)
	}
	want := map[string]string{"a.py": "new one", "same.py": "same", "sub": "dir", "sub/b.py": "2", "x": "dir", "x/y": "dir", "x/y/z.txt": "made", "empty": ""}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
	for name, mode := range map[string]fs.FileMode{"a.py": 0o751, "sub/b.py": 0o640, "x/y/z.txt": 0o644} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestNothingIsWrittenWhereOneFileCannotBe(t *testing.T) {
	outside := t.TempDir()
	files := map[string]string{
		"a.py": "one", "dir/b": "b", "out": "->" + outside, "in": "->dir", "link.py": "->a.py", "new": "->" + filepath.Join(outside, "new"),
	}
	for name, change := range map[string]edit.Change{
		"b/../a.py": whole("x"), "../x": whole("x"), "/x": whole("x"), ".": whole("x"), "": whole("x"),
		"out/x": whole("x"), "in/x": whole("x"), "link.py": whole("x"), "new": whole("x"), "new/x": whole("x"),
		"dir": whole("x"), "a.py/x": whole("x"),
		"gone.py": inserted("one", "x"), "a.py": inserted("two", "x"),
	} {
		dir, root := workspace(t, files)
		written, err := edit.Write(root, map[string]edit.Change{
			name: change, "0/1/first.txt": whole("x"), "0/1/second.txt": whole("x"), "dir/b": whole("other"), "zz/last.txt": whole("x"),
		})
		if err == nil || len(written) > 0 || name != "" && !strings.Contains(err.Error(), name) {
			t.Errorf("%q: wrote %q, %v", name, written, err)
		}
		want := map[string]string{"dir": "dir"}
		maps.Copy(want, files)
		if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
			t.Errorf("%q: %s", name, diff)
		}
		if left := tree(t, outside); len(left) > 0 {
			t.Errorf("%q: outside there is %v", name, left)
		}
	}
}

func TestAChangedFileKeepsItsChange(t *testing.T) {
	_, root := workspace(t, map[string]string{"a.py": "mine"})
	if _, err := edit.Write(root, map[string]edit.Change{"a.py": inserted("one", "x")}); !errors.Is(err, edit.ErrChanged) {
		t.Errorf("got %v", err)
	}
}
