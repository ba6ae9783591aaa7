// Package deps compares what a Python project imports with what it declares: in
// pyproject.toml (PEP 621, dependency groups, poetry, uv, pdm) and in files of
// requirements. Nothing is imported and nothing has to be installed, so which
// distribution has a module is known by its name, by a list of well-known ones and
// by the project's config.
//
// It goes by import statements alone: what a framework loads by a name in its
// settings looks unused, which is why that is a warning.
package deps

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/pyscan"
	"github.com/wr-build/wr/sdk/go/abi"
)

// The rules.
const (
	RuleMissing = "missing"    // imported, and nothing that is declared has it
	RuleDev     = "dev-import" // imported by what is shipped, declared for development
	RuleUnused  = "unused"     // declared, and never imported
	RuleUnread  = "unread"     // a declaration that cannot be read, or is not there
)

// Config is the config table of a project.
type Config struct {
	Modules    map[string][]string `json:"modules"`     // distributions that have a module, by its dotted name
	FirstParty []string            `json:"first_party"` // modules of the project's own that are not found by themselves
	Ignore     []string            `json:"ignore"`      // modules and distributions of which nothing is said
	DevFiles   []string            `json:"dev_files"`   // globs, from the project, of files that are not shipped
	DevGroups  []string            `json:"dev_groups"`  // extras and files of requirements that are for development
}

// Group is what a dependency is declared for.
type Group int

// The groups.
const (
	Main  Group = iota // for all who use the project
	Extra              // for those who ask for it
	Dev                // for those who work on it
)

// Dependency is one declaration.
type Dependency struct {
	Name   string // as it is written
	Group  Group
	File   string
	Line   int
	Locked bool     // by a tool, with all that the dependencies depend on
	Remove abi.Edit // takes it out; no File = by hand
}

// Check returns what is to be said of a project, whose files are all those that
// could count, sorted, in fsys, the workspace. An error is one of fsys.
func Check(fsys fs.FS, project string, files []string, config Config) ([]abi.Diagnostic, error) {
	project = path.Clean(project)
	c := &checker{config: config, own: newOwn(fsys, project, config.FirstParty), declared: declared{project: project}}
	for _, name := range files {
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		c.read(name, src)
	}
	switch {
	case c.declared.broken: // that is all there is to say
	case len(c.declared.files) == 0 || c.declared.elsewhere():
		c.undeclared()
	default:
		c.judge()
	}
	slices.SortStableFunc(c.said, func(a, b abi.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Range.Start.Line, b.Range.Start.Line), cmp.Compare(a.Message, b.Message))
	})
	return c.said, nil
}

// checker is one project.
type checker struct {
	config   Config
	own      *own
	declared declared
	modules  []module
	said     []abi.Diagnostic
}

// module is an import of one file.
type module struct {
	file string
	pyscan.Import
}

// read takes what one file declares or imports.
func (c *checker) read(name string, src []byte) {
	var problems []abi.Diagnostic
	switch {
	case path.Ext(name) == ".py":
		for _, i := range pyscan.Scan(name, src, pyscan.Rules{}).Imports {
			if i.Level == 0 && i.Module != "" {
				c.modules = append(c.modules, module{name, i})
			}
		}
	case path.Base(name) == "pyproject.toml":
		problems = c.declared.pyproject(name, src, c.config)
	default:
		problems = c.declared.requirements(name, src, c.config)
	}
	c.said = append(c.said, problems...)
}

// undeclared says that there is nothing to compare imports with.
func (c *checker) undeclared() {
	if len(c.modules) > 0 {
		c.say(abi.Diagnostic{
			File: c.modules[0].file, Severity: abi.SeverityInfo, Rule: RuleUnread,
			Message: "imports are not compared: the project has neither dependencies in a pyproject.toml nor a file of requirements",
		})
	}
}

// judge compares.
func (c *checker) judge() {
	used := map[string]bool{}
	told := map[[2]string]bool{}
	for _, m := range c.modules {
		candidates := c.config.providers(m.Import)
		for _, name := range candidates {
			used[name] = true
		}
		top, _, _ := strings.Cut(m.Module, ".")
		at := [2]string{m.file, top}
		if told[at] || c.config.ignores(top) || stdlib[top] || c.own.has(top, m.file) {
			continue
		}
		if d, bad := c.imported(m, candidates); bad {
			told[at] = true
			c.say(d)
		}
	}
	for _, d := range c.declared.all {
		if !used[normal(d.Name)] && c.mustBeUsed(d) {
			c.say(d.unused())
		}
	}
}

// imported judges one import of a module of somebody else.
func (c *checker) imported(m module, candidates []string) (abi.Diagnostic, bool) {
	found := c.declared.groups(candidates)
	d := abi.Diagnostic{File: m.file, Range: line(m.Line), Severity: abi.SeverityError}
	switch {
	case m.Guarded:
		return d, false
	case len(found) == 0:
		d.Rule = RuleMissing
		d.Message = fmt.Sprintf("%s is imported, and no declared dependency is known to have it: declare %s, or say in modules of this plugin's config which has it",
			m.Module, candidates[0])
		if m.TypeChecking {
			d.Severity = abi.SeverityWarning
		}
		return d, path.Base(m.file) != "setup.py" // what that needs is the build's
	case !m.TypeChecking && !slices.ContainsFunc(found, func(g Group) bool { return g != Dev }) && !c.develops(m.file):
		d.Rule = RuleDev
		d.Message = m.Module + " is imported by code that is shipped, and is declared for development only"
		return d, true
	}
	return d, false
}

// develops says whether a file is for those who work on the project.
func (c *checker) develops(file string) bool {
	file = c.declared.within(file)
	base := path.Base(file)
	return strings.HasPrefix(base, "test_") || strings.HasSuffix(base, "_test.py") ||
		slices.Contains([]string{"conftest.py", "setup.py", "noxfile.py"}, base) ||
		slices.ContainsFunc(strings.Split(path.Dir(file), "/"), func(dir string) bool {
			return dir == "test" || dir == "tests" || dir == "docs"
		}) || matches(c.config.DevFiles, file)
}

// mustBeUsed says whether a dependency is for code to import.
func (c *checker) mustBeUsed(d Dependency) bool {
	name := normal(d.Name)
	return d.Group != Dev && !d.Locked && !c.config.ignores(d.Name) && name != normal(c.declared.name) &&
		!unimported[name] && !strings.HasPrefix(name, "types-") && !strings.HasSuffix(name, "-stubs")
}

// unused says that nothing imports a dependency. To take it out is only a
// suggestion: a program may run it, or load it by name.
func (d Dependency) unused() abi.Diagnostic {
	said := abi.Diagnostic{
		File: d.File, Range: line(d.Line), Severity: abi.SeverityWarning, Rule: RuleUnused,
		Message: d.Name + " is declared, and nothing imports it; if it is used in another way, name it in ignore of this plugin's config",
	}
	if d.Remove.File != "" {
		said.Fixes = []abi.Fix{{Title: "remove " + d.Name, Edits: []abi.Edit{d.Remove}}}
	}
	return said
}

func (c *checker) say(d abi.Diagnostic) { c.said = append(c.said, d) }

func line(n int) abi.Range { return abi.Range{Start: abi.Position{Line: n}} }
