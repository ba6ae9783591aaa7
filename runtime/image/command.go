package image

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// command notes what one instruction takes from outside and what it does to
// the environment.
func (w *walker) command(scope *env, c instructions.Command) error {
	switch c := c.(type) {
	case *instructions.EnvCommand:
		return scope.setAll(c)
	case *instructions.ArgCommand:
		return scope.declare(c)
	case *instructions.CopyCommand:
		return w.copy(scope, c)
	case *instructions.AddCommand:
		return w.add(scope, c)
	case *instructions.RunCommand:
		return w.run(scope, c)
	default:
		return nil
	}
}

// copy notes the sources of COPY.
func (w *walker) copy(scope *env, c *instructions.CopyCommand) error {
	if c.From != "" {
		return w.from(c.From, true)
	}
	return w.paths(scope, c.SourcePaths)
}

// add notes the sources of ADD that are not remote.
func (w *walker) add(scope *env, c *instructions.AddCommand) error {
	return w.paths(scope, c.SourcePaths)
}

// paths notes sources after expansion; one that cannot be told stands for the
// whole context.
func (w *walker) paths(scope *env, sources []string) error {
	for _, source := range sources {
		p, known, err := scope.expand(source)
		switch {
		case !known:
			w.whole = true
		case err != nil:
			return err
		case !remote(p):
			w.path(p)
		}
	}
	return nil
}

// remote reports whether a source is a URL or a git repository.
func remote(source string) bool {
	if strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://") {
		return true
	}
	ref, isGit, err := dfgitutil.ParseGitRef(source)
	return err == nil && isGit && !ref.IndistinguishableFromLocal
}

// run notes the bind mounts of RUN.
func (w *walker) run(scope *env, c *instructions.RunCommand) error {
	for _, m := range instructions.GetMounts(c) {
		if m.From == "" {
			continue
		}
		if err := w.from(m.From, false); err != nil {
			return err
		}
	}
	known := true
	err := c.Expand(func(word string) (string, error) {
		value, ok, err := scope.expand(word)
		if ok {
			return value, err
		}
		known = false
		return unknownValue, nil
	})
	if err != nil && !known {
		w.whole = true
		return nil
	}
	if err != nil {
		return err
	}
	for _, m := range instructions.GetMounts(c) {
		if m.Type == instructions.MountTypeBind && m.From == "" {
			w.mountSource(m.Source)
		}
	}
	return nil
}

// unknownValue stands for a part of a mount that the Dockerfile alone does not
// tell. It matters only where it is a source: a cache may well lie under $HOME.
const unknownValue = "\x00"

// mountSource notes the source of a bind mount.
func (w *walker) mountSource(source string) {
	if source == unknownValue {
		w.whole = true
		return
	}
	w.path(source)
}
