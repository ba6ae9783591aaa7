package workspace

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestDiscovery(t *testing.T) {
	for _, tt := range []struct{ claim, tree, want string }{
		{"a wr.toml with [project] is a project", "-- a/wr.toml --\n[project]\n", "a"},
		{"a devops folder is a project", "-- a/devops/Dockerfile --\n", "a"},
		{"an empty devops folder is a project", "-- a/devops/ --\n", "a"},
		{"a wr.toml without [project] is none", "-- a/wr.toml --\n[test]\nargs = []\n", ""},
		{"a devops folder makes one of a wr.toml without [project]", "-- a/wr.toml --\n[test]\nargs = []\n-- a/devops/ --\n", "a"},
		{"a devops file is no project", "-- a/devops --\n", ""},
		{"the root may be a project", "-- devops/ --\n-- a/devops/ --\n", ". a"},
		{"projects nest", "-- a/devops/ --\n-- a/b/wr.toml --\n[project]\n-- a/b/c/d/devops/ --\n", "a a/b a/b/c/d"},
		{"nested projects follow their parent", "-- a/devops/ --\n-- a-b/devops/ --\n-- a/c/devops/ --\n-- a.d/devops/ --\n", "a a/c a-b a.d"},
		{"caches and environments are left out", `
-- .git/a/devops/ --
-- .venv/a/devops/ --
-- node_modules/a/devops/ --
-- __pycache__/devops/ --
-- .wr/runs/a/devops/ --
-- b/.tox/a/devops/ --
-- myenv/pyvenv.cfg --
-- myenv/lib/a/devops/ --
-- mycache/CACHEDIR.TAG --
-- mycache/a/devops/ --
-- b/devops/ --
`, "b"},
		{"a root that is a cache counts", "-- CACHEDIR.TAG --\n-- a/devops/ --\n", "a"},
		{"ignored directories are left out", "-- .gitignore --\n/build/\n*.tmp\n-- build/devops/ --\n-- a.tmp/devops/ --\n-- a/build/devops/ --\n", "a/build"},
		{"a nested .gitignore holds below it", "-- a/.gitignore --\nb\n-- a/b/devops/ --\n-- b/devops/ --\n-- a/c/b/devops/ --\n", "b"},
		{"a nested .gitignore overrules one above", "-- .gitignore --\nb\n-- a/.gitignore --\n!b\n-- a/b/devops/ --\n-- b/devops/ --\n", "a/b"},
		{"an ignored devops folder makes no project", "-- a/.gitignore --\ndevops\n-- a/devops/ --\n", "a"},
		{"excluded directories are left out", `
-- wr.toml --
[workspace]
exclude = ["legacy/**", "**/testdata", "./x/"]
-- legacy/devops/ --
-- legacy/a/devops/ --
-- a/b/testdata/c/devops/ --
-- x/devops/ --
-- a/devops/ --
-- b/legacy/devops/ --
`, "a b/legacy"},
		{"a sub-repo is walked", "-- sub/.git/ --\n-- sub/wr.toml --\n[workspace]\nname = \"sub\"\n[project]\n-- sub/a/devops/ --\n-- b/devops/ --\n", "b sub sub/a"},
		{"a sub-repo does not inherit what is ignored above", "-- .gitignore --\nbuild\n-- sub/.git/ --\n-- sub/build/devops/ --\n-- build/devops/ --\n", "sub/build"},
		{"a sub-repo that is ignored is left out", "-- .gitignore --\nsub\n-- sub/.git/ --\n-- sub/devops/ --\n", ""},
		{"a sub-repo keeps what it excludes", "-- sub/wr.toml --\n[workspace]\nexclude = [\"old\"]\n-- sub/old/devops/ --\n-- old/devops/ --\n", "old"},
		{"a symbolic link to a directory is not followed", "-- a/devops/ --\n-- b --\n-> a\n", "a"},
		{"a symbolic link to the tree above ends the walk", "-- a/devops/ --\n-- a/up --\n-> ..\n", "a"},
		{"a devops link inside the workspace counts", "-- shared/ops/Dockerfile --\n-- a/devops --\n-> ../shared/ops\n", "a"},
		{"a devops link out of the workspace does not count", "-- a/devops --\n-> /usr\n", ""},
		{"a wr.toml link inside the workspace counts", "-- shared/a.toml --\n[project]\n-- a/wr.toml --\n-> ../shared/a.toml\n", "a"},
		{"a broken link is no project", "-- a/devops --\n-> nowhere\n-- b/wr.toml --\n-> nowhere\n", ""},
		{"names may hold spaces", "-- my app/devops/ --\n", "my app"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			root := tree(t, "-- .git/ --\n"+tt.tree)
			w := loaded(t, root)
			if got := paths(w.Projects); got != tt.want {
				t.Errorf("got projects %q, want %q", got, tt.want)
			}
			if w.Root != root || len(w.Faults) > 0 {
				t.Errorf("got root %s and faults %v", w.Root, w.Faults)
			}
		})
	}
}

