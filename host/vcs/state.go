package vcs

import (
	"context"
	"path"
	"strings"
)

// State is a work tree as it is now.
type State struct {
	Commit  string   // that HEAD is, in full; "" = there is none yet
	Branch  string   // that HEAD is on; "" = HEAD is detached
	Changed []string // files that are not as in Commit: changed, added, removed, or unknown to git and not ignored
}

// Dirty reports whether there is anything in the work tree that its commit has not.
func (s State) Dirty() bool { return len(s.Changed) > 0 }

// State asks for the state of r.
func (r *Repo) State(ctx context.Context) (State, error) {
	out, err := r.git(ctx, "status", "--porcelain=v2", "-z", "--branch", "--untracked-files=all", "--no-renames", "--no-ahead-behind",
		"--ignore-submodules=dirty", "--", ".") // why dirty: git would look into them with their configuration
	if err != nil {
		return State{}, err
	}
	inside, err := r.submodules(ctx)
	if err != nil {
		return State{}, err
	}
	var s State
	for _, entry := range list(out) {
		kind, rest, _ := strings.Cut(entry, " ")
		switch kind {
		case "#":
			s.head(rest)
		case "?":
			file, repository := strings.CutSuffix(r.own(rest), "/")
			if repository {
				inside = append(inside, file)
			} else {
				s.Changed = append(s.Changed, file)
			}
		case "1":
			s.Changed = append(s.Changed, r.own(field(entry, 8)))
		case "u":
			s.Changed = append(s.Changed, r.own(field(entry, 10)))
		}
	}
	for _, at := range inside {
		err = r.below(ctx, &s.Changed, at, func(inner *Repo) ([]string, error) {
			state, err := inner.State(ctx)
			return state.Changed, err
		})
		if err != nil {
			return State{}, err
		}
	}
	s.Changed = sorted(s.Changed)
	return s, nil
}

// head takes one header of git status.
func (s *State) head(text string) {
	switch name, value, _ := strings.Cut(text, " "); {
	case name == "branch.oid" && value != "(initial)":
		s.Commit = value
	case name == "branch.head" && value != "(detached)":
		s.Branch = value
	}
}

// own is a path of the work tree as one of r.
func (r *Repo) own(file string) string { return strings.TrimPrefix(file, r.prefix) }

// field is what follows the nth space.
func field(entry string, n int) string { return strings.SplitN(entry, " ", n+1)[n] }

// below adds what ask says of the repository in a directory of r, if there is one.
func (r *Repo) below(ctx context.Context, all *[]string, at string, ask func(*Repo) ([]string, error)) error {
	inner, err := r.inner(ctx, at)
	if err != nil || inner == nil {
		return err
	}
	found, err := ask(inner)
	for _, file := range found {
		*all = append(*all, path.Join(at, file))
	}
	return err
}

// Tags are the tags of the commit that HEAD is.
func (r *Repo) Tags(ctx context.Context) ([]string, error) {
	head, err := r.head(ctx)
	if err != nil || head == "" {
		return nil, err
	}
	out, err := r.git(ctx, "for-each-ref", "--points-at="+head, "--format=%(refname:strip=2)", "refs/tags")
	if err != nil || out == "" {
		return nil, err
	}
	return sorted(strings.Split(strings.TrimSuffix(out, "\n"), "\n")), nil
}

// head is the commit that HEAD is, "" before the first.
func (r *Repo) head(ctx context.Context) (string, error) {
	out, err := r.git(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if exited(err, 1) {
		return "", r.unborn(ctx, err)
	}
	return strings.TrimSpace(out), err
}

// unborn is err unless HEAD is on a branch that has no commit yet.
func (r *Repo) unborn(ctx context.Context, err error) error {
	branch, other := r.git(ctx, "symbolic-ref", "--quiet", "HEAD")
	if other != nil {
		return err
	}
	if _, other = r.git(ctx, "show-ref", "--verify", "--quiet", strings.TrimSpace(branch)); !exited(other, 1) {
		return err
	}
	return nil
}
