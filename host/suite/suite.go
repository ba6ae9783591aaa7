// Package suite says which suites the tests of a project are sorted into, and
// which of those a run is to have.
package suite

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/mark"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Default is the suite that runs when none is named.
const Default = "fast"

// builtIn are the suites that every project has, unless wr.toml says otherwise.
var builtIn = []string{"superslow", "slow", Default}

// Suite is a set of tests that run the same way.
type Suite struct {
	config.Suite

	Name  string
	Marks mark.Expr // none: the cases that are in no other suite
	File  string    // workspace path of the wr.toml that has it; "" = it is built in
	Line  int
}

// Of lists the suites of p, in the order in which they take cases: its own as
// its file has them, those of the workspace's root that it has none of the same
// name for, then those that are built in.
func Of(ws *workspace.Workspace, p workspace.Project) []Suite {
	var all []Suite
	add := func(s Suite) {
		if !slices.ContainsFunc(all, func(other Suite) bool { return other.Name == s.Name }) {
			all = append(all, s)
		}
	}
	if p.Config != nil {
		for _, s := range written(p.Config, p.Path) {
			add(s)
		}
	}
	for _, s := range written(ws.Config, ".") {
		add(s)
	}
	for _, name := range builtIn {
		add(of(name, config.Suite{}))
	}
	return rest(all)
}

// written are the suites of a file, in its order.
func written(f *config.File, dir string) []Suite {
	var all []Suite
	for _, name := range slices.Sorted(maps.Keys(f.Suites)) {
		s := of(name, f.Suites[name])
		s.File, s.Line = path.Join(dir, config.Name), f.First(config.Key("suites", name))
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b Suite) int { return cmp.Compare(a.Line, b.Line) })
	return all
}

func of(name string, c config.Suite) Suite {
	s := Suite{Suite: c, Name: name, Marks: c.Marks.Expr}
	if s.Marks.IsZero() && name != Default {
		s.Marks = mark.Name(name)
	}
	return s
}

// rest puts the suite last that takes what is left.
func rest(all []Suite) []Suite {
	slices.SortStableFunc(all, func(a, b Suite) int {
		switch {
		case a.Marks.IsZero() == b.Marks.IsZero():
			return 0
		case a.Marks.IsZero():
			return 1
		default:
			return -1
		}
	})
	return all
}

// In are the names of the suites among all that a case with those marks is in.
// It runs in the first of them.
func In(all []Suite, marks []string) []string {
	var names []string
	for _, s := range all {
		if s.Marks.Match(marks) || s.Marks.IsZero() && len(names) == 0 {
			names = append(names, s.Name)
		}
	}
	return names
}

// Names are the names of the suites of projects, sorted.
func Names(ws *workspace.Workspace, projects []workspace.Project) []string {
	known := map[string]bool{}
	for _, p := range projects {
		for _, s := range Of(ws, p) {
			known[s.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}

// Choice is which suites a run is to have.
type Choice struct {
	names []string // none = the default one
	all   bool     // and what is in no suite
}

// Everything is the choice of all cases, whatever suite they are in.
var Everything = Choice{all: true}

// Chosen reads the words of the command line. Each name must be that of a suite
// of one of the projects.
func Chosen(ws *workspace.Workspace, projects []workspace.Project, words []string) (Choice, error) {
	if slices.Contains(words, config.AllSuites) {
		return Everything, nil
	}
	names := Names(ws, projects)
	for _, name := range words {
		if slices.Contains(names, name) {
			continue
		}
		return Choice{}, &fault.Error{
			Code: "suite.unknown", Class: fault.Usage, Message: fmt.Sprintf("there is no suite %q here", name), Hint: fault.Closest(name, append(names, config.AllSuites)),
			Next: fmt.Sprintf("the suites are %s; %s stands for all, and [suites.%s] in wr.toml makes a new one", strings.Join(names, ", "), config.AllSuites, name),
		}
	}
	return Choice{names: words}, nil
}

// Has reports whether a run of the choice has the cases of a suite; "" is that of
// cases that are in none.
func (c Choice) Has(name string) bool {
	return c.all || slices.Contains(c.names, name) || len(c.names) == 0 && name == Default
}

// Names are the suites that somebody named, or the default one.
func (c Choice) Names() []string {
	if len(c.names) == 0 {
		return []string{Default}
	}
	return c.names
}

// Explicit reports whether somebody named suites.
func (c Choice) Explicit() bool { return len(c.names) > 0 }
