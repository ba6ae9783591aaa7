package inputs_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wr-build/wr/host/inputs"
)

// later is a clock that runs ahead, so that what was just written counts as settled.
func later(d time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(d) }
}

func TestIndexAnswersForFilesThatDidNotChange(t *testing.T) {
	in := sample(t)
	path := filepath.Join(t.TempDir(), "index")
	in.Index = inputs.OpenIndexAt(path, later(time.Minute))
	want := key(t, in)
	must(t, in.Index.Close())

	// The stored hash of main.py is replaced: if it shows in the key, the file was not read.
	in.Index = inputs.OpenIndexAt(path, later(time.Minute))
	inputs.Corrupt(in.Index, filepath.Join(in.Context, "src/main.py"))
	changes := inputs.Diff(want, key(t, in))
	if len(changes) != 1 || changes[0].Name != "src/main.py" {
		t.Errorf("got %v, want the index to have answered for src/main.py", changes)
	}
	put(t, in.Context, "src/main.py", "print(2)")
	put(t, in.Context, "src/main.py", "print(1)")
	if got := key(t, in).Digest; got != want.Digest {
		t.Error("a file that was written is still answered for by the index")
	}
}

func TestAnOpenFileIsHashedWhateverItsNameLeadsToNow(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "a")
	put(t, dir, "a", "one")
	f, err := os.Open(at)
	must(t, err)
	defer f.Close()
	must(t, os.Remove(at))
	put(t, dir, "a", "two")
	x := inputs.OpenIndexAt(filepath.Join(t.TempDir(), "index"), later(time.Minute))
	for range 2 { // once from the file, once from the index
		if sum, err := x.SumOpen(at, f); err != nil || sum != sha256.Sum256([]byte("one")) {
			t.Errorf("the open file: got %x, %v", sum, err)
		}
	}
	if sum, err := x.Sum(at); err != nil || sum != sha256.Sum256([]byte("two")) {
		t.Errorf("the name: got %x, %v", sum, err)
	}
}

func TestIndexDoesNotTrustFilesThatMayChangeUnseen(t *testing.T) {
	in := sample(t)
	path := filepath.Join(t.TempDir(), "index")
	in.Index = inputs.OpenIndex(path)
	key(t, in)
	must(t, in.Index.Close())
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("files younger than the clock's tick were stored: %v", err)
	}
}

func TestIndexIsWrittenOnlyWhenSomethingChanged(t *testing.T) {
	in := sample(t)
	path := filepath.Join(t.TempDir(), "index")
	in.Index = inputs.OpenIndexAt(path, later(time.Minute))
	key(t, in)
	must(t, in.Index.Close())
	must(t, os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)))
	in.Index = inputs.OpenIndexAt(path, later(time.Minute))
	key(t, in)
	must(t, in.Index.Close())
	info, err := os.Stat(path)
	must(t, err)
	if !info.ModTime().Equal(time.Unix(1, 0)) {
		t.Error("the index was written though nothing changed")
	}
}

func TestIndexForgetsWhatIsNotUsed(t *testing.T) {
	in := sample(t)
	path := filepath.Join(t.TempDir(), "index")
	in.Index = inputs.OpenIndexAt(path, later(time.Minute))
	key(t, in)
	must(t, in.Index.Close())
	first, err := os.Stat(path)
	must(t, err)
	in.Index = inputs.OpenIndexAt(path, later(31*24*time.Hour))
	in.Recipe.Sources = []string{"reqs.txt"}
	key(t, in)
	must(t, in.Index.Close())
	second, err := os.Stat(path)
	must(t, err)
	if second.Size() >= first.Size() {
		t.Errorf("got %d bytes after a month, %d before", second.Size(), first.Size())
	}
}

func TestDamagedIndexIsIgnored(t *testing.T) {
	in := sample(t)
	path := filepath.Join(t.TempDir(), "index")
	in.Index = inputs.OpenIndexAt(path, later(time.Minute))
	want := key(t, in).Digest
	must(t, in.Index.Close())
	good, err := os.ReadFile(path)
	must(t, err)
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, data := range map[string][]byte{
		"empty": {}, "cut": good[:len(good)-7], "flipped": flipped, "longer": append(bytes.Clone(good), 0), "other version": []byte("wr stat index 0\nxxxxxxxxxx"),
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.WriteFile(path, data, 0o600))
			in.Index = inputs.OpenIndexAt(path, later(time.Minute))
			if got := key(t, in).Digest; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			must(t, in.Index.Close())
			if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, good) {
				t.Errorf("the index was not mended: %v", err)
			}
		})
	}
}

func TestIndexIsSharedByManyRuns(t *testing.T) {
	in := sample(t)
	want := key(t, in).Digest
	dir := t.TempDir()
	path := filepath.Join(dir, "index")
	var runs sync.WaitGroup
	for range 8 {
		runs.Go(func() {
			mine := in
			mine.Index = inputs.OpenIndexAt(path, later(time.Minute))
			k, err := inputs.Of(t.Context(), mine)
			if err != nil || k.Digest != want {
				t.Errorf("got %s, %v", k.Digest, err)
			}
			if err := mine.Index.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	runs.Wait()
	files, err := os.ReadDir(dir)
	must(t, err)
	if len(files) != 1 {
		t.Errorf("got %v, want the index alone", files)
	}
	in.Index = inputs.OpenIndexAt(path, later(time.Minute))
	if got := key(t, in).Digest; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("wr stat index 1\n\x01a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := inputs.DecodeSealed(data)
		if err == nil && !inputs.RoundTrips(entries) {
			t.Error("what was read is not what would be written")
		}
	})
}

func BenchmarkKey(b *testing.B) {
	for _, n := range []int{300, 31_000} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			files := map[string]string{}
			for i := range n {
				files[fmt.Sprintf("src/p%02d/m%03d/f%d.py", i/400, i/20, i)] = "x"
			}
			in := inputs.Image{Context: tree(b, files), Dockerfile: "Dockerfile"}
			in.Recipe.Sources = []string{"src"}
			path := filepath.Join(b.TempDir(), "index")
			in.Index = inputs.OpenIndexAt(path, later(time.Minute))
			key(b, in)
			must(b, in.Index.Close())
			for b.Loop() {
				in.Index = inputs.OpenIndexAt(path, later(time.Minute))
				key(b, in)
				must(b, in.Index.Close())
			}
		})
	}
}
