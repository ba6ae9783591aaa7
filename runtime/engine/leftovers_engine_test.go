//go:build linux && engine

package engine

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

func TestDamageAlsoEndsTheContainersThatNobodyKnowsAnyMore(t *testing.T) {
	dirs := engineDirs(t)
	if err := dirs.makeDirs(access{gid: -1}); err != nil {
		t.Fatal(err)
	}
	ours := fakeShim(t, dirs.ContainerdSocket())
	other := fakeShim(t, "/run/containerd/containerd.sock")
	makeDatabases(t, dirs)
	overwrite(t, dirs.databases()[0], make([]byte, 65536))
	d, err := Open(t.Context(), Config{Dirs: dirs})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := ours.Wait(); err == nil || ours.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("our shim ended with %v, want killed", err)
	}
	if err := other.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("the shim of another containerd: %v", err)
	}
	if err := other.Wait(); err == nil || other.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("the shim of another containerd ended with %v", err)
	}
	if n := len(d.Warnings()); n != 1 {
		t.Errorf("got warnings %q, want one", d.Warnings())
	}
}

// fakeShim starts a process with a shim's command line that waits for ever.
func fakeShim(t *testing.T, address string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-namespace", Namespace, "-id", "c1", "-address", address)
	cmd.Env = append(os.Environ(), modeEnv+"=wait")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}
