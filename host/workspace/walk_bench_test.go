package workspace

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkLoad loads a workspace of 10 000 directories with 10 files each and
// the .gitignore of an ordinary Python repository.
func BenchmarkLoad(b *testing.B) {
	const dirs, files = 10_000, 10
	root := tree(b, `
-- .git/ --
-- wr.toml --
[workspace]
exclude = ["legacy/**", "**/testdata"]
-- .gitignore --
__pycache__/
*.py[cod]
*.so
build/
dist/
/downloads/
*.egg-info/
.coverage*
htmlcov/
docs/_build/
**/tmp/cache
*~
`)
	for i := range dirs {
		dir := filepath.Join(root, fmt.Sprintf("group%d/part%d/dir%d", i/1000, i/100, i))
		must(b, os.MkdirAll(dir, 0o755))
		for j := range files {
			must(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("file%d.py", j)), nil, 0o644))
		}
		if i%1000 == 0 {
			must(b, os.WriteFile(filepath.Join(dir, "wr.toml"), []byte("[project]\n"), 0o644))
		}
	}
	for b.Loop() {
		w, err := Load(b.Context(), root)
		if err != nil || len(w.Projects) != dirs/1000 {
			b.Fatal(w, err)
		}
	}
	b.ReportMetric(float64(dirs*files*b.N)/b.Elapsed().Seconds(), "files/s")
}