func TestAProjectKnowsItsNameAndDockerfile(t *testing.T) {
	root := tree(t, `
-- wr.toml --
[workspace]
name = "acme"
-- devops/Dockerfile --
-- infra/wr.toml --
[project]
name = "tools"
[image]
dockerfile = "docker/Dockerfile"
-- infra/docker/Dockerfile --
-- apps/web/devops/ --
`)
	w := loaded(t, root)
	want := []Project{
		{Path: ".", Name: "acme", Dir: root, Dockerfile: "devops/Dockerfile"},
		{Path: "apps/web", Name: "web", Dir: filepath.Join(root, "apps/web")},
		{Path: "infra", Name: "tools", Dir: filepath.Join(root, "infra"), Dockerfile: "docker/Dockerfile"},
	}
	for i, p := range w.Projects {
		if p.Config == nil {
			t.Fatalf("%s has no config", p.Path)
		}
		p.Config = nil
		if p != want[i] {
			t.Errorf("got %+v, want %+v", p, want[i])
		}
	}
	if w.Name != "acme" || len(w.Projects) != len(want) {
		t.Errorf("got %+v", w)
	}
}

func TestABrokenProjectDoesNotHideTheOthers(t *testing.T) {
	w := loaded(t, tree(t, `
-- wr.toml --
[workspace]
-- bad/wr.toml --
[project]
nmae = "bad"
-- worse/wr.toml --
[project]
name = "worse
-- fine/devops/Dockerfile --
-- lost/wr.toml --
[project]
[image]
dockerfile = "Dockerfile"
`))
	want := map[string]string{
		"bad":   "bad/wr.toml:2: unknown key [project] nmae (did you mean name?) [config.unknown_key]",
		"worse": "worse/wr.toml:2: basic strings cannot have new lines [config.syntax]",
		"lost":  "lost/wr.toml:3: there is no file lost/Dockerfile [project.no_dockerfile]",
	}
	if got := paths(w.Projects); got != "bad fine lost worse" {
		t.Fatalf("got projects %q", got)
	}
	for _, p := range w.Projects {
		got := ""
		if p.Fault != nil {
			got = p.Fault.Error()
		}
		if got != want[p.Path] {
			t.Errorf("%s: got fault %q, want %q", p.Path, got, want[p.Path])
		}
	}
}

func TestMistakesOfTheRootAsAProjectAreItsOwn(t *testing.T) {
	w := loaded(t, tree(t, "-- wr.toml --\n[workspace]\n[project]\n[test]\npaths = 3\n-- a/devops/ --\n"))
	if paths(w.Projects) != ". a" || !fault.HasCode(w.Projects[0].Fault, "config.bad_type") || w.Projects[1].Fault != nil {
		t.Errorf("got %+v", w.Projects)
	}
}

func TestMistakesOfTheWorkspaceAreEverybodys(t *testing.T) {
	for claim, toml := range map[string]string{
		"in [workspace]": "[workspace]\nexclud = [\"a\"]\n",
		"in [bases]":     "[workspace]\n[bases.x]\nsuit = \"bookworm\"\n",
		"not TOML":       "[workspace]\nname = \n",
	} {
		t.Run(claim, func(t *testing.T) {
			w, err := Load(t.Context(), tree(t, "-- wr.toml --\n"+toml+"-- a/devops/ --\n"))
			if f := fault.Of(err); w != nil || f == nil || f.File != "wr.toml" || f.Line < 2 {
				t.Errorf("got %v, %v", w, err)
			}
		})
	}
}

func TestAWrongConfigOfNoProjectIsNotSilent(t *testing.T) {
	w := loaded(t, tree(t, "-- .git/ --\n-- a/wr.toml --\n[projct]\n"))
	if len(w.Faults) != 1 || w.Faults[0].Error() != "a/wr.toml:1: unknown table [projct] (did you mean project?) [config.unknown_key]" {
		t.Errorf("got %v", w.Faults)
	}
}

