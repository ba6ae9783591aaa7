package lint_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/lint"
)

// BenchmarkNothingChanged is what a run costs in which five linters know all of a
// thousand files, git's list of them left out.
func BenchmarkNothingChanged(b *testing.B) {
	root, dir := b.TempDir(), b.TempDir()
	var files []string
	for i := range 1000 {
		file := fmt.Sprintf("p/m%02d/f%03d.py", i%40, i)
		name := filepath.Join(root, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(file), 0o600)); err != nil {
			b.Fatal(err)
		}
		long := time.Now().Add(-time.Hour)
		if err := os.Chtimes(name, long, long); err != nil {
			b.Fatal(err)
		}
		files = append(files, file)
	}
	tool := &shouts{root: root}
	once := func() {
		store, err := cache.Open(dir, cache.Options{})
		if err != nil {
			b.Fatal(err)
		}
		index := inputs.OpenIndex(filepath.Join(dir, "index"))
		tree := lint.NewTree(root, files, []string{"p"}, index)
		var jobs []lint.Job
		for i := range 5 {
			l := lint.Linter{Name: fmt.Sprint(i), Project: "p", Files: lint.NewGlobs([]string{"**/*.py"}), Key: "1", Tool: tool}
			jobs = append(jobs, lint.Job{Linter: l, Files: tree.Matching("p", l.Files, every)})
		}
		r := lint.Do(b.Context(), jobs, lint.Config{Tree: tree, Cache: store, Jobs: 2, Now: time.Now})
		if err := errors.Join(store.Close(), index.Close()); err != nil || len(r.Linters) != 5 {
			b.Fatal(err)
		}
	}
	once()
	tool.asked()
	b.ResetTimer()
	for b.Loop() {
		once()
	}
	if asked := tool.asked(); asked != "" {
		b.Errorf("the tool was asked for %q", asked)
	}
}
