package workspace

import (
	"flag"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "ask git again what testdata/ignore.txtar expects")

// TestDirectoriesAreIgnoredAsGitDoes walks the directories of
// testdata/ignore.txtar and compares with what git said about them. Its entry
// "ignored" is git's own answer, renewed with -update.
func TestDirectoriesAreIgnoredAsGitDoes(t *testing.T) {
	const golden = "testdata/ignore.txtar"
	archive, err := txtar.ParseFile(golden)
	must(t, err)
	last := &archive.Files[len(archive.Files)-1]
	root := tree(t, string(txtar.Format(&txtar.Archive{Files: archive.Files[:len(archive.Files)-1]})))
	if *update {
		last.Data = []byte(strings.Join(askGit(t, root), "\n") + "\n")
		must(t, os.WriteFile(golden, txtar.Format(archive), 0o644))
	}
	must(t, os.MkdirAll(filepath.Join(root, ".git"), 0o755))
	got := ignoredDirs(t, root)
	want := strings.Fields(strings.ReplaceAll(string(last.Data), " ", "?"))
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], " ", "?")
	}
	if len(want) < 20 {
		t.Fatalf("the golden answer is too short: %v", want)
	}
	for _, dir := range got {
		if !slices.Contains(want, dir) {
			t.Errorf("%s is ignored; git does not ignore it", dir)
		}
	}
	for _, dir := range want {
		if !slices.Contains(got, dir) {
			t.Errorf("%s is not ignored; git ignores it", dir)
		}
	}
}

// ignoredDirs returns the top-most ignored directories of the tree at root.
func ignoredDirs(t *testing.T, root string) []string {
	var ignored []string
	walk := walker{root: root, readDir: os.ReadDir, shadows: true, visit: func(d Dir) {
		if d.Pruned != "" {
			ignored = append(ignored, d.Path)
		}
	}}
	must(t, walk.run(t.Context()))
	return slices.DeleteFunc(slices.Clone(ignored), func(dir string) bool { return slices.Contains(ignored, path.Dir(dir)) })
}

// askGit returns the top-most directories that git ignores.
func askGit(t *testing.T, root string) []string {
	var dirs []string
	must(t, filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() || p == root {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		dirs = append(dirs, rel)
		return nil
	}))
	if out, err := exec.Command("git", "init", "-q", root).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v: %s", err, out)
	}
	check := exec.Command("git", "-C", root, "check-ignore", "-z", "--stdin")
	check.Stdin = strings.NewReader(strings.Join(dirs, "\x00") + "\x00")
	out, err := check.Output()
	must(t, err)
	ignored := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	slices.Sort(ignored)
	must(t, os.RemoveAll(filepath.Join(root, ".git")))
	return slices.DeleteFunc(slices.Clone(ignored), func(dir string) bool { return slices.Contains(ignored, path.Dir(dir)) })
}

func TestPatternsAboveTheRootHold(t *testing.T) {
	top := tree(t, `
-- .git/ --
-- .gitignore --
/ws/a/
old
ws
-- mid/.gitignore --
!ws
-- mid/ws/wr.toml --
[workspace]
-- mid/ws/a/devops/ --
-- mid/ws/b/old/devops/ --
-- ws/wr.toml --
[workspace]
-- ws/a/devops/ --
-- ws/b/devops/ --
`)
	if got := paths(loaded(t, filepath.Join(top, "ws")).Projects); got != "b" {
		t.Errorf("got projects %q, want b", got)
	}
	if got := paths(loaded(t, filepath.Join(top, "mid/ws")).Projects); got != "a" {
		t.Errorf("got projects %q, want a", got)
	}
}

func TestALinkedIgnoreFileDoesNotCountAsInGit(t *testing.T) {
	w := loaded(t, tree(t, "-- .git/ --\n-- patterns --\na\n-- .gitignore --\n-> patterns\n-- a/devops/ --\n"))
	if got := paths(w.Projects); got != "a" {
		t.Errorf("got projects %q", got)
	}
}

func FuzzIgnores(f *testing.F) {
	f.Add([]byte("*.x\n!/a/**/b/\n\\#c\n[a-z]{d}\\ \n"), "a/b/c")
	f.Fuzz(func(t *testing.T, data []byte, dir string) {
		dir = path.Clean(strings.Trim(dir, "/"))
		g := parseIgnores(data)
		g.base = "."
		if _, line := g.match(dir); line < 0 || line > strings.Count(string(data), "\n")+1 {
			t.Errorf("line %d", line)
		}
	})
}
