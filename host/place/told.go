package place

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/suite"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Told is what a plugin tells of the tests of a project.
type Told struct {
	Plugin   string
	Priority int64 // of plugins that say different things the one with the higher one is right
	Files    []abi.TestFile
}

// Assigned is what a plugin says of a case, or of all cases of a class or a file,
// that marks do not say. Of several that stand for a case, the first that says
// something counts.
type Assigned struct {
	File      string // workspace path
	ID        string // node id behind it; "" = all of the file
	Suite     string // "" = by its marks
	Container string // path of the lender; "" = by its marks
	Line      int    // where the test is
	Plugin    string
	Said      abi.Line // where that is said
}

// assignments are those of each file, in the order in which they count.
type assignments map[string][]Assigned

// container is the path of the lender that is said of a case, "" if none is.
func (all assignments) container(file, id string) string {
	return all.first(file, id, Assigned.container).Container
}

func (a Assigned) container() string { return a.Container }
func (a Assigned) suite() string     { return a.Suite }

// first is the assignment that counts for a case.
func (all assignments) first(file, id string, says func(Assigned) string) Assigned {
	for _, a := range all[file] {
		if Covers(a.ID, id) && says(a) != "" {
			return a
		}
	}
	return Assigned{}
}

// sorted are all of them, by files.
func (all assignments) sorted() []Assigned {
	var list []Assigned
	for _, file := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[file]...)
	}
	return list
}

// hearing takes in what plugins tell of a project's tests.
type hearing struct {
	*sorting

	project  workspace.Project
	nested   []string
	files    fs.FS
	suites   []suite.Suite
	asked    func(file string) bool // whether anything in a file was asked for
	own      map[string]*source     // what is seen without plugins, by file
	further  []source               // files that pytest does not find by itself
	priority map[string]int64       // of plugins
}

// hear takes in all that plugins tell.
func (h *hearing) hear(all []Told) error {
	for _, told := range all {
		h.priority[told.Plugin] = told.Priority
		for _, f := range told.Files {
			if err := h.file(told.Plugin, f); err != nil {
				return err
			}
		}
	}
	for _, of := range h.told {
		slices.SortStableFunc(of, func(a, b Assigned) int {
			return cmp.Or(cmp.Compare(h.priority[b.Plugin], h.priority[a.Plugin]), cmp.Compare(len(b.ID), len(a.ID)))
		})
	}
	return h.agree()
}

// file takes in what a plugin tells of a file. One of which it names no case, and a
// directory, is as pytest sees it.
func (h *hearing) file(plugin string, f abi.TestFile) error {
	if len(f.Cases) == 0 {
		return nil
	}
	if !h.mine(f.File) {
		return told(f, "test.told_foreign", fmt.Sprintf("plugin %s tells of tests in %s, which is no file of %s", plugin, f.File, h.project.Path))
	}
	if !h.asked(f.File) {
		return nil
	}
	if info, err := fs.Stat(h.files, f.File); err != nil || info.IsDir() {
		return told(f, "test.told_missing", fmt.Sprintf("plugin %s tells of tests in %s, and there is no such file", plugin, f.File))
	}
	for _, c := range f.Cases {
		if err := h.one(plugin, f.File, c); err != nil {
			return err
		}
	}
	if h.own[f.File] == nil {
		h.add(f)
	}
	return nil
}

// mine reports whether a file is one of the project.
func (h *hearing) mine(file string) bool {
	below := func(dir string) bool { return dir == "." || file == dir || strings.HasPrefix(file, dir+"/") }
	return fs.ValidPath(file) && below(h.project.Path) && !slices.ContainsFunc(h.nested, below)
}

// told is a fault of what is told of a file, where that is said.
func told(f abi.TestFile, code, message string) *fault.Error {
	out := &fault.Error{Code: code, Class: fault.Usage, File: f.File, Message: message}
	for _, c := range f.Cases {
		if c.Said != nil {
			out.File, out.Line = c.Said.File, c.Said.Line
			break
		}
	}
	return out
}

