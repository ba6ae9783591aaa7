// Package discovery answers wr/1's discover for pytest: it says what pyscan finds
// in the words of the protocol. wr itself and the plugin both do it by this
// package, so that they cannot differ.
//
// What pyscan leaves open stays open. A file is only told without Open if its
// cases, their marks and their containers are all known. Ids of parameters need
// not be: a case whose ids are not known is told once, for all its parameters.
package discovery

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/pyscan"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Of finds the tests of a project in fsys, which is the whole workspace. An error
// is the end of ctx.
func Of(ctx context.Context, fsys fs.FS, p abi.DiscoverParams) (abi.DiscoverResult, error) {
	dir := path.Clean(p.Project)
	tree, err := pyscan.Discover(ctx, fsys, pyscan.Options{Dir: dir, Paths: p.Paths, Skip: p.Nested})
	if ctx.Err() != nil {
		return abi.DiscoverResult{}, context.Cause(ctx)
	}
	if err != nil {
		return abi.DiscoverResult{Files: []abi.TestFile{{File: dir, Open: err.Error()}}}, nil //nolint:nilerr // settings that pytest refuses: it will say why, with the words of its version
	}
	result := abi.DiscoverResult{Files: []abi.TestFile{}}
	for i := range tree.Tests {
		result.Files = append(result.Files, File(&tree.Tests[i]))
	}
	result.Files = append(result.Files, unknown(dir, tree)...)
	slices.SortStableFunc(result.Files, func(a, b abi.TestFile) int { return cmp.Compare(a.File, b.File) })
	return result, nil
}

// unknown are the places of which nobody knows what tests are in them: those that
// cannot be read, and all of the project where a setting decides.
func unknown(dir string, tree *pyscan.Tree) []abi.TestFile {
	var all []abi.TestFile
	for i, r := range tree.Reasons {
		at := r.File
		if i < len(tree.Config.Reasons) || at == "" {
			at = dir
		}
		if n := len(all) - 1; n < 0 || all[n].File != at {
			all = append(all, abi.TestFile{File: at, Open: open(tree.Config.File, []pyscan.Reason{r})})
		}
	}
	return all
}

// File is what one file says by itself.
func File(f *pyscan.File) abi.TestFile {
	told := abi.TestFile{File: f.Name, Imports: imports(f)}
	reasons := undecided(f.Reasons, pyscan.Marks)
	for i := range f.Cases {
		c := &f.Cases[i]
		cases, why := instances(c, f.Decided(pyscan.IDs) && c.Decided(pyscan.IDs))
		told.Cases = append(told.Cases, cases...)
		reasons = slices.Concat(reasons, undecided(c.Reasons, pyscan.Marks), why)
	}
	told.Open = open(f.Name, reasons)
	return told
}

// instances are those of one case, or the case itself if their ids are not all
// known; and why that is not enough.
func instances(c *pyscan.Case, ids bool) (cases []abi.TestCase, why []pyscan.Reason) {
	known := ids && !slices.ContainsFunc(c.Params, func(p pyscan.Instance) bool { return !p.Known })
	if c.Params == nil || !known {
		if slices.ContainsFunc(c.Params, func(p pyscan.Instance) bool { return len(p.Marks) > 0 || p.Container != "" }) {
			why = []pyscan.Reason{{Line: c.Line, What: c.Name + " has marks for some of its parameters, whose ids are not known"}}
		}
		return []abi.TestCase{{ID: c.Name, Line: c.Line, Marks: names(c.Marks), Container: c.Container}}, why
	}
	for _, p := range c.Params {
		cases = append(cases, abi.TestCase{
			ID: c.Name + "[" + p.ID + "]", Line: c.Line,
			Marks: names(slices.Concat(p.Marks, c.Marks)), Container: cmp.Or(p.Container, c.Container),
		})
	}
	return cases, nil
}

// names are those of marks, the closest first, each once.
func names(marks []pyscan.Mark) []string {
	var all []string
	for _, m := range marks {
		if !slices.Contains(all, m.Name) {
			all = append(all, m.Name)
		}
	}
	return all
}

// undecided are the reasons that leave open d.
func undecided(reasons []pyscan.Reason, d pyscan.Doubt) []pyscan.Reason {
	return slices.DeleteFunc(slices.Clone(reasons), func(r pyscan.Reason) bool { return r.Doubt != pyscan.Cases && r.Doubt != d })
}

// open says the first of the reasons, which are about a file where they name none.
func open(file string, reasons []pyscan.Reason) string {
	if len(reasons) == 0 {
		return ""
	}
	r := reasons[0]
	text := cmp.Or(r.File, file)
	if r.Line > 0 {
		text += fmt.Sprintf(":%d", r.Line)
	}
	if text != "" {
		text += ": "
	}
	text += r.What
	if more := len(reasons) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// imports are the modules that a file imports when it runs, by line. Of "from a
// import b" both a and a.b are told: whether b is a module, only a can say.
func imports(f *pyscan.File) []abi.Import {
	var all []abi.Import
	add := func(line int, module string) {
		if one := (abi.Import{Module: module, Line: line}); !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	for _, i := range f.Imports {
		if i.TypeChecking {
			continue
		}
		module := absolute(f.Name, i)
		if module != "" {
			add(i.Line, module)
		}
		for _, n := range i.Names {
			if n.Name != "*" {
				add(i.Line, join(module, n.Name))
			}
		}
	}
	return all
}

func join(module, name string) string {
	if module == "" || strings.HasSuffix(module, ".") {
		return module + name
	}
	return module + "." + name
}

// absolute is the module of an import as it is called from the workspace's root;
// with its dots where that lies above the root.
func absolute(file string, i pyscan.Import) string {
	if i.Level == 0 {
		return i.Module
	}
	dir := path.Dir(file)
	for range i.Level - 1 {
		if dir == "." {
			return strings.Repeat(".", i.Level) + i.Module
		}
		dir = path.Dir(dir)
	}
	base := strings.ReplaceAll(strings.TrimPrefix(dir, "."), "/", ".")
	if base == "" || i.Module == "" {
		return base + i.Module
	}
	return base + "." + i.Module
}
