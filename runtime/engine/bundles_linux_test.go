package engine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBundlesThatWereBeingRemovedGo(t *testing.T) {
	dirs := Dirs{State: t.TempDir(), Run: t.TempDir()}
	for _, root := range []string{dirs.ContainerdState(), dirs.ContainerdRoot()} {
		space := filepath.Join(root, "io.containerd.runtime.v2.task", "wr")
		for _, bundle := range []string{".half", "whole"} {
			if err := os.MkdirAll(filepath.Join(space, bundle, "rootfs"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := sweepBundles(dirs); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(space)
		if err != nil || len(left) != 1 || left[0].Name() != "whole" {
			t.Errorf("in %s is left %v, %v", root, left, err)
		}
	}
}
