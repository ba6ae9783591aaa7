package pyscan_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/pyscan"
)

// forest makes test files with 10 tests each in 10 directories, with what such
// files have: imports, a class, marks, bodies.
func forest(tb testing.TB, files int) *os.Root {
	tb.Helper()
	root := tb.TempDir()
	for i := range files {
		dir := filepath.Join(root, fmt.Sprintf("pkg%d", i%10), "tests")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("test_mod%02d_%d.py", i, i%10)), leaf(i), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	opened, err := os.OpenRoot(root)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { opened.Close() })
	return opened
}

// leaf is one test file.
func leaf(i int) []byte {
	src := "\"\"\"Module docs.\"\"\"\nimport os\nimport sys\nfrom pathlib import Path\n\nimport pytest\n\nfrom app.models import Thing\n\n" +
		"CASES = [(1, 2), (3, 4)]\n\n\n@pytest.fixture\ndef thing(tmp_path):\n    return Thing(tmp_path)\n\n\n"
	for n := range 5 {
		src += fmt.Sprintf("@pytest.mark.container(%q)\ndef test_%d(thing):\n    %s\n\n\n", []string{"db", "infra"}[n%2], n, body)
	}
	src += "@pytest.mark.slow\nclass TestThings:\n"
	for n := range 5 {
		src += fmt.Sprintf("    def test_%d_%d(self, thing):\n        %s\n\n", i, n, body)
	}
	return []byte(src)
}

const body = `value = {"a": [1, 2, 3], "b": f"{thing!r:>10}"}; assert value["a"][0] == 1, "a message (of a few words)"`

// BenchmarkDiscover is the whole way from a directory to 2000 cases: at most
// 30 ms on two cores.
func BenchmarkDiscover(b *testing.B) {
	root := forest(b, 200)
	for b.Loop() {
		tree, err := pyscan.Discover(b.Context(), root.FS(), pyscan.Options{})
		if err != nil || len(tree.NodeIDs()) != 2000 {
			b.Fatalf("%d cases: %v", len(tree.NodeIDs()), err)
		}
	}
}

// BenchmarkScan is one file of ten tests.
func BenchmarkScan(b *testing.B) {
	src := leaf(1)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if f := pyscan.Scan("test_x.py", src, pyscan.Rules{}); len(f.Cases) != 10 {
			b.Fatal(f.Cases)
		}
	}
}

// BenchmarkKept is why results are not kept in host/cache (docs/rationale.md):
// the files of BenchmarkDiscover, and of ten times as many tests, read and
// scanned, beside read, hashed, looked up and decoded. Each on one core.
func BenchmarkKept(b *testing.B) {
	for _, n := range []int{200, 2000} {
		fsys := forest(b, n).FS()
		tree, err := pyscan.Discover(b.Context(), fsys, pyscan.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("scanned/tests=%d", 10*n), func(b *testing.B) {
			for b.Loop() {
				eachSource(b, fsys, tree.Tests, func(name string, src []byte) error {
					pyscan.Scan(name, src, pyscan.Rules{})
					return nil
				})
			}
		})
		dir := kept(b, fsys, tree.Tests)
		b.Run(fmt.Sprintf("kept/tests=%d", 10*n), func(b *testing.B) {
			for b.Loop() {
				results := open(b, dir)
				eachSource(b, fsys, tree.Tests, func(name string, src []byte) error {
					found, ok := results.Result(key(name, src))
					if !ok {
						return fmt.Errorf("no result of %s", name)
					}
					return json.Unmarshal(found.Data, &pyscan.File{})
				})
				if err := results.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// eachSource reads files and does something with each, on one core.
func eachSource(tb testing.TB, fsys fs.FS, files []pyscan.File, do func(name string, src []byte) error) {
	tb.Helper()
	for _, f := range files {
		src, err := fs.ReadFile(fsys, f.Name)
		if err == nil {
			err = do(f.Name, src)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// kept is the folder of a cache that has the results of files.
func kept(tb testing.TB, fsys fs.FS, files []pyscan.File) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "cache")
	results := open(tb, dir)
	for _, f := range files {
		src, err := fs.ReadFile(fsys, f.Name)
		if err != nil {
			tb.Fatal(err)
		}
		data, err := json.Marshal(f)
		if err != nil {
			tb.Fatal(err)
		}
		results.PutResult(key(f.Name, src), cache.Result{Data: data})
	}
	if err := results.Close(); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func open(tb testing.TB, dir string) *cache.Cache {
	tb.Helper()
	c, err := cache.Open(dir, cache.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// key is that of the result of one file.
func key(name string, src []byte) cache.Key {
	return cache.KeyOf("pyscan "+strconv.Itoa(pyscan.Version), name, cache.DigestOf(src).String())
}
