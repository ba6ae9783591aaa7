//go:build linux && engine

package doctor

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/runtime/engine"
)

// TestLookingLeavesNothing also says that the trials succeed where the other
// engine tests do.
func TestLookingLeavesNothing(t *testing.T) {
	base, err := os.MkdirTemp("/var/tmp", "wr-doctor")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	dirs := engine.Dirs{State: filepath.Join(base, "state"), Run: filepath.Join(base, "run")}
	f := Gather(t.Context(), Config{Dirs: dirs, Workspace: base})
	if f.Overlay != nil || f.UserNS != nil || f.CgroupsErr != nil || f.Kernel == "" {
		t.Errorf("overlay: %v, userns: %v, cgroups: %v, kernel: %q", f.Overlay, f.UserNS, f.CgroupsErr, f.Kernel)
	}
	for _, m := range f.Mapped {
		if m.Err != nil {
			t.Errorf("idmap of %s (%s): %v", m.Path, m.Type, m.Err)
		}
	}
	left, err := os.ReadDir(base)
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if _, held := engine.Holder(dirs); held {
		t.Error("an engine runs")
	}
}
