//go:build linux && engine

package image

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestScratchIsNotRemovedThroughAMount(t *testing.T) {
	base := filepath.Join(t.TempDir(), "with space")
	scratch, mounted := filepath.Join(base, "scratch"), filepath.Join(base, "scratch", "dev")
	if err := os.MkdirAll(mounted, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", mounted, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(mounted, unix.MNT_DETACH) })
	device := filepath.Join(mounted, "null")
	if err := os.WriteFile(device, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(base, link); err != nil {
		t.Fatal(err)
	}
	var said []string
	removeScratch(filepath.Join(link, "scratch"), func(text string) { said = append(said, text) })
	if _, err := os.Stat(device); err != nil || len(said) != 1 {
		t.Errorf("got %v, said %q", err, said)
	}
	if err := unix.Unmount(mounted, 0); err != nil {
		t.Fatal(err)
	}
	removeScratch(scratch, func(text string) { t.Error(text) })
	if _, err := os.Stat(scratch); !os.IsNotExist(err) {
		t.Errorf("the scratch is still there: %v", err)
	}
}
