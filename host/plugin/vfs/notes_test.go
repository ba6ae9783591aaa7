package vfs_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/vfs"
)

func TestATreeTellsWhatItsGuestDid(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a.sh", "b.go")
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	mount, err := json.Marshal(vfs.Mount{Globs: []string{"*.sh"}, Limits: vfs.Limits{Files: 2}})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := vfs.NewTree(root, mount)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	start, err := guest()
	if err != nil {
		t.Fatal(err)
	}
	take := func() vfs.Notes {
		n, err := vfs.ReadNotes([][]byte{tree.Notes()}, func() ([]byte, error) {
			var b bytes.Buffer
			err := tree.Take(&b)
			return b.Bytes(), err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if notes := tree.Notes(); notes != nil {
		t.Errorf("got %q before anything was asked", notes)
	}
	start(t, tree.FS(), "read /src/a.sh", "read /src/b.go", "mkdir /out/d", "write /out/d/x hello")
	n := take()
	if want := []trace.Question{{Path: "a.sh", Kind: trace.Read}, {Path: "a.sh", Kind: trace.Stat}, {Path: "b.go", Kind: trace.Stat}}; !slices.Equal(n.Trace.Questions(), want) || n.Trace.Gap() != "" {
		t.Errorf("got %v, gap %q", n.Trace.Questions(), n.Trace.Gap())
	}
	if len(n.Files) != 1 || string(n.Files["d/x"]) != "hello" {
		t.Errorf("got %q", n.Files)
	}
	start(t, tree.FS(), "floodfiles /out")
	if again := take(); len(again.Files) != 2 || again.Trace.Gap() == "" || tree.Exceeded() != "files" {
		t.Errorf("got %d files, gap %q, exceeded %q", len(again.Files), again.Trace.Gap(), tree.Exceeded())
	}
	if files, bytes := tree.Read(); files != 1 || bytes != 4 {
		t.Errorf("got %d files, %d bytes", files, bytes)
	}
}

func TestAWrongMountIsRefused(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, mount := range []string{"", "[]", `{"globs":["../x"]}`} {
		if _, err := vfs.NewTree(root, json.RawMessage(mount)); err == nil {
			t.Errorf("%q is taken", mount)
		}
	}
}

// FuzzReadNotes: what is accepted can be put below a directory as it is.
func FuzzReadNotes(f *testing.F) {
	f.Add(left, vfs.EncodeFiles(map[string][]byte{"a/b": []byte("x"), "c": nil}))
	for _, name := range []string{"../x", "/x", "", ".", "a/../b", "a//b", "x/.", strings.Repeat("n", 5000)} {
		f.Add(left, vfs.EncodeFiles(map[string][]byte{name: nil}))
	}
	f.Add(left, vfs.EncodeFiles(map[string][]byte{"a": nil, "a/b": nil}))
	f.Fuzz(func(t *testing.T, note, files []byte) {
		n, err := read(note, files)
		if err != nil {
			return
		}
		for name := range n.Files {
			if !filepath.IsLocal(name) || filepath.Clean(name) != name || name == "." || n.Files[filepath.Dir(name)] != nil {
				t.Errorf("%q is accepted", name)
			}
		}
		again, err := read(note, vfs.EncodeFiles(n.Files))
		if err != nil || !maps.EqualFunc(n.Files, again.Files, bytes.Equal) {
			t.Errorf("got %v, %v, want %v", again.Files, err, n.Files)
		}
	})
}

// left is the note that there are files, and that nothing was asked.
var left = vfs.EncodeNote(trace.Trace{}, true)

// read reads a note, and files if it says that there are some.
func read(note, files []byte) (vfs.Notes, error) {
	return vfs.ReadNotes([][]byte{note}, func() ([]byte, error) { return files, nil })
}

func TestPathsThatLeadOutAreNoNotes(t *testing.T) {
	for _, name := range []string{"../x", "/x", "", ".", "a/../b", "a//b", "a/", strings.Repeat("n", 5000)} {
		if _, err := read(left, vfs.EncodeFiles(map[string][]byte{name: nil})); err == nil {
			t.Errorf("%q is accepted", name)
		}
	}
	if _, err := read(left, vfs.EncodeFiles(map[string][]byte{"a": nil, "a/b": nil})); err == nil {
		t.Error("a file in a file is accepted")
	}
}

func TestNotesAreJoinedAndFilesAreOnlyTakenWhereThereAreSome(t *testing.T) {
	one, two := trace.Question{Path: "a", Kind: trace.Stat}, trace.Question{Path: "b", Kind: trace.Stat}
	note := func(q trace.Question, left bool) []byte {
		r := trace.NewRecorder(trace.Limits{})
		r.Add(q, trace.Answer{Failure: trace.Missing})
		return vfs.EncodeNote(r.Take(), left)
	}
	taken := 0
	take := func() ([]byte, error) {
		taken++
		return vfs.EncodeFiles(map[string][]byte{"x": []byte("y")}), nil
	}
	n, err := vfs.ReadNotes([][]byte{note(one, false), note(two, false)}, take)
	if err != nil || taken > 0 || len(n.Files) > 0 || !slices.Equal(n.Trace.Questions(), []trace.Question{one, two}) {
		t.Errorf("got %v, %q, taken %d times, %v", n.Trace.Questions(), n.Files, taken, err)
	}
	n, err = vfs.ReadNotes([][]byte{note(one, true), note(two, false)}, take)
	if err != nil || taken != 1 || string(n.Files["x"]) != "y" || n.Trace.Len() != 2 {
		t.Errorf("got %v, %q, taken %d times, %v", n.Trace.Questions(), n.Files, taken, err)
	}
	for _, damaged := range [][]byte{{}, {2}, {0}, append(note(one, false), 0)} {
		if _, err := vfs.ReadNotes([][]byte{damaged}, take); err == nil {
			t.Errorf("%q is taken", damaged)
		}
	}
}
