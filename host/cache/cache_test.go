package cache_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wr-build/wr/host/cache"
)

// open opens the cache in dir; it must close without an error.
func open(t testing.TB, dir string, o cache.Options) *cache.Cache {
	t.Helper()
	c, err := cache.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// reopen closes c and opens its folder again.
func reopen(t testing.TB, c *cache.Cache, dir string) *cache.Cache {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, dir, cache.Options{})
}

// clock is the time now, and as much later as is said.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) set(ahead time.Duration) { c.ahead.Store(int64(ahead)) }

// folder is where a cache may be.
func folder(t testing.TB) string { return filepath.Join(t.TempDir(), "results") }

func put(t testing.TB, c *cache.Cache, blob string) cache.Digest {
	t.Helper()
	d, err := c.PutBlob([]byte(blob))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAResultIsThereAtOnceAndForTheNextProcess(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	report := cache.Output{Path: "junit.xml", Digest: put(t, c, "<testsuites/>")}
	results := map[string]cache.Result{
		"nothing":           {},
		"data":              {Data: []byte("12 cases")},
		"outputs":           {Data: []byte{0}, Outputs: []cache.Output{report, {Path: "x", Digest: put(t, c, "")}}},
		"as much as fits":   {Data: make([]byte, cache.MaxInline-3)},
		"more than that":    {Data: make([]byte, cache.MaxInline+1), Outputs: []cache.Output{report}},
		"very much":         {Data: make([]byte, 3<<20)},
		"many outputs":      {Outputs: slices.Repeat([]cache.Output{report}, 1000)},
		"an earlier result": {Data: []byte("12 cases")},
	}
	c.PutResult(cache.KeyOf("test", "an earlier result"), cache.Result{Data: []byte("none")})
	for name, r := range results {
		c.PutResult(cache.KeyOf("test", name), r)
	}
	for _, when := range []string{"at once", "in the next process", "after that"} {
		for name, want := range results {
			t.Run(name+" "+when, func(t *testing.T) {
				got, ok := c.Result(cache.KeyOf("test", name))
				if !ok || !reflect.DeepEqual(got, want) {
					t.Errorf("got %t with %d bytes and %d outputs", ok, len(got.Data), len(got.Outputs))
				}
			})
		}
		if _, ok := c.Result(cache.KeyOf("test 2", "data")); ok {
			t.Error("there is a result of an action that was never done")
		}
		c = reopen(t, c, dir)
	}
}

func TestAResultIsNotSharedWithItsCaller(t *testing.T) {
	c := open(t, folder(t), cache.Options{})
	key, data := cache.KeyOf("test"), []byte("right")
	c.PutResult(key, cache.Result{Data: data})
	copy(data, "wrong")
	first, _ := c.Result(key)
	copy(first.Data, "wrong")
	if again, _ := c.Result(key); string(again.Data) != "right" {
		t.Errorf("got %q", again.Data)
	}
}

func TestKeysDifferWhereTheirPartsDo(t *testing.T) {
	keys := map[cache.Key][]string{}
	for _, parts := range [][]string{{"a"}, {"a", ""}, {"a", "b"}, {"ab"}, {"", "ab"}, {"a", "b", ""}, {"a", "", "b"}, {""}} {
		key := cache.KeyOf(parts[0], parts[1:]...)
		if other, ok := keys[key]; ok {
			t.Errorf("%q and %q have one key", parts, other)
		}
		keys[key] = parts
	}
}

func TestAResultWithoutOneOfItsOutputsIsAMiss(t *testing.T) {
	dir := folder(t)
	cases := map[string]func(file string) error{
		"gone":        os.Remove,
		"cut short":   func(file string) error { return rewrite(file, "repor") },
		"longer":      func(file string) error { return rewrite(file, "report.") },
		"a directory": func(file string) error { return errors.Join(os.Remove(file), os.Mkdir(file, 0o700)) },
		"a link":      func(file string) error { return errors.Join(os.Remove(file), os.Symlink("/etc/passwd", file)) },
		"a link to a blob": func(file string) error {
			return errors.Join(os.Rename(file, file+"0"), os.Symlink(filepath.Base(file)+"0", file))
		},
	}
	for name, harm := range cases {
		t.Run(name, func(t *testing.T) {
			c := open(t, dir, cache.Options{})
			d, key := put(t, c, "report"), cache.KeyOf("test", name)
			c.PutResult(key, cache.Result{Outputs: []cache.Output{{Path: "a", Digest: put(t, c, "more")}, {Path: "b", Digest: d}}})
			if err := harm(filepath.Join(dir, cache.BlobFile(d))); err != nil {
				t.Fatal(err)
			}
			if r, ok := c.Result(key); ok {
				t.Errorf("got %v", r)
			}
			if _, ok := c.Blob(d); ok {
				t.Error("the blob is there")
			}
			c.PutResult(key, cache.Result{Outputs: []cache.Output{{Path: "b", Digest: put(t, c, "report")}}})
			if _, ok := c.Result(key); !ok {
				t.Error("it cannot be put again")
			}
		})
	}
}

func TestNoCacheHasNothingAndKeepsNothing(t *testing.T) {
	var c *cache.Cache
	key := cache.KeyOf("test")
	c.PutResult(key, cache.Result{})
	if _, ok := c.Result(key); ok {
		t.Error("it has a result")
	}
	d, err := c.PutBlob([]byte("report"))
	if _, ok := c.Blob(d); ok || err != nil || d != cache.DigestOf([]byte("report")) {
		t.Errorf("got %v, %t, %v", d, ok, err)
	}
	streamed, err := c.PutReader(t.Context(), strings.NewReader("report"))
	if _, ok := c.OpenBlob(t.Context(), d); ok || err != nil || streamed != d {
		t.Errorf("got %v, %t, %v", streamed, ok, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestAClosedCacheIsQuiet(t *testing.T) {
	c := open(t, folder(t), cache.Options{})
	d := put(t, c, "report")
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	c.PutResult(cache.KeyOf("test"), cache.Result{})
	if _, ok := c.Blob(d); ok {
		t.Error("it has blobs")
	}
	if _, err := c.PutBlob([]byte("more")); err == nil {
		t.Error("it kept a blob")
	}
}

func TestManyMayUseOneCacheAtOnce(t *testing.T) {
	dir := folder(t)
	first, second := open(t, dir, cache.Options{}), open(t, dir, cache.Options{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			c := []*cache.Cache{first, second}[i%2]
			for j := range 200 {
				key, blob := cache.KeyOf("test", string(rune(j))), []byte{byte(i), byte(j)}
				d, err := c.PutBlob(blob)
				if err != nil {
					t.Error(err)
				}
				c.PutResult(key, cache.Result{Outputs: []cache.Output{{Path: "a", Digest: d}}})
				cache.Flush(c)
				if _, ok := c.Result(key); !ok {
					t.Errorf("%d, %d: not there", i, j)
				}
			}
		})
	}
	all.Wait()
	third := reopen(t, first, dir)
	if u, err := third.Size(t.Context()); err != nil || u.Results != 200 || u.Blobs != 1600 {
		t.Errorf("got %+v, %v", u, err)
	}
}

func TestOneProcessSeesWhatAnotherWroteWhenItWritesItself(t *testing.T) {
	dir := folder(t)
	first, second := open(t, dir, cache.Options{}), open(t, dir, cache.Options{})
	first.PutResult(cache.KeyOf("a"), cache.Result{})
	cache.Flush(first)
	second.PutResult(cache.KeyOf("b"), cache.Result{})
	cache.Flush(second)
	if _, ok := second.Result(cache.KeyOf("a")); !ok {
		t.Error("it does not")
	}
}

func TestAUseIsRecordedOnceAnHour(t *testing.T) {
	dir := folder(t)
	var later clock
	c := open(t, dir, cache.Options{Now: later.now})
	key := cache.KeyOf("test")
	d := put(t, c, "report")
	c.PutResult(key, cache.Result{Outputs: []cache.Output{{Path: "a", Digest: d}}})
	index, blob := filepath.Join(dir, cache.IndexFile), filepath.Join(dir, cache.BlobFile(d))
	for _, tt := range []struct {
		later    time.Duration
		recorded bool
	}{{cache.Coarse / 2, false}, {2 * cache.Coarse, true}, {2*cache.Coarse + time.Minute, false}, {4 * cache.Coarse, true}} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		before, was := stat(t, index).Size(), stat(t, blob).ModTime()
		later.set(tt.later)
		c = open(t, dir, cache.Options{Now: later.now})
		if _, ok := c.Result(key); !ok {
			t.Fatal("a miss")
		}
		cache.Flush(c)
		grown, touched := stat(t, index).Size() > before, stat(t, blob).ModTime().After(was)
		if grown != tt.recorded || touched != tt.recorded {
			t.Errorf("after %v: recorded %t for the result, %t for the blob, want %t", tt.later, grown, touched, tt.recorded)
		}
	}
}

func stat(t testing.TB, file string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
