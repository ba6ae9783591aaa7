// Package vcs reads what git knows of a directory: commit, branch, tags, and which
// files are changed, staged, or there at all. git itself is asked, and nothing is
// written. What can be asked and fails is an error, never an empty answer.
//
// The repository is not trusted: whoever wrote its configuration has no program of
// theirs run by it, be it a filter, a hook, a monitor or a helper of a transport.
// Filters of the user's own configuration, as of git-lfs, run as ever. One that
// changes the configuration while it is read can get past that.
//
// Repositories inside, submodules that are checked out and others that git does
// not ignore, count with what they know themselves.
package vcs

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Repo is a directory in a git work tree. Paths that it returns are relative to
// it, slash-separated and sorted, and lie in it. It may be used by several
// goroutines at once.
type Repo struct {
	// Index is the host path of an index to be read in place of the repository's own,
	// as GIT_INDEX_FILE names it to hooks of git; "" = there is none.
	Index string

	dir    string   // host path, without symbolic links
	prefix string   // path of dir in the work tree with a slash behind it; "" = it is the work tree
	flags  []string // of git
}

// Open finds the work tree in which dir lies. If there is none, the error has the
// code vcs.no_repository; without a git program, vcs.no_git.
func Open(ctx context.Context, dir string) (*Repo, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, fmt.Errorf("open repository: %w", err)
	}
	r := &Repo{dir: dir, flags: []string{
		"-c", "safe.directory=*", // whose it is does not matter, since it has nothing run
		"-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
	}}
	out, err := r.git(ctx, "rev-parse", "--is-inside-work-tree", "--show-prefix")
	if err != nil {
		return nil, err
	}
	inside, prefix, _ := strings.Cut(strings.TrimSuffix(out, "\n"), "\n")
	if inside != "true" {
		return nil, noRepository(dir)
	}
	r.prefix = prefix
	return r, r.disarm(ctx)
}

func noRepository(dir string) error {
	return &fault.Error{Code: "vcs.no_repository", Message: dir + " is in no work tree of git"}
}

// disarm has the programs by which the repository's own configuration filters
// files replaced by those that the user's has under the same name, or none.
func (r *Repo) disarm(ctx context.Context) error {
	all, err := r.filters(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	users := *r
	users.flags = append(slices.Clone(r.flags), "--git-dir="+os.DevNull)
	trusted, err := users.filters(ctx)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		switch known, is := trusted[key]; {
		case is && known == all[key]:
			continue
		case strings.Contains(key, "="): // there is no flag for such a key
			return &fault.Error{
				Code: "vcs.bad_filter", Message: fmt.Sprintf("the configuration of git in %s names a filter that cannot be turned off: %q", r.dir, key),
				Next: "git config --unset " + key,
			}
		}
		r.flags = append(r.flags, "-c", key+"="+trusted[key])
	}
	return nil
}

// filters are the settings that say which programs filter files.
func (r *Repo) filters(ctx context.Context) (map[string]string, error) {
	out, err := r.git(ctx, "config", "--list", "-z")
	all := map[string]string{}
	for _, entry := range list(out) {
		key, value, valued := strings.Cut(entry, "\n")
		if !valued {
			value = "true"
		}
		last := key[strings.LastIndex(key, ".")+1:]
		if strings.HasPrefix(key, "filter.") && slices.Contains([]string{"clean", "process", "required"}, last) {
			all[key] = value
		}
	}
	return all, err
}

// inner opens the repository in a directory of r; nil = there is none.
func (r *Repo) inner(ctx context.Context, path string) (*Repo, error) {
	dir := filepath.Join(r.dir, filepath.FromSlash(path))
	if !filepath.IsLocal(filepath.FromSlash(path)) || dir == r.dir || !isReal(dir) {
		return nil, nil
	}
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err != nil {
		return nil, nil //nolint:nilerr // a submodule that is not checked out
	}
	found, err := Open(ctx, dir)
	if err != nil || found.prefix != "" { // what is there is no repository, and the one found is r's
		return nil, err
	}
	return found, nil
}

// isReal reports whether there is a directory to which no symbolic link leads.
func isReal(dir string) bool {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil || resolved != dir {
		return false
	}
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir()
}

// submodules are the paths of r's submodules, checked out or not.
func (r *Repo) submodules(ctx context.Context) ([]string, error) {
	top := filepath.Clean(strings.TrimSuffix(r.dir+"/", r.prefix))
	file := filepath.Join(top, ".gitmodules")
	if info, err := os.Lstat(file); err != nil || info.Mode().Type() != 0 {
		return nil, nil //nolint:nilerr // none are named
	}
	out, err := r.git(ctx, "config", "--file", file, "--no-includes", "--list", "-z")
	var all []string
	for _, entry := range list(out) {
		key, value, _ := strings.Cut(entry, "\n")
		path, below := strings.CutPrefix(value, r.prefix)
		if below && strings.HasPrefix(key, "submodule.") && strings.HasSuffix(key, ".path") {
			all = append(all, path)
		}
	}
	return all, err
}

// list splits what git ends by NUL.
func list(out string) []string {
	if out == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
}

// sorted are paths in order, each once.
func sorted(paths []string) []string {
	slices.Sort(paths)
	return slices.Compact(paths)
}

// isDir reports whether path is a directory of r's, and no link to one.
func (r *Repo) isDir(path string) bool {
	info, err := os.Lstat(filepath.Join(r.dir, filepath.FromSlash(path)))
	return err == nil && info.Mode()&fs.ModeDir != 0
}
