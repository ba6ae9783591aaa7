package vcs_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/vcs"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// tree is a directory in which git is used.
type tree struct {
	testing.TB
	dir string
}

// newTree is an empty directory, with a git that nobody has configured.
func newTree(t testing.TB) tree {
	t.Helper()
	home := t.TempDir()
	for name, value := range map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": home, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": filepath.Join(home, "gitconfig"),
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
		"GIT_CEILING_DIRECTORIES": os.TempDir(),
	} {
		if setter, ok := t.(interface{ Setenv(string, string) }); ok {
			setter.Setenv(name, value)
		}
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return tree{t, dir}
}

// newRepo is a repository with a commit of files.
func newRepo(t testing.TB, files ...string) tree {
	t.Helper()
	w := newTree(t)
	w.git("init", "-q", "-b", "main")
	w.write(files...)
	w.commit()
	return w
}

// git runs it, and returns what it says.
func (w tree) git(args ...string) string {
	w.Helper()
	cmd := exec.CommandContext(context.Background(), "git", append([]string{"-c", "protocol.file.allow=always", "-C", w.dir}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (w tree) commit() string {
	w.Helper()
	w.git("add", "--all")
	w.git("commit", "-q", "--allow-empty", "-m", "x")
	return w.git("rev-parse", "HEAD")
}

// write makes files that say their own names.
func (w tree) write(names ...string) {
	w.Helper()
	for _, name := range names {
		w.content(name, name+"\n")
	}
}

func (w tree) content(name, text string) {
	w.Helper()
	path := filepath.Join(w.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		w.Fatal(err)
	}
}

func (w tree) remove(name string) {
	w.Helper()
	if err := os.RemoveAll(filepath.Join(w.dir, name)); err != nil {
		w.Fatal(err)
	}
}

// in is a directory of w.
func (w tree) in(name string) tree { return tree{w.TB, filepath.Join(w.dir, name)} }

func (w tree) open() *vcs.Repo {
	w.Helper()
	r, err := vcs.Open(context.Background(), w.dir)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w tree) state() vcs.State {
	w.Helper()
	s, err := w.open().State(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// lists checks a list of files against the names that are wanted.
func (w tree) lists(what, want string, ask func(context.Context) ([]string, error)) {
	w.Helper()
	got, err := ask(context.Background())
	if err != nil || !slices.Equal(got, strings.Fields(want)) {
		w.Errorf("%s: got %q, %v, want %s", what, got, err, want)
	}
}

// since is Changed for a base.
func since(r *vcs.Repo, base string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) { return r.Changed(ctx, base) }
}

func TestTheStateIsThatOfHeadAndWorkTree(t *testing.T) {
	w := newRepo(t, "a", "b", "dir/c", "dir/d", ".gitignore")
	w.content(".gitignore", "ignored\n")
	head := w.commit()
	w.git("tag", "light")
	w.git("tag", "-m", "x", "heavy")
	if s := w.state(); s.Commit != head || s.Branch != "main" || s.Dirty() {
		t.Errorf("got %+v, want %s of main", s, head)
	}
	w.lists("tags", "heavy light", w.open().Tags)
	w.content("a", "other")
	w.write("ignored", "new", "dir/added file", "dir/ignored")
	w.git("add", "dir/added file")
	w.git("mv", "b", "moved")
	w.remove("dir/c")
	want := []string{"a", "b", "dir/added file", "dir/c", "moved", "new"}
	if s := w.state(); !slices.Equal(s.Changed, want) || !s.Dirty() {
		t.Errorf("got %q, want %q", s.Changed, want)
	}
	if s := w.in("dir").state(); !slices.Equal(s.Changed, []string{"added file", "c"}) {
		t.Errorf("below, got %q", s.Changed)
	}
	w.git("checkout", "-q", "--detach")
	if s := w.state(); s.Branch != "" || s.Commit != head {
		t.Errorf("detached, got %+v", s)
	}
}

func TestATouchedFileIsNotChanged(t *testing.T) {
	w := newRepo(t, "a")
	w.write("a")
	if s := w.state(); s.Dirty() {
		t.Errorf("got %q", s.Changed)
	}
}

func TestBeforeTheFirstCommitAllIsChanged(t *testing.T) {
	w := newTree(t)
	w.git("init", "-q", "-b", "main")
	if s := w.state(); s.Commit != "" || s.Branch != "main" || s.Dirty() {
		t.Errorf("got %+v", s)
	}
	w.write("a", "b")
	w.git("add", "a")
	if s := w.state(); !slices.Equal(s.Changed, []string{"a", "b"}) {
		t.Errorf("got %+v", s)
	}
	r := w.open()
	w.lists("staged", "a", r.Staged)
	w.lists("files", "a b", r.Files)
	w.lists("tags", "", r.Tags)
	if _, err := r.Changed(t.Context(), "HEAD"); !fault.HasCode(err, "vcs.no_commit") {
		t.Errorf("changed since HEAD: %v", err)
	}
}

func TestChangedAreCommittedAndOtherChangesSinceABase(t *testing.T) {
	w := newRepo(t, "same", "edited", "removed", "dir/edited")
	base := w.git("rev-parse", "HEAD")
	w.content("edited", "x")
	w.content("dir/edited", "x")
	w.remove("removed")
	w.write("dir/added")
	w.commit()
	w.content("same", "x")
	w.write("new")
	r := w.open()
	for _, name := range []string{base, base[:10], "HEAD^", "main~1"} {
		w.lists(name, "dir/added dir/edited edited new removed same", since(r, name))
	}
	w.lists("HEAD", "new same", since(r, "HEAD"))
	w.lists("below", "added edited", since(w.in("dir").open(), base))
	for _, none := range []string{"no-such", "", "--all", "HEAD:same"} {
		if got, err := r.Changed(t.Context(), none); !fault.HasCode(err, "vcs.no_commit") {
			t.Errorf("since %q: got %q, %v", none, got, err)
		}
	}
}

func TestStagedIsWhatTheNextCommitHas(t *testing.T) {
	w := newRepo(t, "a", "b", "dir/c", "gone")
	w.content("a", "staged")
	w.git("add", "a")
	w.content("a", "and more")
	w.content("b", "not staged")
	w.git("rm", "-q", "gone")
	w.write("dir/new")
	w.git("add", "dir/new")
	w.lists("staged", "a dir/new gone", w.open().Staged)
	w.lists("staged below", "new", w.in("dir").open().Staged)

	// As git commit FILE has it while its hooks run.
	hook := w.open()
	hook.Index = filepath.Join(t.TempDir(), "index")
	t.Setenv("GIT_INDEX_FILE", hook.Index)
	w.git("read-tree", "HEAD")
	w.git("add", "b")
	w.lists("in a hook", "b", hook.Staged)
	w.lists("not in it", "a dir/new gone", w.open().Staged)
}

func TestFilesAreThoseThatGitKnowsOrWould(t *testing.T) {
	w := newRepo(t, "a", "dir/b", "dir/gone", "staged gone", "ü\"x\n")
	w.content(".gitignore", "*.log\n")
	w.write("new", "x.log", "dir/y.log")
	w.remove("dir/gone")
	w.git("rm", "-q", "--cached", "staged gone")
	w.remove("staged gone")
	if err := os.Symlink("dir", filepath.Join(w.dir, "link")); err != nil {
		t.Fatal(err)
	}
	got, err := w.open().Files(t.Context())
	if want := []string{".gitignore", "a", "dir/b", "link", "new", "ü\"x\n"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	w.lists("below", "b", w.in("dir").open().Files)
	w.git("sparse-checkout", "set", "--no-cone", "/a")
	w.lists("sparse", ".gitignore a link new", w.open().Files)
}

func TestOfAConflictEachFileIsThereOnce(t *testing.T) {
	w := newRepo(t, "a")
	w.git("checkout", "-q", "-b", "other")
	w.content("a", "other\n")
	w.commit()
	w.git("checkout", "-q", "main")
	w.content("a", "main\n")
	w.commit()
	merge := exec.CommandContext(t.Context(), "git", "-C", w.dir, "merge", "-q", "other")
	if err := merge.Run(); err == nil {
		t.Fatal("there is no conflict")
	}
	r := w.open()
	w.lists("files", "a", r.Files)
	w.lists("changed", "a", since(r, "HEAD"))
}

func TestALinkedWorkTreeHasAStateOfItsOwn(t *testing.T) {
	w := newRepo(t, "a")
	linked := tree{t, filepath.Join(w.dir, "..", "linked")}
	w.git("worktree", "add", "-q", "-b", "side", linked.dir)
	linked.write("b")
	if s := linked.state(); s.Branch != "side" || !slices.Equal(s.Changed, []string{"b"}) {
		t.Errorf("got %+v", s)
	}
	if s := w.state(); s.Branch != "main" || s.Dirty() {
		t.Errorf("the main one: %+v", s)
	}
	w.remove(".git/worktrees")
	if _, err := vcs.Open(t.Context(), linked.dir); !fault.HasCode(err, "vcs.failed") {
		t.Errorf("a work tree without its repository: %v", err)
	}
}

func TestWithoutARepositoryThereIsAnError(t *testing.T) {
	w := newTree(t)
	bare := newTree(t)
	bare.git("init", "-q", "--bare")
	for name, dir := range map[string]string{"a plain directory": w.dir, "a bare repository": bare.dir, "what git keeps": newRepo(t).dir + "/.git"} {
		if _, err := vcs.Open(t.Context(), dir); !fault.HasCode(err, "vcs.no_repository") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := vcs.Open(t.Context(), filepath.Join(w.dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

// TestWhatFailsIsAnError: an empty answer would be taken for no change.
func TestWhatFailsIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(w tree)
		code string
	}{
		"a broken index":   {func(w tree) { w.content(".git/index", "nonsense") }, "vcs.failed"},
		"no git":           {func(tree) { t.Setenv("PATH", t.TempDir()) }, "vcs.no_git"},
		"the end of it":    {func(w tree) { w.remove(".git") }, "vcs.no_repository"},
		"a broken setting": {func(w tree) { w.content(".git/config", "[core") }, "vcs.failed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newRepo(t, "a")
			r := w.open()
			path := os.Getenv("PATH")
			c.harm(w)
			defer os.Setenv("PATH", path) //nolint:usetesting // of the subtest
			for what, ask := range map[string]func(context.Context) ([]string, error){
				"changed": since(r, "HEAD"), "staged": r.Staged, "files": r.Files,
				"state": func(ctx context.Context) ([]string, error) {
					s, err := r.State(ctx)
					return s.Changed, err
				},
			} {
				if got, err := ask(t.Context()); err == nil || len(got) > 0 || what == "state" && !fault.HasCode(err, c.code) {
					t.Errorf("%s: got %q, %v", what, got, err)
				}
			}
		})
	}
	w := newRepo(t, "a")
	ended, end := context.WithCancelCause(t.Context())
	end(errors.New("enough"))
	if _, err := vcs.Open(ended, w.dir); err == nil || err.Error() != "enough" {
		t.Errorf("after the end: %v", err)
	}
}
