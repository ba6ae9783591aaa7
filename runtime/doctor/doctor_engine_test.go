//go:build linux && engine

package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wr-build/wr/runtime/engine"
)

// nowhere is a place for an engine that does not run.
func nowhere(t *testing.T) (base string, dirs engine.Dirs) {
	t.Helper()
	base, err := os.MkdirTemp("/var/tmp", "wr-doctor")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	return base, engine.Dirs{State: filepath.Join(base, "state"), Run: filepath.Join(base, "run")}
}

// TestLookingLeavesNothing also says that the trials succeed where the other
// engine tests do.
func TestLookingLeavesNothing(t *testing.T) {
	base, dirs := nowhere(t)
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

// TestTheCommandForASocketMendsIt runs what the diagnosis says. The commands for
// control groups, overlay and user namespaces run in .ci/vm.
func TestTheCommandForASocketMendsIt(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"open to everybody": func(path string) error { return os.Chmod(path, 0o777) }, //nolint:gosec // that is the point
		"a stranger's":      func(path string) error { return os.Chown(path, 4321, 4321) },
	} {
		t.Run(name, func(t *testing.T) {
			base, dirs := nowhere(t)
			if err := os.Mkdir(dirs.Run, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := spoil(dirs.Run); err != nil {
				t.Fatal(err)
			}
			ofSocket := func() (all []Check) {
				for _, c := range Examine(Gather(t.Context(), Config{Dirs: dirs, Workspace: base})) {
					if c.Name == "socket" {
						all = append(all, c)
					}
				}
				return all
			}
			before := ofSocket()
			if len(before) != 1 || before[0].Level != Problem {
				t.Fatalf("got %+v", before)
			}
			cmd := exec.Command("sh", "-c", "sudo() { \"$@\"; }; "+before[0].Mend) // the tests are root
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", before[0].Mend, err, out)
			}
			if after := ofSocket(); slices.ContainsFunc(after, func(c Check) bool { return c.Level != OK }) {
				t.Errorf("after %s: %+v", before[0].Mend, after)
			}
		})
	}
}