// one takes in what a plugin says of a case, as far as that is more than is seen.
func (h *hearing) one(plugin, file string, c abi.TestCase) error {
	a := Assigned{File: file, ID: c.ID, Suite: c.Suite, Line: c.Line, Plugin: plugin, Said: abi.Line{File: file, Line: c.Line}}
	if c.Said != nil {
		a.Said = *c.Said
	}
	if c.Suite != "" && !slices.ContainsFunc(h.suites, func(s suite.Suite) bool { return s.Name == c.Suite }) {
		return h.noSuite(a)
	}
	if marked := h.marked(file, c.ID); c.Container != "" && c.Container != marked {
		at, err := h.called(c.Container)
		if err != nil {
			return a.noContainer(c.Container, fault.Of(err))
		}
		if same, _ := h.called(marked); at != same { // a mark that names none is told where it is
			a.Container = at
		}
	}
	if a.Suite != "" || a.Container != "" || !h.seen(file, c.ID) {
		h.told[file] = append(h.told[file], a)
	}
	return nil
}

// noSuite is the fault of a suite that the project does not have.
func (h *hearing) noSuite(a Assigned) error {
	var names []string
	for _, s := range h.suites {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return &fault.Error{
		Code: "suite.unknown", Class: fault.Usage, File: a.Said.File, Line: a.Said.Line, Hint: fault.Closest(a.Suite, names),
		Message: fmt.Sprintf("%s is to be in the suite %q, and %s has none of that name", a.name(), a.Suite, h.project.Path),
		Next:    fmt.Sprintf("the suites are %s; [suites.%s] in wr.toml makes a new one", strings.Join(names, ", "), a.Suite),
	}
}

// noContainer is the fault of a container that there is not.
func (a Assigned) noContainer(name string, why *fault.Error) error {
	out := *why
	out.Code, out.Class, out.File, out.Line = unknownContainer, fault.Usage, a.Said.File, a.Said.Line
	out.Message = fmt.Sprintf("%s is to run in the container %q: %s", a.name(), name, why.Message)
	return &out
}

// name is what messages call the cases of a.
func (a Assigned) name() string {
	if a.ID == "" {
		return path.Base(a.File)
	}
	return a.ID
}

// marked is the name of the container that marks want for just that node id, "" if
// they want none.
func (h *hearing) marked(file, id string) string {
	f := h.own[file]
	if f == nil {
		return ""
	}
	name := ""
	for _, c := range f.cases {
		switch id {
		case c.ID:
			name = c.name
		case c.of.Name:
			name = c.of.Container
		}
	}
	return name
}

// seen reports whether there is a case of that node id, as far as is seen without
// plugins. Of one whose parameters only Python knows, all may be.
func (h *hearing) seen(file, id string) bool {
	f := h.own[file]
	return f != nil && (id == "" || slices.ContainsFunc(f.cases, func(c instance) bool { return Covers(id, c.ID) }))
}

// add takes in a file that only a plugin has seen.
func (h *hearing) add(f abi.TestFile) {
	i := slices.IndexFunc(h.further, func(s source) bool { return s.file == f.File })
	if i < 0 {
		i, h.further = len(h.further), append(h.further, source{file: f.File})
	}
	s := &h.further[i]
	s.open = s.open || f.Open != "" || slices.ContainsFunc(f.Cases, func(c abi.TestCase) bool { return c.ID == "" })
	for _, c := range f.Cases {
		if c.ID != "" && !slices.ContainsFunc(s.cases, func(o instance) bool { return o.ID == c.ID }) {
			s.cases = append(s.cases, instance{Case: Case{ID: c.ID, File: f.File, Line: c.Line}})
		}
	}
}

// unseen are the sources of files of which more is told than is seen without
// plugins: cases that only Python knows are as they are told.
func (h *hearing) unseen() {
	for _, a := range h.told.sorted() {
		if f := h.own[a.File]; f != nil && a.ID != "" && !h.seen(a.File, a.ID) {
			f.cases = append(f.cases, instance{Case: Case{ID: a.ID, File: a.File, Line: a.Line}})
		}
	}
}
