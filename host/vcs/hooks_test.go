package vcs_test

import (
	"path/filepath"
	"testing"
)

func TestHooksAreWhereGitLooksForThem(t *testing.T) {
	w := newRepo(t, "a", "deep/b")
	elsewhere := t.TempDir()
	for configured, want := range map[string]struct {
		dir    string
		shared bool
	}{
		"":        {filepath.Join(w.dir, ".git/hooks"), false},
		".husky":  {filepath.Join(w.dir, ".husky"), false},
		elsewhere: {elsewhere, true},
	} {
		w.git("config", "core.hooksPath", configured)
		if configured == "" {
			w.git("config", "--unset", "core.hooksPath")
		}
		for _, at := range []tree{w, w.in("deep")} {
			got, err := at.open().Hooks(t.Context())
			if err != nil || got.Top != w.dir || got.Dir != want.dir || got.Shared != want.shared {
				t.Errorf("%q: got %+v, %v, want %+v", configured, got, err, want)
			}
		}
	}
}

func TestHooksOfAWorkTreeBesideAreThoseOfTheRepository(t *testing.T) {
	w := newRepo(t, "a")
	beside := filepath.Join(t.TempDir(), "beside")
	w.git("worktree", "add", "-q", beside)
	got, err := (tree{t, beside}).open().Hooks(t.Context())
	if err != nil || got.Dir != filepath.Join(w.dir, ".git/hooks") || got.Shared || got.Top == w.dir {
		t.Errorf("got %+v, %v", got, err)
	}
}
