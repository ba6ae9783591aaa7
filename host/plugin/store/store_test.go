package store_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/host/plugin/store"
)

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestWhatIsKeptIsFoundByItsDigest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plugins")
	module, manifest := bytes.Repeat([]byte("m"), 100_000), []byte(`{"name":"a"}`)
	s := open(t, dir)
	if err := s.Put(module, manifest); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if got, found := s.Module(store.Digest(module), int64(len(module))); !found || !bytes.Equal(got, module) {
		t.Errorf("the module: %d bytes, %t", len(got), found)
	}
	if got, found := s.Manifest(store.Digest(manifest)); !found || !bytes.Equal(got, manifest) {
		t.Errorf("the manifest: %q, %t", got, found)
	}
	other := store.Digest([]byte("other"))
	if _, found := s.Module(other, 5); found {
		t.Error("a module is found that was never kept")
	}
	if _, found := s.Manifest(other); found {
		t.Error("a manifest is found that was never kept")
	}
	if _, found := s.Module("", 0); found {
		t.Error("a module without a digest is found")
	}
}

// TestNobodyElseSeesOrChangesAModule changes every file of the store.
func TestNobodyElseSeesOrChangesAModule(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plugins")
	module, manifest := bytes.Repeat([]byte("m"), 100_000), []byte(`{"name":"a"}`)
	s := open(t, dir)
	if err := s.Put(module, manifest); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	changed := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
		if info.Size() == 0 || entry.IsDir() {
			return nil
		}
		changed++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		data[len(data)-1] ^= 1
		return os.WriteFile(path, data, 0o600)
	})
	if err != nil || changed < 2 {
		t.Fatalf("changed %d files, %v", changed, err)
	}
	s = open(t, dir)
	if _, found := s.Module(store.Digest(module), int64(len(module))); found {
		t.Error("a module is handed out that somebody changed")
	}
	if _, found := s.Manifest(store.Digest(manifest)); found {
		t.Error("a manifest is handed out that somebody changed")
	}
}
