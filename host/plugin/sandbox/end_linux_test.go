package sandbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/host/plugin/module/moduletest"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestAChildThatIsKilledIsOneError(t *testing.T) {
	child := begin(t, config(t, moduletest.Echo()))
	i, err := child.Instance(t.Context(), sandbox.Command{})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if err := syscall.Kill(child.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_, err = i.Wait()
	if f := fault.Of(err); f == nil || f.Code != sandbox.CodeCrashed || !strings.Contains(f.Message, "signal: killed") {
		t.Errorf("got %v", err)
	}
}

func TestAChildGoesWithAParentThatIsKilled(t *testing.T) {
	t.Run("while it runs", func(t *testing.T) { killParent(t, func(int) error { return nil }) })
	// Why: a guest can keep a child from ever looking at its control channel.
	t.Run("while it can do nothing", func(t *testing.T) { killParent(t, func(pid int) error { return syscall.Kill(pid, syscall.SIGSTOP) }) })
}

// killParent starts a parent with a child, does something to the child and kills
// the parent.
func killParent(t *testing.T, to func(pid int) error) {
	t.Helper()
	c := config(t, moduletest.EndlessLoop())
	text, err := json.Marshal(map[string]string{"Module": c.Module, "Digest": c.Digest, "CacheDir": c.CacheDir, "Program": c.Program})
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), asParent+"="+string(text))
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	defer parent.Wait()
	defer parent.Process.Kill()
	var pid int
	if _, err := fmt.Fscanln(out, &pid); err != nil {
		t.Fatal(err)
	}
	child, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(child)
	defer unix.PidfdSendSignal(child, unix.SIGKILL, nil, 0)
	if err := errors.Join(to(pid), parent.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	n, err := 0, error(unix.EINTR)
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(child), Events: unix.POLLIN}}, int(soon.Milliseconds()))
	}
	if n != 1 || err != nil {
		t.Errorf("the child lives on: %d, %v", n, err)
	}
}

func TestRootsChildIsTheOwnerOfTheWorkspace(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root has a user to give up")
	}
	for name, user := range map[string]int{"a user's": 1234, "root's own": 0} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			file := filepath.Join(root, "file")
			if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chown(file, user, user), os.Chown(root, user, user), os.Chmod(root, 0o700)); err != nil {
				t.Fatal(err)
			}
			c := config(t, moduletest.Return())
			var err error
			if c.Root, err = os.Open(root); err != nil {
				t.Fatal(err)
			}
			defer c.Root.Close()
			child := begin(t, c)
			if got := child.Facts().User; got != user {
				t.Errorf("got user %d, want %d", got, user)
			}
			i, err := child.Instance(t.Context(), sandbox.Command{})
			if err != nil {
				t.Fatal(err)
			}
			defer i.Close()
			notes, err := i.Take()
			if err != nil || !strings.Contains(string(notes), `"read the root":"works"`) {
				t.Errorf("got %s, %v", notes, err)
			}
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", child.Pid()))
			for _, want := range []string{"CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Groups:\t \n", fmt.Sprintf("Uid:\t%d\t%d\t%d\t%d\n", user, user, user, user)} {
				if err != nil || !strings.Contains(string(status), want) {
					t.Errorf("%q is missing: %s, %v", want, status, err)
				}
			}
		})
	}
}
