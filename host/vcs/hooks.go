package vcs

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Hooks is where git looks for the hooks of a repository. Paths are host paths.
type Hooks struct {
	Top    string // of the work tree, in which hooks start
	Dir    string // in which they are; it need not be there
	Shared bool   // Dir is neither the repository's nor in its work tree: other repositories have it too
}

// Hooks asks for the hooks of r, core.hooksPath included. Nothing of it is run.
func (r *Repo) Hooks(ctx context.Context) (Hooks, error) {
	plain := *r
	plain.flags = []string{"-c", "safe.directory=*"}
	out, err := plain.git(ctx, "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-path", "hooks", "--git-common-dir")
	if err != nil {
		return Hooks{}, err
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 3 {
		return Hooks{}, &fault.Error{Code: "vcs.failed", Message: "git does not say in three lines where the hooks of " + r.dir + " are", Details: out}
	}
	h := Hooks{Top: lines[0], Dir: filepath.Clean(lines[1])}
	h.Shared = !below(lines[0], h.Dir) && !below(lines[2], h.Dir)
	return h, nil
}

// below reports whether a path is dir or lies in it, wherever links lead that are
// there.
func below(dir, path string) bool {
	for _, one := range []*string{&dir, &path} {
		if real, err := filepath.EvalSymlinks(*one); err == nil {
			*one = real
		}
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
