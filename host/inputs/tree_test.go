package inputs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes files under a new directory. A name that ends in "/" is a
// directory; a content that starts with "-> " makes a symbolic link.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		put(t, root, name, content)
	}
	return root
}

// put makes one file of a tree, replacing what is there.
func put(t testing.TB, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, name)
	dir := filepath.Dir(path)
	if strings.HasSuffix(name, "/") {
		dir = path
	}
	must(t, os.MkdirAll(dir, 0o755))
	if strings.HasSuffix(name, "/") {
		return
	}
	if target, ok := strings.CutPrefix(content, "-> "); ok {
		_ = os.Remove(path)
		must(t, os.Symlink(target, path))
		return
	}
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

// must ends the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
