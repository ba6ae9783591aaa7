//go:build linux && engine

package helper

import (
	"os"
	"syscall"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestNoexecMountIsSeen(t *testing.T) {
	state := t.TempDir()
	if err := syscall.Mount("tmpfs", state, "tmpfs", syscall.MS_NOEXEC, ""); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Unmount(state, 0); err != nil {
			t.Error(err)
		}
	}()
	f := find(os.DirFS(packIn(t, both())))
	f.noexec = noexec
	if _, err := f.find(state); !fault.HasCode(err, "helper.noexec") {
		t.Errorf("got %v", err)
	}
}

func TestFullDiskIsAFaultAndHealsByItself(t *testing.T) {
	state := t.TempDir()
	if err := syscall.Mount("tmpfs", state, "tmpfs", 0, "size=500k"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Unmount(state, 0); err != nil {
			t.Error(err)
		}
	}()
	assets := os.DirFS(packIn(t, both()))
	if _, err := find(assets).find(state); !fault.HasCode(err, "disk.full") {
		t.Errorf("got %v", err)
	}
	if err := syscall.Mount("tmpfs", state, "tmpfs", syscall.MS_REMOUNT, "size=5m"); err != nil {
		t.Fatal(err)
	}
	if _, err := find(assets).find(state); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
