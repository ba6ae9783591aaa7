//go:build linux && engine

package engine

import (
	"os"
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// upAfter starts an engine that sees the mounts that a shell command leaves,
// in a mount namespace of its own.
func upAfter(t *testing.T, dirs Dirs, command string) error {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Up(t.Context(), Start{
		Dirs: dirs, Exe: "/usr/bin/unshare",
		Args: []string{"--mount", "sh", "-c", command + ` && exec "$0"`, exe},
		Env:  append(os.Environ(), modeEnv+"=serve"),
	})
}

func TestWithoutControlGroupsTheEngineSaysSo(t *testing.T) {
	dirs := engineDirs(t)
	err := upAfter(t, dirs, "if grep -q ' /sys/fs/cgroup ' /proc/self/mountinfo; then umount -l -R /sys/fs/cgroup; fi")
	if f := fault.Of(err); f == nil || f.Code != "engine.no_cgroups" || !strings.Contains(f.Next, "mount -t cgroup2") {
		t.Errorf("got %v, want engine.no_cgroups that says what to mount", err)
	}
}

func TestBuildStepsRunOnAMachineOfV1Only(t *testing.T) {
	own, err := DetectCgroups(os.DirFS("/"))
	if err != nil {
		t.Fatal(err)
	}
	if own.Mode != CgroupHybrid {
		t.Skipf("this machine has control groups %s; only hybrid can be made v1 by unmounting", own.Mode)
	}
	dirs := engineDirs(t)
	if err := upAfter(t, dirs, "umount -a -t cgroup2"); err != nil {
		t.Fatalf("%v\n%s", err, fault.Of(err).Details)
	}
	if text := readLog(t, dirs); !strings.Contains(text, "control groups: v1\n") {
		t.Fatalf("the engine is not on v1: %s", text)
	}
	h, _ := Holder(dirs)
	wantStepBeside(t, dirs, h.PID)
}
