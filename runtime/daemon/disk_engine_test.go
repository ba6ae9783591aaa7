//go:build linux && engine

package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// onSmallDisk puts the engine's state on a file system with a bounded number
// of names.
func onSmallDisk(t *testing.T) func(*engineConfig) {
	return func(c *engineConfig) {
		if err := os.MkdirAll(c.Dirs.State, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount("wr-test", c.Dirs.State, "tmpfs", 0, "size=256m,nr_inodes=4096,mode=700"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := unix.Unmount(c.Dirs.State, unix.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
	}
}

// useNames uses up the names that dir can hold, and returns what gives them back.
func useNames(t *testing.T, dir string) (release func()) {
	t.Helper()
	ballast := filepath.Join(dir, "ballast")
	if err := os.Mkdir(ballast, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		f, err := os.Create(filepath.Join(ballast, fmt.Sprint(i)))
		if err != nil {
			break
		}
		f.Close()
	}
	return func() {
		if err := os.RemoveAll(ballast); err != nil {
			t.Error(err)
		}
	}
}

func TestAContainerThatFindsNoSpaceNamesTheDisk(t *testing.T) {
	f := start(t, onSmallDisk(t))
	box := spec.Container{Image: testImage, Network: spec.NetworkNone, Caller: spec.Owner{UID: os.Getuid(), GID: os.Getgid()}}
	run := func() (spec.Exit, error) {
		return f.Run(t.Context(), box, spec.Process{Args: []string{"true"}}, spec.Stdio{})
	}
	release := useNames(t, f.config.Dirs.State)
	_, err := run()
	release()
	if d := fault.Of(err); d == nil || d.Code != fault.DiskFull || !strings.Contains(d.Message, "on the file system at "+f.config.Dirs.State+":") {
		t.Errorf("got %v, want the full disk", err)
	}
	if exit, err := run(); err != nil || exit.Code != 0 {
		t.Errorf("with space again it ends with %d, %v", exit.Code, err)
	}
}
