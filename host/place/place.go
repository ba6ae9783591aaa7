// Package place decides in whose container each test of a project runs: in that
// of the project or of the entry of [images] which the closest
// @pytest.mark.container names, or which a plugin that finds tests says, else in that
// of the project. It reads sources and runs nothing; what they leave open, the
// pytest plugin decides in the container, and whoever carries out the plan
// checks that each case was somewhere.
package place

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/pyscan"
	"github.com/wr-build/wr/host/suite"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// mark is the mark that names a container.
const mark = "container"

// Notebook is the ending of files that wr's own plugin collects.
const Notebook = ".ipynb"

// unknownContainer is the code of a name that no container has.
const unknownContainer = "test.container_unknown"

// Part is what of a project's tests runs in one container. Files are workspace
// paths.
type Part struct {
	Lender  workspace.Project // whose container it is: a project, or an entry of [images]
	Default string            // path of that in whose container cases without a mark run
	Names   map[string]string // what marks may call containers, to paths of lenders
	Leave   []string          // files that have no case for this container
	Take    []string          // nil: all other files; else the only ones that may have some
	Mixed   []string          // files that have cases for this container and for others
	Cases   []Case            // as far as they are seen without Python
}

// Case is one case, or those of one function whose parameters only Python knows.
type Case struct {
	ID   string // node id in its file: "TestA::test_b[1]"
	File string // workspace path
	Line int
}

// Collects reports whether pytest has to look into a Python file for p.
func (p Part) Collects(file string) bool {
	return !slices.Contains(p.Leave, file) && (p.Take == nil || slices.Contains(p.Take, file))
}

// Tests are what Of finds out about the tests of a project.
type Tests struct {
	Parts   []Part   // that of cases without a mark first: it is there unless there is certainly nothing for it
	Outside []string // symbolic links out of the workspace, which is all that containers have

	Assigned []Assigned // what plugins say of cases, in the order in which it counts
	Further  []string   // files with tests that only plugins have found: pytest has to be told of them
}

// Asked is what pytest is to be given.
type Asked struct {
	Paths []string // files, directories and node ids in the project; none = all
	More  bool     // and further arguments: they may have it collect what is in no Python file
	Told  []Told   // what plugins tell of the project's tests
}

// Of finds out where p's tests run. An error is a *fault.Error about p's tests, or
// the end of ctx.
func Of(ctx context.Context, ws *workspace.Workspace, files fs.FS, p workspace.Project, a Asked) (Tests, error) {
	tree, err := pyscan.Discover(ctx, files, pyscan.Options{
		Dir: p.Path, Paths: Named(files, p, a.Paths), Skip: ws.NestedIn(p),
	})
	if ctx.Err() != nil {
		return Tests{}, context.Cause(ctx)
	}
	if err != nil {
		tree = &pyscan.Tree{} // pytest will say why, with the words of its version
	}
	home, err := Home(ws, p)
	if err != nil {
		return Tests{}, err
	}
	s := &sorting{ws: ws, home: home, asked: nodes(p, a.Paths), told: assignments{}, names: map[string]string{"": ""}, taken: map[string][]string{}, lenders: map[string]workspace.Project{}, cases: map[string][]Case{}}
	sources, further, err := s.sources(files, p, a, tree)
	if err != nil {
		return Tests{}, err
	}
	for _, f := range slices.Concat(sources, further) {
		if err := s.sort(f); err != nil {
			return Tests{}, err
		}
	}
	found := Tests{Parts: s.parts(), Outside: outside(tree), Assigned: s.told.sorted()}
	for _, f := range further {
		if ext := path.Ext(f.file); ext == ".py" || ext == Notebook { // all else a plugin of pytest has to collect
			found.Further = append(found.Further, f.file)
		}
	}
	if len(s.taken) > 0 && len(s.leave) == len(sources)+len(further) && len(tree.Reasons) == 0 && !a.More {
		found.Parts = found.Parts[1:]
	}
	return found, nil
}

// sources are the files that have tests, and those of which only plugins know.
func (s *sorting) sources(files fs.FS, p workspace.Project, a Asked, tree *pyscan.Tree) (sources, further []source, err error) {
	h := hearing{
		sorting: s, project: p, nested: s.ws.NestedIn(p), files: files, suites: suite.Of(s.ws, p),
		asked: func(file string) bool { return within(file, p, a.Paths) }, own: map[string]*source{}, priority: map[string]int64{},
	}
	for i := range tree.Tests {
		f := scanned(&tree.Tests[i])
		if path.Ext(f.file) != Notebook || !tells(a.Told, f.file) { // who was named counts as Python
			sources = append(sources, f)
		}
	}
	for i := range sources {
		h.own[sources[i].file] = &sources[i]
	}
	if err := h.hear(a.Told); err != nil {
		return nil, nil, err
	}
	h.unseen()
	return sources, h.further, nil
}

// tells reports whether a plugin tells of a file.
func tells(all []Told, file string) bool {
	return slices.ContainsFunc(all, func(one Told) bool {
		return slices.ContainsFunc(one.Files, func(f abi.TestFile) bool { return f.File == file })
	})
}

// within reports whether a file of p is among the paths; without any, all are.
func within(file string, p workspace.Project, paths []string) bool {
	return len(paths) == 0 || slices.ContainsFunc(paths, func(asked string) bool {
		at, _, _ := strings.Cut(asked, "::")
		at = path.Join(p.Path, at)
		return at == "." || file == at || strings.HasPrefix(file, at+"/")
	})
}

// outside are the links of a tree that lead out of it.
func outside(tree *pyscan.Tree) []string {
	var links []string
	for _, r := range tree.Reasons {
		if r.Code == pyscan.CodeOutside {
			links = append(links, r.File)
		}
	}
	return links
}

// More is the part of p's tests in some files that belongs in the container of
// lender, though only Python could tell.
func More(ws *workspace.Workspace, p, lender workspace.Project, files []string) (Part, error) {
	home, err := Home(ws, p)
	if err != nil {
		return Part{}, err
	}
	return Part{Lender: lender, Default: home.Path, Names: ws.Names(), Take: files, Mixed: files}, nil
}

// Home is in whose container those cases of p run that have no mark.
func Home(ws *workspace.Workspace, p workspace.Project) (workspace.Project, error) {
	name := p.Config.Test.Container
	if name == "" {
		return p, nil
	}
	home, err := ws.Container(name)
	if err != nil {
		out := *fault.Of(err)
		out.Code, out.Class = unknownContainer, fault.Usage
		out.File, out.Line = path.Join(p.Path, "wr.toml"), p.Config.Line("test.container")
		return workspace.Project{}, &out
	}
	return home, nil
}

// Named are the paths that pytest is to be given, of the project's config if the
// user gave none.
func Named(files fs.FS, p workspace.Project, paths []string) []string {
	if len(paths) > 0 {
		return paths
	}
	var all []string
	for _, pattern := range p.Config.Test.Paths {
		found, err := fs.Glob(files, path.Join(p.Path, pattern))
		if err != nil || len(found) == 0 {
			all = append(all, pattern)
		}
		for _, one := range found {
			all = append(all, strings.TrimPrefix(one, p.Path+"/"))
		}
	}
	return all
}
