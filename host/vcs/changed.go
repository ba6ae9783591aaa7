package vcs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Changed are the files in which the commit that HEAD is differs from base, and
// those that State says are changed since. Removed ones are among them. base is
// a commit, branch or tag; an unknown one is a fault with the code vcs.no_commit.
func (r *Repo) Changed(ctx context.Context, base string) ([]string, error) {
	from, err := r.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", base+"^{commit}")
	if exited(err, 1) {
		return nil, &fault.Error{Code: "vcs.no_commit", Class: fault.Usage, Message: fmt.Sprintf("%q is no commit of %s", base, r.dir), Err: err, Next: "git fetch, or name another"}
	}
	if err != nil {
		return nil, err
	}
	state, err := r.State(ctx)
	if err != nil {
		return nil, err
	}
	between, err := r.between(ctx, strings.TrimSpace(from), state.Commit)
	return sorted(slices.Concat(between, state.Changed)), err
}

// between are the files that differ between two commits; "" = one without files.
func (r *Repo) between(ctx context.Context, from, to string) ([]string, error) {
	if from == "" || to == "" {
		empty, err := r.git(ctx, "hash-object", "-t", "tree", "/dev/null")
		if err != nil {
			return nil, err
		}
		empty = strings.TrimSpace(empty)
		if from == "" {
			from = empty
		}
		if to == "" {
			to = empty
		}
	}
	out, err := r.git(ctx, "diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--relative", from, to, "--", ".")
	if err != nil {
		return nil, err
	}
	var all []string
	for entry := range slices.Chunk(list(out), 2) {
		all = append(all, entry[1])
		old, now, linked := gitlinks(entry[0])
		if !linked {
			continue
		}
		err := r.below(ctx, &all, entry[1], func(inner *Repo) ([]string, error) { return inner.between(ctx, old, now) })
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// gitlinks are the commits of a submodule before and after a difference of
// diff-tree; an old one of "" is that there was none.
func gitlinks(raw string) (old, now string, linked bool) {
	const submodule = "160000"
	f := strings.Fields(strings.TrimPrefix(raw, ":")) // old mode, new mode, old id, new id, status
	if f[1] != submodule {
		return "", "", false
	}
	if f[0] == submodule {
		old = f[2]
	}
	return old, f[3], true
}

// Staged are the files that the next commit would change, as it has them.
// Removed ones are among them; a submodule is there by its own path.
func (r *Repo) Staged(ctx context.Context) ([]string, error) {
	out, err := r.git(ctx, "diff", "--cached", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=dirty", "--relative", "--", ".")
	return sorted(list(out)), err
}
