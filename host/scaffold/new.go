package scaffold

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// nameShape is what every part of a new project's path looks like, so that
// paths are also good names for images and hosts.
var nameShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// New plans a project in the directory name, relative to dir: its wr.toml, a
// Dockerfile, a package and a test of it. Outside of every workspace dir
// becomes one.
func New(ctx context.Context, dir, name string, o Options) (Plan, error) {
	ws, err := around(ctx, dir)
	if err != nil {
		return Plan{}, err
	}
	at, err := place(ws.Root, ws.Cwd, name)
	if err != nil {
		return Plan{}, err
	}
	if entry, clashes := ws.Clash(at); clashes {
		return Plan{}, badName(name, "is the name of an image: [images] has "+entry.Path)
	}
	s := newSetup(ws, o)
	s.used = true
	v := values{
		Name: path.Base(at), Path: at, Package: packageName(path.Base(at)),
		Base: s.base, Version: "0.1.0", Tests: "test",
	}
	for _, file := range []struct{ path, template string }{
		{config.Name, "project.toml"},
		{"devops/Dockerfile", "Dockerfile"},
		{v.Package + "/__init__.py", "package.py"},
		{"test/test_" + v.Package + ".py", "test.py"},
	} {
		if err := s.add(path.Join(at, file.path), file.template, v); err != nil {
			return Plan{}, err
		}
	}
	return s.finish()
}

// place returns the workspace path of a new project. There must be nothing yet.
func place(root, cwd, name string) (string, error) {
	host := filepath.FromSlash(name)
	if !filepath.IsAbs(host) {
		host = filepath.Join(root, filepath.FromSlash(cwd), host)
	}
	rel, err := filepath.Rel(root, host)
	if err != nil || !filepath.IsLocal(rel) || rel == "." {
		return "", badName(name, "is not a directory below "+root)
	}
	at := filepath.ToSlash(rel)
	for part := range strings.SplitSeq(at, "/") {
		if !nameShape.MatchString(part) {
			return "", badName(name, "holds more than letters, digits and . _ -")
		}
		if !workspace.CanHoldProjects(part) {
			return "", badName(name, "would never be found: wr does not look for projects in directories called "+part)
		}
	}
	entries, err := os.ReadDir(host)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return at, nil
	}
	return "", &fault.Error{
		Code: "scaffold.not_empty", Class: fault.Usage, Err: err,
		Message: at + " exists already",
		Next:    "choose another name, or type `wr init` to make a project of what is there",
	}
}

// badName is the fault for a name that cannot be a project's.
func badName(name, why string) error {
	return &fault.Error{
		Code: "scaffold.bad_name", Class: fault.Usage,
		Message: "\"" + name + "\" " + why, Next: "choose another name",
	}
}

// notIdentifier matches what a Python name does not hold.
var notIdentifier = regexp.MustCompile(`[^a-z0-9]+`)

// packageName makes a Python package's name of a directory's. A name that
// Python itself, its library or pytest uses gets a suffix: the project comes
// first on the import path and would hide it.
func packageName(dir string) string {
	name := strings.Trim(notIdentifier.ReplaceAllString(strings.ToLower(dir), "_"), "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "p" + name
	}
	reserved, err := templates.ReadFile("templates/reserved.txt")
	if err != nil || slices.Contains(strings.Fields(string(reserved)), name) {
		name += "_app"
	}
	return name
}
