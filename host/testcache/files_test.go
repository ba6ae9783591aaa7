package testcache_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wr-build/wr/host/testcache"
)

// tree is a workspace.
type tree struct {
	*testing.T
	dir string
}

func newTree(t *testing.T) tree {
	t.Helper()
	w := tree{t, t.TempDir()}
	w.write("a/b.py", "b = 1\n")
	w.write("a/data.txt", "1\n")
	w.write(".git/HEAD", "ref: refs/heads/main\n")
	w.write(".git/objects/ab/cd", "object")
	w.write("own/results", "")
	w.write(".wr/runs/1/events.ndjson", "{}\n")
	return w
}

func (w tree) path(name string) string { return filepath.Join(w.dir, name) }

func (w tree) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w tree) write(name, text string) {
	w.Helper()
	w.must(os.MkdirAll(filepath.Dir(w.path(name)), 0o755))
	w.must(os.WriteFile(w.path(name), []byte(text), 0o644))
}

func (w tree) look() *testcache.Files {
	w.Helper()
	f, err := testcache.Look(context.Background(), w.dir, []string{w.path("own")}, nil)
	w.must(err)
	return f
}

// Whatever tests can find makes another key, and counts as a change of the path that
// it names; what they cannot, does not.
func TestWhatTestsCanFindCounts(t *testing.T) {
	tests := map[string]struct {
		do      func(w tree)
		sameKey bool
		changed string
	}{
		"nothing":                     {func(tree) {}, true, ""},
		"another content":             {func(w tree) { w.write("a/data.txt", "2\n") }, false, "a/data.txt"},
		"the same content, again":     {func(w tree) { w.write("a/data.txt", "1\n") }, true, "a/data.txt"},
		"a file more":                 {func(w tree) { w.write("a/c.py", "") }, false, "a"},
		"a file less":                 {func(w tree) { w.must(os.Remove(w.path("a/b.py"))) }, false, "a"},
		"an empty directory":          {func(w tree) { w.must(os.Mkdir(w.path("a/b"), 0o755)) }, false, "a"},
		"a file at the end":           {func(w tree) { w.write("z", "") }, false, "."},
		"another name":                {func(w tree) { w.must(os.Rename(w.path("a/b.py"), w.path("a/c.py"))) }, false, "a"},
		"other rights":                {func(w tree) { w.must(os.Chmod(w.path("a/b.py"), 0o755)) }, false, "a/b.py"},
		"a link in its place":         {func(w tree) { w.must(os.Remove(w.path("a/b.py"))); w.must(os.Symlink("data.txt", w.path("a/b.py"))) }, false, "a"},
		"made and removed again":      {func(w tree) { w.write("a/c.py", ""); w.must(os.Remove(w.path("a/c.py"))) }, true, "a"},
		"another branch":              {func(w tree) { w.write(".git/HEAD", "ref: refs/heads/next\n") }, false, ".git/HEAD"},
		"another object of git":       {func(w tree) { w.write(".git/objects/ab/ef", "object") }, true, ""},
		"what wr itself keeps":        {func(w tree) { w.write(".wr/runs/1/events.ndjson", "") }, true, ""},
		"what wr keeps elsewhere":     {func(w tree) { w.write("own/results", "result") }, true, ""},
		"a time that nothing goes by": {func(w tree) { w.must(os.Chtimes(w.path("a/b.py"), time.Unix(1, 0), time.Unix(1, 0))) }, true, "a/b.py"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newTree(t)
			before := w.look()
			test.do(w)
			after := w.look()
			if (before.Key == after.Key) != test.sameKey {
				t.Errorf("the key is the same: %v", before.Key == after.Key)
			}
			if changed := before.Changed(after); changed != test.changed {
				t.Errorf("changed is %q, want %q", changed, test.changed)
			}
		})
	}
}

// Python takes bytecode for that of a source with the same time.
func TestTheTimeOfASourceBesideBytecodeCounts(t *testing.T) {
	w := newTree(t)
	w.write("a/__pycache__/b.cpython-311.pyc", "bytecode")
	before := w.look()
	w.must(os.Chtimes(w.path("a/b.py"), time.Unix(1, 0), time.Unix(1, 0)))
	if w.look().Key == before.Key {
		t.Error("another time makes no other key")
	}
}

func TestWhatCannotBeLookedAtIsAnError(t *testing.T) {
	if _, err := testcache.Look(context.Background(), filepath.Join(t.TempDir(), "gone"), nil, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a root that is not there: %v", err)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if _, err := testcache.Look(ended, newTree(t).dir, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that has ended: %v", err)
	}
}
