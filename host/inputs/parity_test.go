package inputs_test

import (
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"

	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/runtime/spec"
)

// world is a context with directories to prune and links of every kind.
func world(t testing.TB) string {
	t.Helper()
	return tree(t, map[string]string{
		"a.txt": "1", "b.txt": "2", "c.md": "3", ".hidden": "4",
		"src/a.py": "1", "src/b.py": "2", "src/lib/a.py": "3", "src/lib/deep/x.txt": "4", "src/lib/deep/y.md": "5",
		"src/node_modules/m/i.js": "6", "srcs/a.py": "7", "test/a.py": "8", "test/data/x.txt": "9", "empty/": "",
		"docs/img/x.png": "1", "docs/a.md": "2", "docs/[x].md": "3", "docs/a b.md": "4",
		"links/file": "-> ../a.txt", "links/dir": "-> ../src/lib", "links/abs": "-> /test", "links/out": "-> ../../../c.md",
		"links/loop1": "-> loop2", "links/loop2": "-> loop1", "links/grow": "-> grow/x", "links/dead": "-> nowhere", "links/chain": "-> file",
		"to-docs": "-> docs",
	})
}

// transferred is what BuildKit's transfer of the context would send.
func transferred(t testing.TB, root string, sources []string, ignore string) []string {
	t.Helper()
	excludes, err := ignorefile.ReadAll(strings.NewReader(ignore))
	must(t, err)
	base, err := fsutil.NewFS(root)
	must(t, err)
	filtered, err := fsutil.NewFilterFS(base, &fsutil.FilterOpt{FollowPaths: sources, ExcludePatterns: excludes})
	must(t, err)
	var paths []string
	must(t, filtered.Walk(t.Context(), "", func(path string, _ fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	}))
	slices.Sort(paths)
	return paths
}

// selected are the files of the key.
func selected(t testing.TB, root string, sources []string, ignore string) []string {
	t.Helper()
	put(t, root, "ignore.dockerignore", ignore)
	k := key(t, inputs.Image{Context: root, Dockerfile: "ignore", Recipe: spec.Recipe{Sources: sources, Whole: len(sources) == 0}})
	var paths []string
	for _, p := range k.Parts {
		if p.Kind == inputs.File {
			paths = append(paths, p.Name)
		}
	}
	return paths
}

func TestKeyCoversWhatBuildKitTransfers(t *testing.T) {
	cases := []struct {
		name    string
		sources string
		ignore  string
	}{
		{"whole", "", ""},
		{"whole but", "", "src\n*.md"},
		{"files", "a.txt src/a.py", ""},
		{"directory", "src", ""},
		{"prefix of a name", "src/lib/a", ""},
		{"missing", "nowhere a.txt", ""},
		{"pattern", "*.txt", ""},
		{"pattern below", "src/*.py", ""},
		{"pattern above", "s*/lib", ""},
		{"double star", "**/a.py", ""},
		{"double star below", "src/**/x.txt", ""},
		{"question", "?.txt", ""},
		{"class", "[ab].txt", ""},
		{"escape", `docs/\[x\].md`, ""},
		{"space", "docs/a b.md", ""},
		{"ignored directory", "src", "src/lib"},
		{"ignored with exception", "src", "src\n!src/lib/deep/x.txt"},
		{"ignored with wild exception", "", "*\n!**/*.py"},
		{"exception taken back", "", "*\n!src\nsrc/lib"},
		{"ignored by name anywhere", "", "**/node_modules\n**/*.md"},
		{"exception below an exception", "", "src\n!src/lib\nsrc/lib/deep\n!src/lib/deep/x.txt"},
		{"link to a file", "links/file", ""},
		{"link to a directory", "links/dir", ""},
		{"through a link", "links/dir/deep", ""},
		{"pattern through a link", "links/dir/*.py", ""},
		{"absolute link", "links/abs", ""},
		{"link that leads out", "links/out", ""},
		{"links in a loop", "links/loop1", ""},
		{"dead link", "links/dead", ""},
		{"chain of links", "links/chain", ""},
		{"pattern of links", "links/*", ""},
		{"pattern through a linked directory", "to-docs/*.md", ""},
		{"target of a link ignored", "links/dir", "src/lib/deep"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			root := world(t)
			sources := strings.Fields(c.sources)
			if strings.Contains(c.name, "space") {
				sources = []string{c.sources}
			}
			got := selected(t, root, sources, c.ignore)
			want := transferred(t, root, sources, c.ignore)
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// A link that grows has no end.
func TestLinksWithoutEndEnd(t *testing.T) {
	root := world(t)
	got := selected(t, root, []string{"links/grow", "a.txt"}, "")
	for _, p := range transferred(t, root, []string{"links/grow", "a.txt"}, "") {
		if !slices.Contains(got, p) {
			t.Errorf("%s is not in the key", p)
		}
	}
}

// BuildKit follows a link once, so that of two sources through one link it
// loads but the first (fsutil, followlinks.go). Both belong to the key.
func TestTwoSourcesThroughOneLink(t *testing.T) {
	got := selected(t, world(t), []string{"links/dir/a.py", "links/dir/deep/y.md"}, "")
	for _, want := range []string{"links/dir", "src/lib/a.py", "src/lib/deep/y.md"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not in %q", want, got)
		}
	}
}

// TestKeyCoversWhatBuildKitTransfersAtRandom compares with pruning and
// exceptions in combinations that nobody would write down.
func TestKeyCoversWhatBuildKitTransfersAtRandom(t *testing.T) {
	root := world(t)
	pieces := []string{"src", "lib", "a.py", "*", "**", "*.py", "s*", "deep", "x.txt", "links", "dir", "?", "docs", "a*", "[a-s]*", "**.md", "test"}
	random := rand.New(rand.NewPCG(1, 2))
	pattern := func() string {
		parts := make([]string, 1+random.IntN(3))
		for i := range parts {
			parts[i] = pieces[random.IntN(len(pieces))]
		}
		return strings.Join(parts, "/")
	}
	for range 600 {
		source := []string{pattern()}
		var ignore []string
		for range random.IntN(5) {
			ignore = append(ignore, []string{"", "!"}[random.IntN(2)]+pattern())
		}
		text := strings.Join(ignore, "\n")
		got, want := selected(t, root, source, text), transferred(t, root, source, text)
		if !slices.Equal(got, want) {
			t.Fatalf("source %q, ignore %q:\ngot  %q\nwant %q", source, ignore, got, want)
		}
	}
}
