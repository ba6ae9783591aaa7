package cache_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// mounted is a folder for a cache on a file system of its own.
func mounted(t *testing.T, options string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	dir := t.TempDir()
	if err := unix.Mount("wr-test", dir, "tmpfs", 0, options+",mode=700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// ballast fills the file system of dir up to the last byte.
func ballast(t *testing.T, dir string) (free func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() { _ = os.Remove(f.Name()) }
}

func TestAFullDiskCostsResultsAndNothingElse(t *testing.T) {
	dir := mounted(t, "size=1m")
	c := open(t, dir, cache.Options{})
	for i := range many {
		c.PutResult(numbered(i))
	}
	kept := put(t, c, "report")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	free := ballast(t, dir)

	c, err := cache.Open(dir, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if hits := right(t, c); hits != many {
		t.Errorf("only %d results can be read", hits)
	}
	d, err := c.PutBlob(make([]byte, 100<<10))
	if !fault.HasCode(err, fault.DiskFull) || d != cache.DigestOf(make([]byte, 100<<10)) {
		t.Errorf("a blob: got %v", err)
	}
	if _, ok := c.Blob(d); ok {
		t.Error("a blob that found no place is there")
	}
	if _, err := c.PutReader(t.Context(), bytes.NewReader(make([]byte, 100<<10))); !fault.HasCode(err, fault.DiskFull) {
		t.Errorf("a stream: got %v", err)
	}
	for i := range 100 {
		key, _ := numbered(many + i)
		c.PutResult(key, cache.Result{Data: make([]byte, 1000)})
		cache.Flush(c)
	}
	if err := c.Close(); !fault.HasCode(err, fault.DiskFull) || !strings.Contains(err.Error(), "on the file system at "+dir) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, cache.Temps)); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}

	free()
	c = open(t, dir, cache.Options{})
	if _, ok := c.Blob(kept); !ok || right(t, c) != many {
		t.Error("something that was there is gone")
	}
	last, _ := numbered(many + 99)
	c.PutResult(last, cache.Result{})
	c = reopen(t, c, dir)
	if _, ok := c.Result(last); !ok {
		t.Error("nothing is written any more")
	}
}

func TestAFullDiskCanBeTrimmed(t *testing.T) {
	dir := mounted(t, "size=1m")
	c := open(t, dir, cache.Options{})
	hours(t, c, dir, 10)
	cache.Flush(c)
	ballast(t, dir)
	if u, err := c.Trim(t.Context(), 5*4096); err != nil || u.Blobs != 4 || u.Results != 4 {
		t.Errorf("got %+v, %v", u, err)
	}
}

func TestACacheThatMayOnlyBeReadIsRead(t *testing.T) {
	dir := mounted(t, "size=1m")
	var later clock
	c := open(t, dir, cache.Options{})
	for i := range many {
		c.PutResult(numbered(i))
	}
	d := put(t, c, "report")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	later.set(2 * cache.Coarse)
	c = open(t, dir, cache.Options{Now: later.now}) // closes without an error
	if _, ok := c.Blob(d); !ok || right(t, c) != many {
		t.Error("something cannot be read")
	}
	if err := c.Close(); err != nil {
		t.Errorf("uses that cannot be recorded are reported: %v", err)
	}
	c, err := cache.Open(dir, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.PutResult(numbered(0))
	if err := c.Close(); !fault.HasCode(err, "cache.not_written") || !errors.Is(err, syscall.EROFS) {
		t.Errorf("got %v", err)
	}
}
