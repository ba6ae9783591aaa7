package engine

import (
	"os"
	"path/filepath"
	"testing"
)

// anUpload is a directory of containerd with a file ref, unless that is nil.
func anUpload(t *testing.T, dirs Dirs, name string, ref []byte) string {
	t.Helper()
	dir := filepath.Join(dirs.ContainerdRoot(), "io.containerd.content.v1.content", "ingest", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if ref != nil {
		if err := os.WriteFile(filepath.Join(dir, "ref"), ref, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestUploadsWithoutANameGoWhenAnEngineStarts(t *testing.T) {
	dirs := Dirs{State: t.TempDir()}
	if err := sweepUploads(dirs); err != nil {
		t.Fatalf("without any: %v", err)
	}
	named := anUpload(t, dirs, "named", []byte("wr/1/layer"))
	anUpload(t, dirs, "empty", []byte{})
	anUpload(t, dirs, "bare", nil)
	if err := sweepUploads(dirs); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(named), "*"))
	if err != nil || len(left) != 1 || left[0] != named {
		t.Errorf("left is %v, %v", left, err)
	}
}

func TestAnUploadThatIsJustBegunIsNotNameless(t *testing.T) {
	dirs := Dirs{State: t.TempDir()}
	lost, begun := anUpload(t, dirs, "lost", nil), anUpload(t, dirs, "begun", nil)
	d := &Daemons{dirs: dirs}
	found := make(chan []string)
	go func() {
		nameless, err := d.NamelessUploads(t.Context())
		if err != nil {
			t.Error(err)
		}
		found <- nameless
	}()
	anUpload(t, dirs, filepath.Base(begun), []byte("wr/2/layer"))
	if got := <-found; len(got) != 1 || got[0] != lost {
		t.Errorf("got %v", got)
	}
}
