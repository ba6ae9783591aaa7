package engine

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// write makes a file of a fake machine.
func write(t *testing.T, root, path, text string) {
	t.Helper()
	full := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestJoinCgroupsMovesIntoALeafOnV2(t *testing.T) {
	root := t.TempDir()
	write(t, root, "proc/self/cgroup", "0::/a\n")
	write(t, root, "proc/self/mountinfo", v2Only)
	write(t, root, "sys/fs/cgroup/a/cgroup.controllers", "cpu memory rdma\n")
	c, err := joinCgroups(root, 42)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"cpu", "memory"}; !slices.Equal(c.Controllers, want) {
		t.Errorf("got controllers %v, want %v", c.Controllers, want)
	}
	for path, want := range map[string]string{
		"sys/fs/cgroup/a/wr-engine/cgroup.procs":    "42",
		"sys/fs/cgroup/a/cgroup.subtree_control":    "+memory", // the last of several writes
		"sys/fs/cgroup/a/wr-engine/../cgroup.procs": "",
	} {
		got, err := os.ReadFile(filepath.Join(root, path))
		if string(got) != want || want != "" && err != nil {
			t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
		}
	}
}

func TestJoinCgroupsSaysWhichLimitsCannotBeSet(t *testing.T) {
	root := t.TempDir()
	write(t, root, "proc/self/cgroup", "0::/a\n")
	write(t, root, "proc/self/mountinfo", v2Only)
	write(t, root, "sys/fs/cgroup/a/cgroup.controllers", "memory\n")
	// A directory in the file's place refuses to be written, as the kernel
	// does while somebody else is in the group.
	if err := os.Mkdir(filepath.Join(root, "sys/fs/cgroup/a/cgroup.subtree_control"), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := joinCgroups(root, 42)
	if err == nil || len(c.Controllers) != 0 {
		t.Errorf("got controllers %v and error %v, want none and an error", c.Controllers, err)
	}
	if c.Parent() != "/a/wr" {
		t.Errorf("got parent %q, want /a/wr", c.Parent())
	}
}

func TestJoinCgroupsChangesNothingOnV1(t *testing.T) {
	root := t.TempDir()
	write(t, root, "proc/self/cgroup", "4:memory:/a\n")
	write(t, root, "proc/self/mountinfo", v1Memory)
	write(t, root, "sys/fs/cgroup/memory/a/tasks", "")
	if _, err := joinCgroups(root, 42); err != nil {
		t.Fatal(err)
	}
	if found, _ := fs.Glob(os.DirFS(root), "sys/fs/cgroup/memory/a/*"); len(found) != 1 {
		t.Errorf("got %v, want tasks only", found)
	}
}

func TestLeaveRemovesEmptyGroupsOnly(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a/wr/live/tasks", "")
	if err := os.MkdirAll(filepath.Join(root, "b/wr/buildkit"), 0o755); err != nil {
		t.Fatal(err)
	}
	Cgroups{dirs: []string{"a", "b"}}.leave(root, 42)
	if _, err := os.Stat(filepath.Join(root, "a/wr/live/tasks")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, "b/wr")); err == nil {
		t.Error("b/wr is still there")
	}
}

func TestRemoveTakesTheGroupsOfOneContainerAndOnlyEmptyOnes(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a/wr/live/tasks", "")
	for _, dir := range []string{"a/wr/gone", "b/wr/gone", "b/wr/other"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := Cgroups{dirs: []string{"a", "b"}}
	if err := c.remove(root, "gone"); err != nil {
		t.Error(err)
	}
	if err := c.remove(root, "live"); err == nil {
		t.Error("no error for a group in which something is")
	}
	left, err := fs.Glob(os.DirFS(root), "*/wr/*")
	if want := []string{"a/wr/live", "b/wr/other"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("left are %v (%v), want %v", left, err, want)
	}
}

func TestLeaveUndoesWhatJoinDidOnV2(t *testing.T) {
	root := t.TempDir()
	write(t, root, "proc/self/cgroup", "0::/a\n")
	write(t, root, "proc/self/mountinfo", v2Only)
	write(t, root, "sys/fs/cgroup/a/cgroup.controllers", "cpu memory pids\n")
	write(t, root, "sys/fs/cgroup/a/cgroup.subtree_control", "cpu pids\n")
	c, err := joinCgroups(root, 42)
	if err != nil {
		t.Fatal(err)
	}
	// What the kernel would have made of what was written.
	write(t, root, "sys/fs/cgroup/a/cgroup.subtree_control", "cpu memory pids\n")
	leaf := filepath.Join(root, "sys/fs/cgroup/a/wr-engine")
	if err := os.Remove(filepath.Join(leaf, "cgroup.procs")); err != nil {
		t.Fatal(err)
	}
	c.leave(root, 42)
	if _, err := os.Stat(leaf); err == nil {
		t.Error("the engine's group is still there")
	}
	for file, want := range map[string]string{"cgroup.procs": "42", "cgroup.subtree_control": "-memory"} {
		if got, err := os.ReadFile(filepath.Join(root, "sys/fs/cgroup/a", file)); string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", file, got, err, want)
		}
	}
}

func TestDetectCgroupsOnThisMachine(t *testing.T) {
	c, err := DetectCgroups(os.DirFS("/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v parent %q", c, c.Parent())
	for _, dir := range c.dirs {
		if _, err := os.Stat(filepath.Join("/", dir, "cgroup.procs")); err != nil {
			t.Errorf("%s is no control group: %v", dir, err)
		}
	}
	if c.Mode != CgroupNone && len(c.dirs) == 0 {
		t.Errorf("mode %s without a group", c.Mode)
	}
}
