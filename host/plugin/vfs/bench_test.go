package vfs_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sysfs"

	"github.com/wr-build/wr/host/plugin/vfs"
)

// A guest walks 4,961 files of 45 MB in all and reads them.
func BenchmarkWalk(b *testing.B) {
	dir := b.TempDir()
	content := make([]byte, 45<<20/4961)
	for i := range content {
		content[i] = byte(rand.N(256))
	}
	for i := range 4961 {
		at := filepath.Join(dir, fmt.Sprintf("p%d/d%d/f%d.go", i%10, i%100, i))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(at, content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	want := fmt.Sprintf(" = 4961 %d", 4961*len(content))
	b.Run("wr", func(b *testing.B) {
		for b.Loop() {
			f := mount(b, dir, vfs.Config{}, "**/*.go", "go.mod")
			run(b, f, "walk /src"+want)
			if gap := f.All().Gap(); gap != "" {
				b.Fatal(gap)
			}
		}
	})
	b.Run("os.Root", func(b *testing.B) { // neither rights nor a record
		root, err := os.OpenRoot(dir)
		if err != nil {
			b.Fatal(err)
		}
		defer root.Close()
		for b.Loop() {
			run(b, &sysfs.AdaptFS{FS: root.FS()}, "walk /"+want)
		}
	})
}
