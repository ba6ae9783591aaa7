package cache_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wr-build/wr/host/cache"
)

// many is how many results the index of a damaged cache had.
const many = 20

// written is the folder of a cache with many results, and its index.
func written(t *testing.T) (dir string, index []byte) {
	t.Helper()
	dir = folder(t)
	c := open(t, dir, cache.Options{})
	for i := range many {
		c.PutResult(numbered(i))
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(dir, cache.IndexFile))
	if err != nil {
		t.Fatal(err)
	}
	return dir, index
}

func numbered(i int) (cache.Key, cache.Result) {
	return cache.KeyOf("test", fmt.Sprint(i)), cache.Result{Data: bytes.Repeat([]byte{byte(i)}, 10+i)}
}

// right counts the results that c has; none may be wrong.
func right(t *testing.T, c *cache.Cache) int {
	t.Helper()
	hits := 0
	for i := range many {
		key, want := numbered(i)
		got, ok := c.Result(key)
		if ok && !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%d is %x", i, got.Data)
		}
		if ok {
			hits++
		}
	}
	return hits
}

func TestOfADamagedIndexOnlyWhatIsWholeCounts(t *testing.T) {
	dir, whole := written(t)
	flipped := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 0x40
		return b
	}
	half := len(whole) / 2
	cases := map[string]struct {
		index       []byte
		least, most int // results that are left
	}{
		"untouched":                    {whole, many, many},
		"empty":                        {nil, 0, 0},
		"cut within the first line":    {whole[:5], 0, 0},
		"cut after the first line":     {whole[:len(cache.IndexMagic)], 0, 0},
		"cut in the middle":            {whole[:half], 1, many - 1},
		"cut by one byte":              {whole[:len(whole)-1], many - 1, many - 1},
		"a byte of the version":        {flipped(2), 0, 0},
		"another version":              {bytes.Replace(whole, []byte("1\n"), []byte("2\n"), 1), 0, 0},
		"the first length":             {flipped(len(cache.IndexMagic)), 0, 0},
		"the first length, enormously": {flipped(len(cache.IndexMagic) + 3), 0, 0},
		"a byte in the middle":         {flipped(half), 1, many - 1},
		"the last byte":                {flipped(len(whole) - 1), many - 1, many - 1},
		"zeros at the end":             {append(bytes.Clone(whole), make([]byte, 4096)...), many, many},
		"zeros from the middle":        {append(bytes.Clone(whole[:half]), make([]byte, len(whole)-half)...), 1, many - 1},
		"zeros only":                   {make([]byte, len(whole)), 0, 0},
		"half a frame in the middle":   {append(bytes.Clone(whole[:half]), whole...), 1, many - 1},
		"everything twice":             {append(bytes.Clone(whole), whole[len(cache.IndexMagic):]...), many, many},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, cache.IndexFile), tt.index, 0o600); err != nil {
				t.Fatal(err)
			}
			c := open(t, dir, cache.Options{})
			hits := right(t, c)
			if hits < tt.least || hits > tt.most {
				t.Errorf("there are %d results, want %d to %d", hits, tt.least, tt.most)
			}
			extra := cache.KeyOf("test", "extra")
			c.PutResult(extra, cache.Result{Data: []byte("x")})
			c = reopen(t, c, dir)
			if _, ok := c.Result(extra); !ok {
				t.Error("what was put afterwards is not there")
			}
			if again := right(t, c); again != hits {
				t.Errorf("afterwards there are %d results instead of %d", again, hits)
			}
		})
	}
}

