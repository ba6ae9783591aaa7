package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/lint"
	"github.com/wr-build/wr/host/lint/process"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/vcs"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// linting is one `wr lint`.
type linting struct {
	*app
	cmd     *lintCmd
	ws      *workspace.Workspace
	tree    *lint.Tree
	index   *inputs.Index
	engine  Engine
	planned []planned
	broken  []report.Linted       // projects that cannot be read, and plugins that cannot be used
	plugins map[string][]*plugged // by the path of the project
	known   []string              // plugins that look at files, also those that cannot be used or are turned off
	some    bool                  // only some files were asked for: that there are none is fine
}

// planned is a linter and the files of a project that it is to look at.
type planned struct {
	Linter    string   `json:"linter"`
	Project   string   `json:"project"`
	Container string   `json:"container,omitempty"` // path of the project, or name in [images], whose it is; "" = it is a plugin
	Files     []string `json:"files"`               // workspace paths

	config  config.Linter
	project workspace.Project
	lender  workspace.Project
}

// linting finds out what c asks for.
func (c *lintCmd) linting(ctx context.Context, a *app) (*linting, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return nil, err
	}
	l := &linting{app: a, cmd: c, ws: ws, index: inputs.OpenIndex(a.cachePath(ws))}
	chosen, err := l.choose()
	if err != nil {
		return nil, err
	}
	var all []string
	var listing errgroup.Group // git works meanwhile
	listing.Go(func() (err error) {
		all, err = lint.Files(ctx, ws.Root)
		return err
	})
	linters, err := l.find(ctx, chosen.projects)
	if err := cmp.Or(err, listing.Wait()); err != nil {
		return nil, err
	}
	wanted, err := l.which(ctx)
	if err != nil {
		return nil, err
	}
	l.tree = lint.NewTree(ws.Root, all, paths(ws.Projects), l.index)
	if err := l.plugFiles(chosen, wanted); err != nil {
		return nil, err
	}
	for _, p := range linters {
		p.Files = l.files(p.project, lint.NewGlobs(p.config.Files), p.config.Whole.Or(false), chosen, wanted)
		l.planned = append(l.planned, p)
	}
	return l, nil
}

// find finds the linters of projects: plugins, and those that it returns, without
// their files. That there is none is an error.
func (l *linting) find(ctx context.Context, projects []workspace.Project) ([]planned, error) {
	if err := l.plug(ctx, projects); err != nil {
		return nil, err
	}
	linters, err := l.linters(projects)
	if err == nil && len(linters)+len(l.plugins)+len(l.broken) == 0 {
		err = noLinters(projects)
	}
	return linters, err
}

// files are those of a project that globs match and that were asked for; all that
// they match, if files are judged as a whole and any was. wanted nil = git was not asked.
func (l *linting) files(p workspace.Project, globs *lint.Globs, whole bool, chosen choice, wanted map[string]bool) []string {
	asked := l.tree.Matching(p.Path, globs, func(file string) bool {
		return (wanted == nil || wanted[file]) && named(p, chosen.paths[p.Path], file)
	})
	if whole && len(asked) > 0 {
		return l.tree.Matching(p.Path, globs, func(string) bool { return true })
	}
	return asked
}