func TestRoot(t *testing.T) {
	const both = `
-- .git/ --
-- wr.toml --
[workspace]
-- a/devops/ --
-- sub/.git/ --
-- sub/wr.toml --
[workspace]
-- sub/b/devops/ --
-- plain/.git/ --
-- plain/c/devops/ --
`
	for _, tt := range []struct{ claim, tree, dir, root, cwd string }{
		{"is where [workspace] is", both, "a/devops", ".", "a/devops"},
		{"is the nearest [workspace], so a sub-repo works alone", both, "sub/b", "sub", "b"},
		{"is above a sub-repo without [workspace]", both, "plain/c", ".", "plain/c"},
		{"is the outermost git root without [workspace]", "-- x/.git/ --\n-- x/y/.git/ --\n-- x/y/z/ --\n", "x/y/z", "x", "y/z"},
		{"is a git worktree", "-- x/.git --\ngitdir: /elsewhere\n-- x/y/ --\n", "x/y", "x", "y"},
		{"is the outermost project without git", "-- x/devops/ --\n-- x/y/wr.toml --\n[project]\n-- x/y/z/ --\n", "x/y/z", "x", "y/z"},
		{"may itself be a project", "-- x/devops/ --\n", "x", "x", "."},
		{"is found with a broken wr.toml in between", "-- wr.toml --\n[workspace]\n-- a/wr.toml --\nname = \n-- a/b/ --\n", "a/b", ".", "a/b"},
		{"is found through a symbolic link to it", "-- x/wr.toml --\n[workspace]\n-- x/a/ --\n-- link --\n-> x\n", "link/a", "x", "a"},
		{"is found through a symbolic link into it", "-- x/wr.toml --\n[workspace]\n-- x/a/ --\n-- link --\n-> x/a\n", "link", "x", "a"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			top := tree(t, tt.tree)
			w := loaded(t, filepath.Join(top, tt.dir))
			if w.Root != filepath.Join(top, tt.root) || w.Cwd != tt.cwd {
				t.Errorf("got root %s and cwd %s, want %s and %s", w.Root, w.Cwd, tt.root, tt.cwd)
			}
		})
	}
}

func TestOutsideOfEveryWorkspaceTheFaultSaysWhereItLooked(t *testing.T) {
	dir := tree(t, "-- a/b/ --\n")
	_, err := Load(t.Context(), filepath.Join(dir, "a/b"))
	f := fault.Of(err)
	if f == nil || f.Code != "workspace.not_found" || f.Class != fault.Environment {
		t.Fatalf("got %v", err)
	}
	for _, at := range []string{filepath.Join(dir, "a/b"), filepath.Join(dir, "a"), dir, "/"} {
		if !strings.Contains(f.Details+"\n", "\n  "+at+"\n") {
			t.Errorf("the details do not name %s:\n%s", at, f.Details)
		}
	}
}

func TestADirectoryThatIsNoneIsAUsageFault(t *testing.T) {
	root := tree(t, "-- file --\n")
	for _, dir := range []string{"missing", "file"} {
		_, err := Load(t.Context(), filepath.Join(root, dir))
		if f := fault.Of(err); f == nil || f.Code != "workspace.bad_dir" || f.Class != fault.Usage {
			t.Errorf("%s: got %v", dir, err)
		}
	}
}

func TestADirectoryThatCannotBeReadIsAFaultOfItsOwn(t *testing.T) {
	root := tree(t, "-- .git/ --\n-- a/devops/ --\n-- secret/devops/ --\n-- z/devops/ --\n")
	denied := func(dir string) ([]fs.DirEntry, error) {
		if filepath.Base(dir) == "secret" {
			return nil, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrPermission}
		}
		return os.ReadDir(dir)
	}
	w, err := load(t.Context(), root, denied)
	if err != nil || paths(w.Projects) != "a z" {
		t.Fatalf("got %+v, %v", w, err)
	}
	if len(w.Faults) != 1 || w.Faults[0].Code != "workspace.unreadable" || w.Faults[0].File != "secret" || strings.Contains(w.Faults[0].Message, root) {
		t.Errorf("got %v", w.Faults)
	}
}

func TestADirectoryThatVanishesDuringTheWalkIsNoFault(t *testing.T) {
	root := tree(t, "-- .git/ --\n-- a/devops/ --\n-- gone/x --\n")
	w, err := load(t.Context(), root, func(dir string) ([]fs.DirEntry, error) {
		if filepath.Base(dir) == "gone" {
			return nil, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist}
		}
		return os.ReadDir(dir)
	})
	if err != nil || len(w.Faults) > 0 || paths(w.Projects) != "a" {
		t.Errorf("got %+v, %v", w, err)
	}
}

func TestACancelledLoadSaysWhy(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err := Load(ctx, tree(t, "-- .git/ --\n")); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}

func TestAWorkspaceWithoutProjectsSaysSo(t *testing.T) {
	w := loaded(t, tree(t, "-- .git/ --\n"))
	if f := w.NoProjects(); f == nil || f.Class != fault.Environment || !strings.Contains(f.Message, w.Root) {
		t.Errorf("got %v", f)
	}
	if f := loaded(t, tree(t, "-- devops/ --\n")).NoProjects(); f != nil {
		t.Errorf("got %v for a workspace with a project", f)
	}
}

func TestTheOwnerIsThatOfTheRoot(t *testing.T) {
	w := loaded(t, tree(t, "-- .git/ --\n"))
	want := [2]int{os.Getuid(), os.Getgid()}
	if os.Getuid() == 0 { // only root can give a directory away
		want = [2]int{1234, 2345}
		must(t, os.Chown(w.Root, 1234, 2345))
	}
	got, err := w.Owner()
	if err != nil || [2]int{got.UID, got.GID} != want {
		t.Errorf("got %+v, %v, want %v", got, err, want)
	}
}
