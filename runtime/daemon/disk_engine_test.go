//go:build linux && engine

package daemon

import (
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	distribution "github.com/google/go-containerregistry/pkg/registry"
	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/registry"
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

// onLoop puts the engine's state on a file system of its own in a file.
func onLoop(t *testing.T) func(*engineConfig) {
	return func(c *engineConfig) {
		mountOn(t, c.Dirs.State, "-t", "ext4", "-o", "loop", formatted(t, "ext4", filepath.Join(t.TempDir(), "image")))
	}
}

// fill takes all space but that many bytes of the file system of dir, and
// returns what gives it back.
func fill(t *testing.T, dir string, but int64) (release func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var disk unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &disk); err != nil {
		t.Fatal(err)
	}
	most := int64(disk.Bfree * uint64(disk.Bsize))
	for err = unix.ENOSPC; err == unix.ENOSPC; most -= 1 << 20 { // some of it nobody gets
		err = unix.Fallocate(int(f.Fd()), 0, 0, most)
	}
	if err == nil {
		err = f.Truncate(most - but)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(f.Name()); err != nil {
			t.Error(err)
		}
	}
}

// TestAFullDiskFailsWhatNeedsItByNameAndNothingElse leaves 8 MB for more than
// 16 MB of each.
func TestAFullDiskFailsWhatNeedsItByNameAndNothingElse(t *testing.T) {
	const little = 8 << 20
	f := start(t, onLoop(t))
	engine := f.pid()
	remote := f.publish(builtImage)
	f.cleanUp(everything())
	f.must(box(), sh("true")) // its image is unpacked
	f.before = f.census()
	images := registry.New(registry.Config{ContainerdSocket: f.config.Dirs.ContainerdSocket(), Namespace: image.Namespace})
	defer images.Close()
	for what, do := range map[string]func() error{
		"a pull": func() error {
			_, _, err := images.Pull(t.Context(), spec.Copy{Local: builtImage, Remote: remote}, func(spec.Step) {})
			return err
		},
		"a build": func() error { return f.tryBuild("wr.local/a/full:1") },
	} {
		release := fill(t, f.config.Dirs.State, little)
		err := do()
		if !fault.HasCode(err, fault.DiskFull) {
			t.Errorf("%s fails with %v, want the full disk", what, err)
		}
		f.eventually("it has ended", f.unused)
		f.eventually("there is room for a container", func() bool {
			f.cleanUp(everything()) // what came of the build so far fills the disk
			_, exit, err := f.output(t.Context(), box(), sh("true"))
			return err == nil && exit.Code == 0
		})
		release()
	}
	f.eventually("uploads of which the full disk kept no record are removed", func() bool {
		f.cleanUp(everything())
		left, err := f.take()
		return err == nil && len(left.Minus(f.before)) == 0
	})
	release := fill(t, f.config.Dirs.State, little)
	text, exit, err := f.output(t.Context(), box(), sh("dd if=/dev/zero of=big bs=1M count=16"))
	if err != nil || exit.Code == 0 || !strings.Contains(text, "No space left on device") {
		t.Errorf("a command: exit %+v, %v, %q", exit, err, text)
	}
	f.nothingLeft() // also of what it has written
	f.must(box(), sh("dd if=/dev/zero of=big bs=1M count=1"))
	release()
	f.build("wr.local/a/full:1")
	f.cleanUp(everything())
	if now := f.pid(); now != engine {
		t.Errorf("the engine is process %d, not %d any more", now, engine)
	}
}

// publish builds an image, pushes it to a registry on this machine and forgets
// it here. It returns its name there.
func (f *fixture) publish(ref string) (remote string) {
	f.t.Helper()
	server := httptest.NewServer(distribution.New(distribution.Logger(log.New(io.Discard, "", 0))))
	f.t.Cleanup(server.Close)
	remote = strings.TrimPrefix(server.URL, "http://") + "/a/image:1"
	f.build(ref)
	images := registry.New(registry.Config{ContainerdSocket: f.config.Dirs.ContainerdSocket(), Namespace: image.Namespace})
	defer images.Close()
	if _, err := images.Push(f.t.Context(), spec.Copy{Local: ref, Remote: remote}, func(spec.Step) {}); err != nil {
		f.t.Fatal(err)
	}
	return remote
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
