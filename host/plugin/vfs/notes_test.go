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
		var b bytes.Buffer
		if err := tree.Take(&b); err != nil {
			t.Fatal(err)
		}
		n, err := vfs.DecodeNotes(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return n
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

// FuzzDecodeNotes: what is accepted can be put below a directory as it is.
func FuzzDecodeNotes(f *testing.F) {
	f.Add(vfs.Notes{Files: map[string][]byte{"a/b": []byte("x"), "c": nil}}.Encode())
	for _, name := range []string{"../x", "/x", "", ".", "a/../b", "a//b", "x/.", strings.Repeat("n", 5000)} {
		f.Add(vfs.Notes{Files: map[string][]byte{name: nil}}.Encode())
	}
	f.Add(vfs.Notes{Files: map[string][]byte{"a": nil, "a/b": nil}}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := vfs.DecodeNotes(b)
		if err != nil {
			return
		}
		for name := range n.Files {
			if !filepath.IsLocal(name) || filepath.Clean(name) != name || name == "." || n.Files[filepath.Dir(name)] != nil {
				t.Errorf("%q is accepted", name)
			}
		}
		again, err := vfs.DecodeNotes(n.Encode())
		if err != nil || !maps.EqualFunc(n.Files, again.Files, bytes.Equal) {
			t.Errorf("got %v, %v, want %v", again.Files, err, n.Files)
		}
	})
}

func TestPathsThatLeadOutAreNoNotes(t *testing.T) {
	for _, name := range []string{"../x", "/x", "", ".", "a/../b", "a//b", "a/", strings.Repeat("n", 5000)} {
		if _, err := vfs.DecodeNotes(vfs.Notes{Files: map[string][]byte{name: nil}}.Encode()); err == nil {
			t.Errorf("%q is accepted", name)
		}
	}
	if _, err := vfs.DecodeNotes(vfs.Notes{Files: map[string][]byte{"a": nil, "a/b": nil}}.Encode()); err == nil {
		t.Error("a file in a file is accepted")
	}
}