// choose resolves what was typed: files by themselves, all else as other commands do.
func (l *linting) choose() (choice, error) {
	l.some = l.cmd.Changed || l.cmd.Staged
	if len(l.cmd.Targets) == 0 {
		return choose(l.ws, words{recursive: l.cmd.Recursive})
	}
	c := choice{paths: map[string][]string{}}
	for _, word := range l.cmd.Targets {
		if err := l.chooseOne(&c, word); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (l *linting) chooseOne(c *choice, word string) error {
	if strings.Contains(word, "::") {
		return &fault.Error{Code: "lint.no_case", Class: fault.Usage, Message: word + " is a case; linters look at files", Next: "name the file"}
	}
	file, ok := l.file(word)
	if !ok {
		return c.addNamed(l.ws, word, words{recursive: l.cmd.Recursive})
	}
	p, ok := l.ws.Nearest(filepath.Join(l.ws.Root, filepath.FromSlash(path.Dir(file))))
	if !ok {
		return &fault.Error{Code: "lint.no_project", Class: fault.Usage, Message: word + " belongs to no project", Next: "name a file of a project: wr ls"}
	}
	c.add(p, insideOf(p, file))
	l.some = true
	return nil
}

// file is the workspace path of the file called word, seen from where wr was started.
func (l *linting) file(word string) (string, bool) {
	host := word
	if !filepath.IsAbs(host) {
		host = filepath.Join(l.dir, host)
	}
	if info, err := os.Stat(host); err != nil || !info.Mode().IsRegular() {
		return "", false
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(host))
	if err != nil {
		return "", false
	}
	rel, err := filepath.Rel(l.ws.Root, filepath.Join(dir, filepath.Base(host)))
	return filepath.ToSlash(rel), err == nil && filepath.IsLocal(rel)
}

// insideOf is a workspace path from a project that it lies in.
func insideOf(p workspace.Project, file string) string {
	if p.Path == "." {
		return file
	}
	return strings.TrimPrefix(file, p.Path+"/")
}

// named reports whether a file is one of the parts of p that were asked for; without
// any, all of it was.
func named(p workspace.Project, parts []string, file string) bool {
	file = insideOf(p, file)
	return len(parts) == 0 || slices.ContainsFunc(parts, func(part string) bool {
		return file == part || strings.HasPrefix(file, part+"/")
	})
}

// which are the files that --changed or --staged mean; nil = neither was said. What
// git cannot tell is an error: nothing must look as if all were well.
func (l *linting) which(ctx context.Context) (map[string]bool, error) {
	if !l.cmd.Changed && !l.cmd.Staged {
		return nil, nil //nolint:nilnil // all of them
	}
	repo, err := vcs.Open(ctx, l.ws.Root)
	if err != nil {
		return nil, err
	}
	var files []string
	if l.cmd.Staged {
		if index := l.Getenv("GIT_INDEX_FILE"); index != "" { // git names it to its hooks
			if repo.Index, err = filepath.Abs(index); err != nil {
				return nil, err
			}
		}
		files, err = repo.Staged(ctx)
	} else {
		var state vcs.State
		state, err = repo.State(ctx)
		files = state.Changed
	}
	if err != nil {
		return nil, err
	}
	all := map[string]bool{}
	for _, file := range files {
		all[file] = true
	}
	return all, nil
}

// linters are those of projects, without their files.
func (l *linting) linters(projects []workspace.Project) ([]planned, error) {
	var all []planned
	var wrong []error
	known := map[string]bool{}
	for _, name := range l.known {
		known[name] = true
	}
	for _, p := range projects {
		if p.Fault != nil {
			l.broken = append(l.broken, report.Linted{Linter: "wr", Project: p.Path, Diagnostics: []abi.Diagnostic{}, Fault: p.Fault})
			continue
		}
		for _, name := range linterNames(l.ws, p) {
			one, err := l.linter(p, name)
			known[name] = true
			switch {
			case err != nil:
				wrong = append(wrong, err)
			case one.config.Enabled.Or(true) && (len(l.cmd.Linter) == 0 || slices.Contains(l.cmd.Linter, name)):
				all = append(all, one)
			}
		}
	}
	for _, name := range l.cmd.Linter {
		if !known[name] {
			wrong = append(wrong, &fault.Error{
				Code: "lint.unknown", Class: fault.Usage, Message: fmt.Sprintf("no linter is called %q here", name),
				Hint: fault.Closest(name, slices.Sorted(maps.Keys(known))), Next: "write [lint." + name + "] in wr.toml",
			})
		}
	}
	return all, errors.Join(wrong...)
}

func noLinters(projects []workspace.Project) error {
	return &fault.Error{
		Code: "lint.none", Class: fault.Failed, Message: "there is no linter for " + strings.Join(paths(projects), ", "),
		Next: "write [lint.NAME] with run and files in wr.toml, see docs/lint.md",
	}
}

// linterNames are the names of the linters of p, those that are turned off too.
func linterNames(ws *workspace.Workspace, p workspace.Project) []string {
	names := map[string]bool{}
	for _, all := range []map[string]config.Linter{ws.Config.Lint, p.Config.Lint} {
		for name := range all {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// linter is one linter of p.
func (l *linting) linter(p workspace.Project, name string) (planned, error) {
	own := p.Config.Lint[name].Over(l.ws.Config.Lint[name])
	out := planned{Linter: name, Project: p.Path, Container: p.Path, config: own, project: p, lender: p}
	if !own.Enabled.Or(true) {
		return out, nil
	}
	for _, wrong := range []struct {
		is   bool
		key  string
		what string
	}{
		{own.Run.Empty(), "run", `is missing, such as "ruff check {files}"`},
		{len(own.Files) == 0, "files", `is missing, such as ["**/*.py"]`},
		{!own.Whole.Or(false) && !process.TakesFiles(own.Run), "run", "has no {files}, and whole is not true"},
		{!own.Whole.Or(false) && !own.Fix.Empty() && !process.TakesFiles(own.Fix), "fix", "has no {files}, and whole is not true"},
	} {
		if wrong.is {
			file, line := l.where(p, name, wrong.key)
			return out, &fault.Error{Code: "lint.incomplete", Class: fault.Usage, File: file, Line: line, Message: fmt.Sprintf("[lint.%s] %s %s", name, wrong.key, wrong.what)}
		}
	}
	if own.Container == "" {
		return out, nil
	}
	lender, err := l.ws.Container(own.Container)
	if err == nil && lender.Fault != nil {
		err = lender.Fault
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		at := *f
		at.File, at.Line = l.where(p, name, "container")
		return out, &at
	}
	out.lender, out.Container = lender, lender.Path
	return out, err
}

// where is the file and the line that say something of a linter of p.
func (l *linting) where(p workspace.Project, name, key string) (file string, line int) {
	for _, key := range []string{config.Key("lint", name, key), config.Key("lint", name)} {
		for _, at := range []struct {
			file   string
			config *config.File
		}{{p.ConfigFile(), p.Config}, {config.Name, l.ws.Config}} {
			if line := at.config.First(key); line > 0 {
				return at.file, line
			}
		}
	}
	return p.ConfigFile(), 0
}

// lenders are the projects whose containers are needed if anything has to be run,
// each once.
func (l *linting) lenders() []workspace.Project {
	var all []workspace.Project
	for _, p := range l.planned {
		known := slices.ContainsFunc(all, func(other workspace.Project) bool { return other.Path == p.Container })
		if len(p.Files) > 0 && !known {
			all = append(all, p.lender)
		}
	}
	return all
}

// order is that of the report: by projects as the workspace has them, then by name.
func (l *linting) order(a, b report.Linted) int {
	at := func(one report.Linted) int {
		return slices.IndexFunc(l.ws.Projects, func(p workspace.Project) bool { return p.Path == one.Project })
	}
	return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(a.Linter, b.Linter))
}

// predictLinters are the names of all linters.
func predictLinters(ws *workspace.Workspace) []string {
	var all []string
	for _, p := range ws.Projects {
		all = append(all, linterNames(ws, p)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
