package lint

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/vcs"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Files are the workspace paths of all files of the workspace at root: those that
// git knows or would add, and where there is no repository those that are not
// pruned as projects would be.
func Files(ctx context.Context, root string) ([]string, error) {
	repo, err := vcs.Open(ctx, root)
	if err == nil {
		return repo.Files(ctx)
	}
	if !fault.HasCode(err, "vcs.no_repository") {
		return nil, err
	}
	var all []string
	faults, err := workspace.Walk(ctx, root, func(d workspace.Dir) {
		for _, entry := range d.Entries {
			if !entry.IsDir() {
				all = append(all, path.Join(d.Path, entry.Name()))
			}
		}
	})
	if err == nil && len(faults) > 0 {
		err = faults[0]
	}
	slices.Sort(all)
	return all, err
}

// Tree is the files of a workspace and what is in them. It may be used by several
// goroutines.
type Tree struct {
	root     string
	files    []string            // sorted
	byDir    map[string][]string // files by the directory that they are in
	projects map[string]bool     // by path
	index    *inputs.Index

	mu   sync.Mutex // guards sums
	sums map[string]string
}

// NewTree makes a tree of files of the workspace at root, given by workspace paths
// and sorted, in which there are projects with these paths.
func NewTree(root string, files, projects []string, index *inputs.Index) *Tree {
	t := &Tree{root: root, files: files, byDir: map[string][]string{}, projects: map[string]bool{}, index: index, sums: map[string]string{}}
	for _, file := range files {
		dir := path.Dir(file)
		t.byDir[dir] = append(t.byDir[dir], file)
	}
	for _, p := range projects {
		t.projects[p] = true
	}
	return t
}

// again is t with nothing known of what is in its files.
func (t *Tree) again() *Tree {
	fresh := &Tree{root: t.root, files: t.files, byDir: t.byDir, projects: t.projects, index: t.index, sums: map[string]string{}}
	return fresh
}

// forget forgets what is in files.
func (t *Tree) forget(files []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, file := range files {
		delete(t.sums, file)
	}
}

// Owner is the path of the project that a file belongs to: the nearest one above
// it; false: there is none.
func (t *Tree) Owner(file string) (project string, found bool) {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if t.projects[dir] {
			return dir, true
		}
		if dir == "." || dir == "/" {
			return "", false
		}
	}
}

// Below are all files below a directory, those of projects inside it too.
func (t *Tree) Below(dir string) []string {
	if dir == "." {
		return t.files
	}
	first, _ := slices.BinarySearch(t.files, dir+"/")
	last := first
	for last < len(t.files) && strings.HasPrefix(t.files[last], dir+"/") {
		last++
	}
	return t.files[first:last]
}

// Matching are the regular files of a project that globs match and that are wanted.
func (t *Tree) Matching(project string, globs *Globs, wanted func(file string) bool) []string {
	var all []string
	for _, file := range t.Below(project) {
		if owner, _ := t.Owner(file); owner == project && globs.Match(inside(project, file)) && wanted(file) && t.isRegular(file) {
			all = append(all, file)
		}
	}
	return all
}

// inside is a workspace path as seen from a project that it lies in.
func inside(project, file string) string {
	if project == "." {
		return file
	}
	return strings.TrimPrefix(file, project+"/")
}

// isRegular reports whether a file is one and no link. One that cannot be read is:
// whoever is to look at it has to say so.
func (t *Tree) isRegular(file string) bool {
	sum, err := t.sum(file)
	return err != nil || strings.HasPrefix(sum, "file ") || strings.HasPrefix(sum, "exec ")
}

func (t *Tree) host(file string) string { return filepath.Join(t.root, filepath.FromSlash(file)) }

// gone is the sum of a file that is not there any more.
const gone = "gone"

// sum is what counts of a file; of a link to a file in the workspace, also what
// counts of that.
func (t *Tree) sum(file string) (string, error) {
	t.mu.Lock()
	known, ok := t.sums[file]
	t.mu.Unlock()
	if ok {
		return known, nil
	}
	sum, err := t.describe(file)
	if errors.Is(err, fs.ErrNotExist) {
		sum, err = gone, nil
	}
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sums[file] = sum
	return sum, nil
}

func (t *Tree) describe(file string) (string, error) {
	sum, err := t.index.Describe(t.host(file))
	if err != nil || !strings.HasPrefix(sum, "link ") {
		return sum, err
	}
	real, err := filepath.EvalSymlinks(t.host(file))
	if err != nil {
		return sum, nil //nolint:nilerr // it leads nowhere
	}
	behind, err := t.index.Describe(real)
	return sum + " " + behind, err
}
