package engine

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestUploadsWithoutANameGo(t *testing.T) {
	dirs := Dirs{State: t.TempDir()}
	uploads := filepath.Join(dirs.ContainerdRoot(), "io.containerd.content.v1.content", "ingest")
	if err := sweepUploads(dirs, time.Now()); err != nil {
		t.Fatalf("without any: %v", err)
	}
	for dir, files := range map[string]map[string]string{
		"named": {"ref": "wr/1/layer", "data": "half"}, "empty": {"ref": ""}, "bare": nil, "just begun": nil,
	} {
		path := filepath.Join(uploads, dir)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if dir == "just begun" {
			continue
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweepUploads(dirs, time.Now().Add(-uploadTime)); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(uploads)
	if err != nil || len(left) != 2 || left[0].Name() != "just begun" || left[1].Name() != "named" {
		t.Errorf("left is %v, %v", left, err)
	}
}
