package cache_test

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"

	"github.com/wr-build/wr/host/cache"
)

// keys are those of n actions.
func keys(n int) []cache.Key {
	all := make([]cache.Key, n)
	for i := range all {
		all[i] = cache.KeyOf("bench", strconv.Itoa(i))
	}
	return all
}

// filled is the folder of a cache with a result of 1 KB for each key.
func filled(b *testing.B, keys []cache.Key) string {
	b.Helper()
	dir := folder(b)
	c := open(b, dir, cache.Options{})
	for i, key := range keys {
		c.PutResult(key, cache.Result{Data: bytes.Repeat([]byte{byte(i)}, 1024)})
	}
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkRun is what a run costs in which nothing changed: open, look each
// result up, close.
func BenchmarkRun(b *testing.B) {
	for _, n := range []int{0, 200, 2000, 20000} {
		b.Run(fmt.Sprint(n, " results"), func(b *testing.B) {
			keys := keys(n)
			dir := filled(b, keys)
			for b.Loop() {
				c, err := cache.Open(dir, cache.Options{})
				if err != nil {
					b.Fatal(err)
				}
				for _, key := range keys {
					if _, ok := c.Result(key); !ok {
						b.Fatal("a miss")
					}
				}
				if err := c.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPutResult is a first run: results of 1 KB are put, and written by Close.
func BenchmarkPutResult(b *testing.B) {
	keys := keys(2000)
	for b.Loop() {
		filled(b, keys)
	}
}

func BenchmarkPutBlob(b *testing.B) {
	c := open(b, folder(b), cache.Options{})
	blob := make([]byte, 4096)
	for i := 0; b.Loop(); i++ {
		copy(blob, strconv.Itoa(i))
		if _, err := c.PutBlob(blob); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBlob(b *testing.B) {
	c := open(b, folder(b), cache.Options{})
	for _, size := range []int{4 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size>>10, " KiB"), func(b *testing.B) {
			d := put(b, c, string(make([]byte, size)))
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, ok := c.Blob(d); !ok {
					b.Fatal("a miss")
				}
			}
		})
	}
}

// BenchmarkSize is the larger part of a trim.
func BenchmarkSize(b *testing.B) {
	c := open(b, folder(b), cache.Options{})
	for i := range 10000 {
		put(b, c, strconv.Itoa(i))
	}
	for b.Loop() {
		if u, err := c.Size(b.Context()); err != nil || u.Blobs != 10000 {
			b.Fatal(u, err)
		}
	}
}
