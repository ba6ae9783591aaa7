package vcs_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// withSubmodule has one in deep/sub.
func withSubmodule(t *testing.T) (w, sub tree) {
	t.Helper()
	source := newRepo(t, "x", "y")
	w = newRepo(t, "a")
	w.git("submodule", "--quiet", "add", source.dir, "deep/sub")
	w.commit()
	return w, w.in("deep/sub")
}

func TestASubmoduleTellsOfItself(t *testing.T) {
	w, sub := withSubmodule(t)
	base := w.git("rev-parse", "HEAD")
	if s := w.state(); s.Dirty() {
		t.Errorf("at first, %q", s.Changed)
	}
	w.lists("files", ".gitmodules a deep/sub/x deep/sub/y", w.open().Files)
	sub.content("x", "other")
	sub.write("new")
	if s := w.state(); !slices.Equal(s.Changed, []string{"deep/sub/new", "deep/sub/x"}) {
		t.Errorf("edited in it, %q", s.Changed)
	}
	if s := w.in("deep").state(); !slices.Equal(s.Changed, []string{"sub/new", "sub/x"}) {
		t.Errorf("edited in it, from below %q", s.Changed)
	}
	sub.commit()
	if s := w.state(); !slices.Equal(s.Changed, []string{"deep/sub"}) {
		t.Errorf("with another commit, %q", s.Changed)
	}
	w.commit()
	sub.write("newer")
	w.lists("since its former commit", "deep/sub deep/sub/new deep/sub/newer deep/sub/x", since(w.open(), base))
	w.lists("since it was not there", ".gitmodules deep/sub deep/sub/new deep/sub/newer deep/sub/x deep/sub/y", since(w.open(), base+"^"))
	w.lists("files", ".gitmodules a deep/sub/new deep/sub/newer deep/sub/x deep/sub/y", w.open().Files)
	if s := sub.state(); s.Commit != sub.git("rev-parse", "HEAD") || !slices.Equal(s.Changed, []string{"newer"}) {
		t.Errorf("of itself it says %+v", s)
	}
}

func TestASubmoduleThatIsNotCheckedOutHasNoFiles(t *testing.T) {
	w, _ := withSubmodule(t)
	w.git("submodule", "--quiet", "deinit", "--force", "--all")
	w.lists("files", ".gitmodules a", w.open().Files)
	if s := w.state(); s.Dirty() {
		t.Errorf("got %q", s.Changed)
	}
}

func TestACommitThatASubmoduleLacksIsAnError(t *testing.T) {
	w, _ := withSubmodule(t)
	w.git("update-index", "--cacheinfo", "160000,0123456789012345678901234567890123456789,deep/sub")
	w.git("commit", "-q", "-m", "x")
	if got, err := w.open().Changed(t.Context(), "HEAD^"); !fault.HasCode(err, "vcs.failed") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestOtherRepositoriesInsideTellOfThemselves(t *testing.T) {
	w := newRepo(t, "a")
	w.git("init", "-q", "inner")
	w.write("inner/x")
	w.in("inner").commit()
	if s := w.state(); s.Dirty() {
		t.Errorf("got %q", s.Changed)
	}
	w.write("inner/y")
	if s := w.state(); !slices.Equal(s.Changed, []string{"inner/y"}) {
		t.Errorf("got %q", s.Changed)
	}
	w.lists("files", "a inner/x inner/y", w.open().Files)
}

// TestNoSubmoduleLeadsAway has names of submodules that lead out of the work tree, or
// around in it.
func TestNoSubmoduleLeadsAway(t *testing.T) {
	outside := newRepo(t, "x")
	outside.write("dirty")
	w := newRepo(t, "a")
	if err := os.Symlink(".", filepath.Join(w.dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside.dir, filepath.Join(w.dir, "away")); err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, path := range []string{"link", "away", "../" + filepath.Base(outside.dir), outside.dir, ".", "none"} {
		text += "[submodule \"" + path + "\"]\n\tpath = " + path + "\n"
	}
	w.content(".gitmodules", text)
	w.commit()
	if s := w.state(); s.Dirty() {
		t.Errorf("got %q", s.Changed)
	}
}
