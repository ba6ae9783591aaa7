package lint

import (
	"encoding/hex"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/sdk/go/abi"
)

// keys makes the keys of what a linter says.
type keys struct {
	*Linter
	tree  *Tree
	key   string
	files []string          // all that a whole linter looks at
	dirs  map[string]string // digests of the inputs of files in a directory
}

// keys are those of w's linter over a tree, key being what decides it besides files.
func (w *work) keys(tree *Tree, key string) *keys {
	return &keys{Linter: &w.Linter, tree: tree, key: key, files: w.Files, dirs: map[string]string{}}
}

// of is the key of a file; of a whole linter it is that of all files. False: there
// is none.
func (k *keys) of(file string) (cache.Key, bool) {
	if k.key == "" {
		return cache.Key{}, false
	}
	if k.Whole {
		return k.whole()
	}
	sum, err := k.tree.sum(file)
	if err != nil {
		return cache.Key{}, false
	}
	inputs, err := k.inputs(path.Dir(file))
	return cache.KeyOf("lint 1", k.Name, k.key, k.Project, file, sum, inputs), err == nil
}

func (k *keys) whole() (cache.Key, bool) {
	inputs, err := k.inputs(k.Project)
	if err != nil {
		return cache.Key{}, false
	}
	files, err := k.sums(k.files)
	return cache.KeyOf("lint whole 1", append([]string{k.Name, k.key, k.Project, inputs}, files...)...), err == nil
}

// sums are paths and sums of files, one after the other.
func (k *keys) sums(files []string) ([]string, error) {
	all := make([]string, 0, 2*len(files))
	for _, file := range files {
		sum, err := k.tree.sum(file)
		if err != nil {
			return nil, err
		}
		all = append(all, file, sum)
	}
	return all, nil
}

// inputs is the digest of what decides besides a file in dir itself.
func (k *keys) inputs(dir string) (string, error) {
	if k.Inputs != nil || k.Whole {
		dir = k.Project
	}
	if known, ok := k.dirs[dir]; ok {
		return known, nil
	}
	parts, err := k.sums(k.inputFiles(dir))
	if err == nil && k.Inputs == nil && !k.Whole && dir != "." {
		var above string
		above, err = k.inputs(path.Dir(dir))
		parts = append(parts, above)
	}
	if err != nil {
		return "", err
	}
	sum := cache.KeyOf("lint inputs 1", parts...)
	k.dirs[dir] = hex.EncodeToString(sum[:])
	return k.dirs[dir], nil
}

// inputFiles are the files behind inputs, those of directories above dir left out.
//
// Why all files that the linter does not look at, by default: nobody knows by which
// names a tool looks for its configuration, and an editorconfig or a pyproject.toml
// that is passed over would make results that are wrong.
func (k *keys) inputFiles(dir string) []string {
	var all []string
	switch {
	case k.Inputs != nil:
		for _, file := range k.tree.files {
			if k.isInput(file) {
				all = append(all, file)
			}
		}
	case k.Whole:
		return k.tree.files
	default:
		for _, file := range k.tree.byDir[dir] {
			if owner, _ := k.tree.Owner(file); owner != k.Project || !k.Files.Match(inside(k.Project, file)) {
				all = append(all, file)
			}
		}
	}
	return all
}

func (k *keys) isInput(file string) bool {
	for _, glob := range k.Inputs {
		seen, fromRoot := strings.CutPrefix(glob, "/")
		if !fromRoot {
			seen = path.Join(k.Project, glob)
		}
		if doublestar.MatchUnvalidated(seen, file) {
			return true
		}
	}
	return false
}

// known is what is kept under the key of a file.
func (w *work) known(k *keys, file string) ([]abi.Diagnostic, bool) {
	key, ok := k.of(file)
	if !ok {
		return nil, false
	}
	kept, ok := w.Cache.Result(key)
	if !ok {
		return nil, false
	}
	var all []abi.Diagnostic
	err := json.Unmarshal(kept.Data, &all)
	return all, err == nil
}

// keysOf are the keys of files, in their order; those that have none are zero.
func (w *work) keysOf(tree *Tree, files []string) []cache.Key {
	return keysOf(w.keys(tree, w.Key), files)
}

func keysOf(k *keys, files []string) []cache.Key {
	all := make([]cache.Key, len(files))
	for i, file := range files {
		all[i], _ = k.of(file)
	}
	return all
}

// keep keeps what was said of files whose keys were before, and still are.
func (w *work) keep(before []cache.Key, files []string, said []abi.Diagnostic) {
	byFile := map[string][]abi.Diagnostic{}
	for _, d := range said {
		byFile[d.File] = append(byFile[d.File], d)
	}
	if w.Whole {
		files, byFile = files[:1], map[string][]abi.Diagnostic{files[0]: said}
	}
	asked := map[string]bool{}
	for _, file := range files {
		asked[file] = true
	}
	for file := range byFile {
		if !asked[file] {
			return // what it says of one file is not all that it says
		}
	}
	now := w.keysOf(w.Tree.again(), files)
	for i, file := range files {
		if before[i] != now[i] || now[i] == (cache.Key{}) {
			continue
		}
		if data, err := json.Marshal(byFile[file]); err == nil && isText(byFile[file]) {
			w.Cache.PutResult(now[i], cache.Result{Data: data})
		}
	}
}

// isText reports whether JSON has words for all that would mend: of bytes that are
// no UTF-8 it would make others.
func isText(all []abi.Diagnostic) bool {
	return !slices.ContainsFunc(all, func(d abi.Diagnostic) bool {
		return slices.ContainsFunc(d.Fixes, func(f abi.Fix) bool {
			return slices.ContainsFunc(f.Edits, func(e abi.Edit) bool { return !utf8.ValidString(e.Text) })
		})
	})
}
