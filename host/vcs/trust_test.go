package vcs_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wr-build/wr/host/vcs"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// touched has git look into a file that is as it was, as it does when its time is
// another one.
func (w tree) touched(name string) {
	w.Helper()
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(w.dir, name), then, then); err != nil {
		w.Fatal(err)
	}
}

// asked asks for everything.
func (w tree) asked() {
	w.Helper()
	r := w.open()
	_, err := r.State(w.Context())
	if err != nil {
		w.Error(err)
	}
	for what, ask := range map[string]func() ([]string, error){
		"tags":    func() ([]string, error) { return r.Tags(w.Context()) },
		"changed": func() ([]string, error) { return r.Changed(w.Context(), "HEAD^") },
		"staged":  func() ([]string, error) { return r.Staged(w.Context()) },
		"files":   func() ([]string, error) { return r.Files(w.Context()) },
	} {
		if _, err := ask(); err != nil {
			w.Errorf("%s: %v", what, err)
		}
	}
}

// TestNothingThatTheRepositoryNamesIsRun has programs wherever its configuration
// can have them that leave a trace; git status by itself runs some of them.
func TestNothingThatTheRepositoryNamesIsRun(t *testing.T) {
	for name, arm := range map[string]func(w tree, program string){
		"a monitor": func(w tree, program string) { w.git("config", "core.fsmonitor", program) },
		"a filter":  func(w tree, program string) { w.filter("evil", "clean", program) },
		"a process": func(w tree, program string) { w.filter("evil", "process", program) },
		"a needed filter": func(w tree, program string) {
			w.filter("evil", "clean", program)
			w.git("config", "filter.evil.required", "true")
		},
		"a filter of an included file": func(w tree, program string) {
			w.filter("evil", "clean", program)
			w.git("config", "--file", ".git/more", "filter.evil.clean", program)
			w.git("config", "--unset", "filter.evil.clean")
			w.git("config", "include.path", "more")
		},
		"a filter of the work tree alone": func(w tree, program string) {
			w.git("config", "extensions.worktreeConfig", "true")
			w.filter("evil", "clean", program)
			w.git("config", "--unset", "filter.evil.clean")
			w.git("config", "--worktree", "filter.evil.clean", program)
		},
		"a hook": func(w tree, program string) {
			w.content(".git/hooks/post-index-change", "#!/bin/sh\n"+program)
			if err := os.Chmod(filepath.Join(w.dir, ".git/hooks/post-index-change"), 0o700); err != nil {
				w.Fatal(err)
			}
		},
		"a driver of differences": func(w tree, program string) {
			w.git("config", "diff.external", program)
			w.git("config", "diff.evil.command", program)
			w.git("config", "diff.evil.textconv", program)
			w.content(".git/info/attributes", "* diff=evil\n")
		},
		"a pager": func(w tree, program string) { w.git("config", "core.pager", program) },
		"a filter of a submodule": func(w tree, program string) {
			source := newRepo(w, "x")
			w.git("submodule", "--quiet", "add", source.dir, "sub")
			w.commit()
			w.in("sub").filter("evil", "clean", program)
			w.touched("sub/x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newRepo(t, "a", "b")
			w.write("c")
			w.commit()
			trace := filepath.Join(t.TempDir(), "trace")
			arm(w, "echo run >>"+trace+"; cat")
			if err := os.RemoveAll(trace); err != nil {
				t.Fatal(err)
			}
			w.touched("a")
			w.asked()
			if _, err := os.Stat(trace); err == nil {
				t.Error("it was run")
			}
		})
	}
}

// TestWhatAPartialCloneLacksIsNotFetched: the repository says by which program.
func TestWhatAPartialCloneLacksIsNotFetched(t *testing.T) {
	w := newRepo(t, "a")
	w.write("b")
	w.commit()
	trace := filepath.Join(t.TempDir(), "trace")
	for key, value := range map[string]string{
		"core.repositoryFormatVersion": "1", "extensions.partialClone": "evil", "remote.evil.promisor": "true",
		"remote.evil.url": "ext::touch " + trace, "protocol.ext.allow": "always",
	} {
		w.git("config", key, value)
	}
	object := w.git("rev-parse", "HEAD^^{tree}")
	w.remove(filepath.Join(".git/objects", object[:2], object[2:]))
	if got, err := w.open().Changed(t.Context(), "HEAD^"); !fault.HasCode(err, "vcs.failed") {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := os.Stat(trace); err == nil {
		t.Error("it was fetched")
	}
}

// filter sets one that is for all files.
func (w tree) filter(name, kind, program string) {
	w.Helper()
	w.content(".gitattributes", "* filter="+name+"\n")
	w.git("config", "filter."+name+"."+kind, program)
}

func TestAFilterThatCannotBeTurnedOffIsAnError(t *testing.T) {
	w := newRepo(t, "a")
	w.filter("a=b", "clean", "cat")
	if _, err := vcs.Open(t.Context(), w.dir); !fault.HasCode(err, "vcs.bad_filter") {
		t.Errorf("got %v", err)
	}
}

// TestAFilterOfTheUserIsRun: without it each file of git-lfs would be changed.
func TestAFilterOfTheUserIsRun(t *testing.T) {
	w := newRepo(t, "b")
	w.git("config", "--global", "filter.upper.clean", "tr a-z A-Z")
	w.git("config", "filter.upper.clean", "false")
	w.content(".gitattributes", "a filter=upper\n")
	w.content("a", "text\n")
	w.git("-c", "filter.upper.clean=tr a-z A-Z", "add", ".")
	w.git("commit", "-q", "-m", "x")
	w.touched("a")
	if s := w.state(); s.Dirty() {
		t.Errorf("changed are %q", s.Changed)
	}
	w.content("a", "other\n")
	if s := w.state(); !slices.Equal(s.Changed, []string{"a"}) {
		t.Errorf("changed are %q", s.Changed)
	}
}
