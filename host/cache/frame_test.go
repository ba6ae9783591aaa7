package cache_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/host/cache"
)

// indexOf is the index of a cache with some results.
func indexOf(t testing.TB, results ...cache.Result) []byte {
	t.Helper()
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	for i, r := range results {
		c.PutResult(cache.KeyOf("test", string(rune('a'+i))), r)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, cache.IndexFile))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzIndex(f *testing.F) {
	whole := indexOf(f, cache.Result{Data: []byte("12 cases")}, cache.Result{Outputs: []cache.Output{{Path: "a", Digest: cache.DigestOf(nil)}}})
	f.Add(whole, uint(0), byte(0))
	f.Add(whole, uint(len(whole)-1), byte(1))
	f.Add(whole, uint(len(cache.IndexMagic)), byte(255))
	f.Add([]byte(cache.IndexMagic), uint(3), byte(7))
	f.Add(make([]byte, 200), uint(0), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at uint, flip byte) {
		b = bytes.Clone(b)
		if len(b) > 0 {
			b[at%uint(len(b))] ^= flip
		}
		read, results, same := cache.Reframe(b)
		if read > len(b) || !same {
			t.Fatalf("read %d of %d bytes, the same again: %t", read, len(b), same)
		}
		packed := cache.Pack(b, 1<<30)
		again, left, _ := cache.Reframe(packed)
		if again != len(packed) || left != results {
			t.Errorf("packed, there are %d results instead of %d in %d of %d bytes", left, results, again, len(packed))
		}
	})
}

func FuzzResult(f *testing.F) {
	f.Add([]byte{0, 0})
	f.Add([]byte{1, 'x', 0})
	f.Add([]byte{0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Add(append([]byte{0, 1, 1, 'p'}, make([]byte, 33)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		text, ok := cache.Recode(b)
		if !ok {
			return
		}
		if again, ok := cache.Recode(text); !ok || !bytes.Equal(again, text) {
			t.Errorf("%x is read as %x, which is read as %x", b, text, again)
		}
	})
}
