package pyscan_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/host/pyscan"
)

// forest makes 200 test files with 10 tests each in 10 directories, with what
// such files have: imports, a class, marks, parameters, bodies.
func forest(tb testing.TB) string {
	tb.Helper()
	root := tb.TempDir()
	for i := range 200 {
		dir := filepath.Join(root, fmt.Sprintf("pkg%d", i%10), "tests")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("test_mod%02d_%d.py", i, i%10)), leaf(i), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return root
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
	root, err := os.OpenRoot(forest(b))
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
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
