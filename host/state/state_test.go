package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
)

// open opens the state of a workspace, as its owner.
func open(t *testing.T, root string) state.Folder {
	t.Helper()
	f, err := state.Open(root, spec.Owner{UID: os.Getuid(), GID: os.Getgid()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestGitSeesNothingOfTheState(t *testing.T) {
	root := t.TempDir()
	open(t, root)
	open(t, root) // again changes nothing
	text, err := os.ReadFile(filepath.Join(state.Path(root), ".gitignore"))
	if err != nil || string(text) != "*\n" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestAPrivateFolderIsItsOwnersAlone(t *testing.T) {
	root := t.TempDir()
	f := open(t, root)
	if err := f.Mkdir("shell", 0o755); err != nil {
		t.Fatal(err)
	}
	private, err := f.Private("shell")
	if err != nil {
		t.Fatal(err)
	}
	defer private.Close()
	info, err := os.Stat(filepath.Join(state.Path(root), "shell"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
}

func TestALinkInPlaceOfAFolderIsNotFollowed(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	f := open(t, root)
	if err := os.Symlink(elsewhere, filepath.Join(state.Path(root), "shell")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Private("shell"); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("got %v", err)
	}
}

func TestNoTwoProjectsShareAName(t *testing.T) {
	seen := map[string]string{}
	for _, project := range []string{".", "a", "a/b", "a+b", "a%2Fb", "a%2Bb", "+"} {
		name := state.Name(project)
		if other, ok := seen[name]; ok || !filepath.IsLocal(name) || filepath.Base(name) != name {
			t.Errorf("%q is called %q, as is %q", project, name, other)
		}
		seen[name] = project
	}
}
