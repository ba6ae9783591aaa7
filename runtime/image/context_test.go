package image

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestAContextIsWithoutWhatWrKeepsThere(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{".wr/runs/1/events.ndjson", ".wr/durations.json", ".wrapper", "a", "sub/.wr/b", "z"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := contextFS(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = tree.Walk(t.Context(), "", func(path string, _ fs.DirEntry, err error) error {
		got = append(got, path)
		return err
	})
	if want := []string{".wrapper", "a", "sub", "sub/.wr", "sub/.wr/b", "z"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}
