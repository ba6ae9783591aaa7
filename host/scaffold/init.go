package scaffold

import (
	"context"
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

// Init plans what a repository needs to become a workspace: a wr.toml in its
// root, a line in .gitignore for a person's own settings, and for each directory
// with a Dockerfile, or with a Python project and code of its own, what makes it a
// project. Where everything is there already
// the plan is empty.
func Init(ctx context.Context, dir string, o Options) (Plan, error) {
	ws, err := around(ctx, dir)
	if err != nil {
		return Plan{}, err
	}
	found, err := survey(ctx, ws.Root)
	if err != nil {
		return Plan{}, err
	}
	s := newSetup(ws, o)
	for _, c := range found {
		entry, clashes := ws.Clash(c.path)
		switch {
		case !c.code && ws.MakesImage(path.Join(c.path, "Dockerfile")):
			continue
		case clashes:
			s.plan.note("%s is no project, since [images] has %s: give one of the two another name", c.path, entry.Path)
			continue
		}
		if err := s.project(c); err != nil {
			return Plan{}, err
		}
	}
	if len(found) == 0 && len(ws.Projects) == 0 {
		s.used = true // by what wr new starts
		s.plan.note("no Python project and no Dockerfile found; `%s` starts a project", o.NewCommand())
	}
	plan, err := s.finish()
	if err != nil {
		return plan, err
	}
	err = plan.ignore()
	plan.sort()
	return plan, err
}

// around loads the workspace around dir. Where there is none, dir becomes one.
func around(ctx context.Context, dir string) (*workspace.Workspace, error) {
	ws, err := workspace.Load(ctx, dir)
	if !fault.HasCode(err, "workspace.not_found") {
		return ws, err
	}
	root, err := filepath.EvalSymlinks(dir)
	if err == nil {
		root, err = filepath.Abs(root)
	}
	return &workspace.Workspace{Root: root, Name: filepath.Base(root), Cwd: ".", Config: config.Default()}, err
}

// setup collects a plan for one workspace.
type setup struct {
	ws      *workspace.Workspace
	plan    Plan
	name    string // of the workspace
	base    string // for FROM
	declare bool   // the root's wr.toml has to declare base
	used    bool   // some Dockerfile uses base
	pip     bool   // some project has dependencies to install
	root    string // what makes the root a project, for the root's wr.toml
}

// newSetup decides what all projects share.
func newSetup(ws *workspace.Workspace, o Options) *setup {
	s := &setup{ws: ws, plan: Plan{Root: ws.Root, Files: []File{}}, name: workspaceName(ws.Name), base: o.Base}
	if o.Name != "" {
		s.name = workspaceName(o.Name)
	}
	if s.base == "" {
		var declared bool
		s.base, declared = base(ws, s.name)
		s.declare = !declared
	}
	return s
}

// project plans what makes c a project.
func (s *setup) project(c candidate) error {
	v := values{Base: s.base, Deps: c.deps, NoTests: !c.tests}
	if c.dockerfile {
		v.Dockerfile = "Dockerfile"
		return s.config(c, v)
	}
	if err := s.add(path.Join(c.path, "devops/Dockerfile"), "Dockerfile", v); err != nil {
		return err
	}
	s.used = true
	s.pip = s.pip || c.deps != ""
	if c.tests {
		return nil
	}
	return s.config(c, v)
}

// config plans the wr.toml of c. That of the root is written together with
// what makes it a workspace.
func (s *setup) config(c candidate, v values) error {
	if c.config {
		missing := "a [project]"
		if v.Dockerfile == "" { // its new devops folder makes it a project
			missing = "a [test] with none = \"why there are no tests\""
		}
		s.plan.note("%s exists and is left as it is: add %s to it", path.Join(c.path, config.Name), missing)
		return nil
	}
	if c.path != "." {
		return s.add(path.Join(c.path, config.Name), "project.toml", v)
	}
	text, err := render("project.toml", v)
	s.root = "\n" + text
	return err
}

// add plans a file from the template called name.
func (s *setup) add(file, name string, v values) error {
	text, err := render(name, v)
	s.plan.add(file, text)
	return err
}

// finish adds the root's wr.toml.
func (s *setup) finish() (Plan, error) {
	v := values{Name: s.name, Base: s.base}
	if s.used && s.declare {
		v.Include = []string{"python3", "python3-pytest"}
		if s.pip {
			v.Include = append(v.Include, "python3-pip")
		}
	}
	text, err := render("workspace.toml", v)
	before := len(s.plan.Files)
	s.plan.add(config.Name, text+s.root)
	if len(s.plan.Files) == before && v.Include != nil {
		s.plan.note("nothing declares the base image %s: type `wr image base create %s --suite bookworm --include %s`",
			s.base, s.base, strings.Join(v.Include, ","))
	}
	if len(s.plan.Files) == before && s.ws.Config.Workspace == nil {
		s.plan.note("%s has no [workspace]; add it to fix where the workspace begins", config.Name)
	}
	s.plan.sort()
	return s.plan, err
}

// candidate is a directory that should become a project.
type candidate struct {
	path       string // workspace path
	dockerfile bool   // has a Dockerfile of its own
	config     bool   // has a wr.toml
	deps       string // file that names dependencies, or ""

	python  bool // has a file that says so
	project bool // is one already
	code    bool // has Python files of its own: not in another candidate below
	tests   bool // has files that pytest collects
}

// survey finds the directories that should become projects, sorted.
func survey(ctx context.Context, root string) ([]candidate, error) {
	found := map[string]*candidate{}
	python := map[string]bool{} // directories with Python files; true = with tests
	faults, err := workspace.Walk(ctx, root, func(d workspace.Dir) {
		if c := look(root, d); c != nil {
			found[d.Path] = c
		}
		if code, tests := pythonFiles(d); code {
			python[d.Path] = tests
		}
	})
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return nil, faults[0] // a plan for half a repository would mislead
	}
	for dir, tests := range python {
		if c := owner(found, dir); c != nil {
			c.code = true
			c.tests = c.tests || tests
		}
	}
	var wanted []candidate
	for _, c := range found {
		if !c.project && (c.dockerfile || c.code) {
			wanted = append(wanted, *c)
		}
	}
	slices.SortFunc(wanted, func(a, b candidate) int { return strings.Compare(a.path, b.path) })
	return wanted, nil
}

