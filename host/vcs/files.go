package vcs

import (
	"context"
	"strings"
)

// Files are all files that git knows, or would with git add: not those that are
// ignored, removed, or left out by a sparse checkout.
func (r *Repo) Files(ctx context.Context) ([]string, error) {
	out, err := r.git(ctx, "ls-files", "-z", "-t", "--cached", "--others", "--deleted", "--exclude-standard", "--", ".")
	if err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	var names []string
	for _, entry := range list(out) {
		tag, name, _ := strings.Cut(entry, " ")
		if tag == "R" || tag == "S" {
			gone[name] = true
		} else {
			names = append(names, name)
		}
	}
	var all []string
	for _, name := range names {
		name, isDir := strings.CutSuffix(name, "/")
		switch {
		case gone[name]:
		case isDir || r.isDir(name):
			err = r.below(ctx, &all, name, func(inner *Repo) ([]string, error) { return inner.Files(ctx) })
		default:
			all = append(all, name)
		}
		if err != nil {
			return nil, err
		}
	}
	return sorted(all), nil
}
