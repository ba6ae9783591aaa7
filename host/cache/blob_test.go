package cache_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wr-build/wr/host/cache"
)

// rewrite changes a file in place.
func rewrite(file, text string) error {
	return errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, []byte(text), 0o600))
}

func TestADamagedBlobIsAMissAndRemoved(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	reads := map[string]func(cache.Digest) bool{
		"whole": func(d cache.Digest) bool { _, ok := c.Blob(d); return ok },
		"as a file": func(d cache.Digest) bool {
			f, ok := c.OpenBlob(t.Context(), d)
			if ok {
				_ = f.Close()
			}
			return ok
		},
	}
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			d := put(t, c, "report")
			file := filepath.Join(dir, cache.BlobFile(d))
			if err := rewrite(file, "repost"); err != nil {
				t.Fatal(err)
			}
			if read(d) {
				t.Error("it was handed out")
			}
			if _, err := os.Stat(file); err == nil {
				t.Error("it is still there")
			}
			if put(t, c, "report"); !read(d) {
				t.Error("it cannot be put again")
			}
		})
	}
}

func TestADigestThatIsNoneIsAMiss(t *testing.T) {
	c := open(t, folder(t), cache.Options{})
	good := put(t, c, "report")
	for _, d := range []cache.Digest{
		{},
		{Hash: good.Hash[:62], Size: good.Size},
		{Hash: good.Hash + "00", Size: good.Size},
		{Hash: strings.ToUpper(good.Hash), Size: good.Size},
		{Hash: good.Hash, Size: -1},
		{Hash: strings.Repeat("../", 21) + ".", Size: 1},
		{Hash: strings.Repeat("z", 64), Size: 1},
	} {
		if _, ok := c.Blob(d); ok {
			t.Errorf("there is a blob %q", d)
		}
	}
	if b, ok := c.Blob(good); !ok || string(b) != "report" {
		t.Errorf("the good one is %q, %t", b, ok)
	}
}

func TestABlobMayBeAStream(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for range 2 { // the second time it is there
		d, err := c.PutReader(t.Context(), iotest.HalfReader(bytes.NewReader(large)))
		if err != nil || d != cache.DigestOf(large) {
			t.Fatalf("got %v, %v", d, err)
		}
	}
	f, ok := c.OpenBlob(t.Context(), cache.DigestOf(large))
	if !ok {
		t.Fatal("it is not there")
	}
	defer f.Close()
	if _, err := c.Trim(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, large) {
		t.Errorf("after it was removed, %d bytes could be read, %v", len(got), err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, cache.Temps)); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestAStreamThatBreaksOffKeepsNothing(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	cases := map[string]struct {
		ended bool
		from  io.Reader
		want  string
	}{
		"its source fails":     {false, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errors.New("unplugged"))), "unplugged"},
		"nobody waits anymore": {true, strings.NewReader("half"), "interrupted"},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if tt.ended {
				cancel(errors.New("interrupted"))
			}
			if _, err := c.PutReader(ctx, tt.from); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	d := put(t, c, "report")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := c.OpenBlob(ended, d); ok {
		t.Error("nobody waits for the blob, and it was opened")
	}
	if _, ok := c.Blob(d); !ok {
		t.Error("a blob that nobody waited for was removed")
	}
	if u, err := c.Size(t.Context()); err != nil || u.Blobs != 1 {
		t.Errorf("got %+v, %v", u, err)
	}
}