// look returns what one directory is by its own files, or nil. What lies in a
// devops folder belongs to the project around it, and hidden folders, such as
// .devcontainer, to tools.
func look(root string, d workspace.Dir) *candidate {
	for part := range strings.SplitSeq(d.Path, "/") {
		if part == "devops" || part != "." && strings.HasPrefix(part, ".") {
			return nil
		}
	}
	c := &candidate{path: d.Path, project: d.IsProject(), dockerfile: d.Has("Dockerfile"), config: d.Has(config.Name)}
	for _, marker := range []string{"requirements.txt", "pyproject.toml", "setup.py"} {
		if !d.Has(marker) {
			continue
		}
		c.python = true
		if c.deps == "" && namesDependencies(filepath.Join(root, filepath.FromSlash(d.Path), marker)) {
			c.deps = marker
		}
	}
	if !c.project && !c.dockerfile && !c.python {
		return nil
	}
	return c
}

// owner returns the nearest candidate at or above dir.
func owner(found map[string]*candidate, dir string) *candidate {
	for ; ; dir = path.Dir(dir) {
		if c := found[dir]; c != nil || dir == "." {
			return c
		}
	}
}

// pythonFiles reports whether d has Python code, and tests in it.
func pythonFiles(d workspace.Dir) (code, tests bool) {
	for _, e := range d.Entries {
		if name := e.Name(); e.Type().IsRegular() && strings.HasSuffix(name, ".py") {
			code = true
			tests = tests || strings.HasPrefix(name, "test_") || strings.HasSuffix(name, "_test.py")
		}
	}
	return code, tests
}

// dependencies are patterns for the first dependency in a requirements.txt, or
// the key under which pyproject.toml and setup.py hold them. They decide about a
// comment only, so reading these files properly would be too much.
var dependencies = map[string]string{
	"requirements.txt": `(?m)^[ \t]*[A-Za-z0-9]`,
	"pyproject.toml":   `(?m)^[ \t]*(dependencies[ \t]*=[ \t]*\[[^\]]|\[tool\.poetry\.dependencies\])`,
	"setup.py":         `install_requires`,
}

// namesDependencies reports whether the file names packages to install.
func namesDependencies(file string) bool {
	data, err := os.ReadFile(file)
	return err == nil && regexp.MustCompile(dependencies[filepath.Base(file)]).Match(data)
}
