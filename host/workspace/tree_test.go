package workspace

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// tree makes a directory with the files of a txtar archive and returns its
// path without symbolic links. A name that ends in a slash is a directory; a
// file whose content is "-> TARGET" is a symbolic link.
func tree(t testing.TB, archive string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(root, filepath.FromSlash(f.Name))
		if strings.HasSuffix(f.Name, "/") {
			must(t, os.MkdirAll(path, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if link, ok := strings.CutPrefix(string(f.Data), "-> "); ok {
			must(t, os.Symlink(strings.TrimSpace(link), path))
			continue
		}
		must(t, os.WriteFile(path, f.Data, 0o644))
	}
	return root
}

// must ends the test when a step of its set-up failed.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// loaded loads the workspace around dir.
func loaded(t testing.TB, dir string) *Workspace {
	t.Helper()
	w, err := Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// paths lists the paths of projects, for comparison.
func paths(projects []Project) string {
	var all []string
	for _, p := range projects {
		all = append(all, p.Path)
	}
	return strings.Join(all, " ")
}