func TestAnIndexThatChangesUnderAProcessIsReadAgain(t *testing.T) {
	cases := map[string]func(dir string, index []byte) error{
		"another process packed it":       func(dir string, _ []byte) error { return replace(dir, nil) },
		"it was removed":                  func(dir string, _ []byte) error { return os.Remove(dir) },
		"it was cut off":                  func(dir string, index []byte) error { return os.Truncate(dir, int64(len(index)-1)) },
		"it was emptied":                  func(dir string, _ []byte) error { return os.Truncate(dir, 0) },
		"somebody left half a frame":      func(dir string, index []byte) error { return appendTo(dir, index[len(cache.IndexMagic):100]) },
		"it was cut off and went on":      func(dir string, index []byte) error { return rewrite(dir, string(index[:200])+string(index)) },
		"it became one of a later wr":     func(dir string, _ []byte) error { return rewrite(dir, "wr results 2\nxxxx") },
		"somebody wrote something longer": func(dir string, index []byte) error { return rewrite(dir, string(make([]byte, 2*len(index)))) },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			dir, index := written(t)
			c := open(t, dir, cache.Options{})
			if err := change(filepath.Join(dir, cache.IndexFile), index); err != nil {
				t.Fatal(err)
			}
			extra := cache.KeyOf("test", "extra")
			c.PutResult(extra, cache.Result{Data: []byte("x")})
			cache.Flush(c)
			hits := right(t, c)
			c = reopen(t, c, dir)
			if _, ok := c.Result(extra); !ok {
				t.Error("what was put is not there")
			}
			if again := right(t, c); again != hits {
				t.Errorf("the next process has %d results instead of %d", again, hits)
			}
		})
	}
}

// replace puts another file in place of an index.
func replace(file string, text []byte) error {
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func appendTo(file string, text []byte) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(text)
	return err
}

func TestAnIndexTooLargeToBeOneIsStartedAnew(t *testing.T) {
	dir, _ := written(t)
	file := filepath.Join(dir, cache.IndexFile)
	if err := os.Truncate(file, 200<<20); err != nil { // no block of it is on disk
		t.Fatal(err)
	}
	c := open(t, dir, cache.Options{})
	if hits := right(t, c); hits > 0 {
		t.Errorf("there are %d results", hits)
	}
	c.PutResult(numbered(1))
	c = reopen(t, c, dir)
	if hits, size := right(t, c), stat(t, file).Size(); hits != 1 || size > 1000 {
		t.Errorf("there are %d results in %d bytes", hits, size)
	}
}

func TestAnIndexThatGrowsIsPacked(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	most := int64(0)
	for i := range 2000 {
		key, _ := numbered(i % many)
		c.PutResult(key, cache.Result{Data: bytes.Repeat([]byte{byte(i)}, 4096)})
		cache.Flush(c)
		most = max(most, stat(t, filepath.Join(dir, cache.IndexFile)).Size())
	}
	if most > 2<<20 {
		t.Errorf("the index of %d results had %d bytes", many, most)
	}
	c = reopen(t, c, dir)
	for i := range many {
		key, _ := numbered(i)
		if r, ok := c.Result(key); !ok || len(r.Data) != 4096 || r.Data[0] != byte(2000-many+i) {
			t.Errorf("%d is %t, not the last that was put", i, ok)
		}
	}
}

func TestAnIndexHasALimitAndKeepsWhatWasUsedLast(t *testing.T) {
	dir := folder(t)
	const limit = 400 << 10
	var later clock
	c := open(t, dir, cache.Options{MaxBytes: 4 * limit, Now: later.now})
	for i := range 1000 {
		key, _ := numbered(i)
		later.set(2 * cache.Coarse * time.Duration(i))
		c.PutResult(key, cache.Result{Data: make([]byte, 1000)})
		first, _ := numbered(0)
		if _, ok := c.Result(first); !ok {
			t.Fatalf("the one that is used all the time is gone after %d", i)
		}
	}
	c = reopen(t, c, dir)
	if size := stat(t, filepath.Join(dir, cache.IndexFile)).Size(); size > limit {
		t.Errorf("it has %d bytes", size)
	}
	for i, want := range map[int]bool{0: true, 1: false, 2: false, 998: true, 999: true} {
		key, _ := numbered(i)
		if _, ok := c.Result(key); ok != want {
			t.Errorf("%d is there: %t", i, ok)
		}
	}
}
