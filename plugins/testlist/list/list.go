// Package list finds tests in the lists that a repository keeps of them, and in
// notebooks. A list says of tests in which suite and container they run; what it
// names has to be there, else the error says which line names it.
package list

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/wr-build/wr/host/pyscan"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Config says which lists and notebooks a project has.
type Config struct {
	Lists     []List    `json:"lists"`
	Notebooks Notebooks `json:"notebooks"`
}

// List is one kind of list.
type List struct {
	File   string `json:"file"`   // a glob, from the project
	Format Format `json:"format"` // "" = by the file's ending, lines for all that is not known
	From   From   `json:"from"`   // where the paths in it begin; "" = the project
	// At is where the tests are in TOML or JSON: "tests", or with words for what a
	// key says, "suites.{suite}" and "{container}.{suite}.tests".
	At string `json:"at"`
	// Test, Suite and Container are what keys and columns are called; "" = just that.
	Test      string   `json:"test"`
	Suite     string   `json:"suite"`
	Container string   `json:"container"`
	Columns   []string `json:"columns"` // of a CSV without a head
}

// Format is how a list is written.
type Format string

// The formats.
const (
	Lines Format = "lines" // PATH::ID [SUITE] [CONTAINER], "-" for none
	CSV   Format = "csv"
	TOML  Format = "toml"
	JSON  Format = "json"
)

// From is where paths of a list begin.
type From string

// The beginnings.
const (
	FromProject From = "project"
	FromRoot    From = "root" // of the workspace
	FromList    From = "list" // the directory of the list
)

// place is a line of a list.
type place struct {
	file string
	line int
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// entry is what a list says of one test, or of all tests of a file.
type entry struct {
	at        place
	test      string // PATH or PATH::ID
	suite     string
	container string
}

// problem is what is wrong with a list.
func problem(at place, format string, args ...any) error {
	return fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...))
}

// Discover finds the tests of a project in fsys, the workspace. Its error says all
// that is wrong with lists, a line each.
func Discover(fsys fs.FS, p abi.DiscoverParams, config Config) ([]abi.TestFile, error) {
	project := path.Clean(p.Project)
	settings, err := pyscan.Configure(fsys, project)
	if err != nil {
		return nil, err
	}
	d := &finding{fsys: fsys, project: project, nested: p.Nested, rules: settings.Rules(), files: map[string]*file{}}
	for _, l := range config.Lists {
		d.list(l)
	}
	for _, f := range d.files {
		d.verify(f)
	}
	d.notebooks(config.Notebooks)
	if len(d.problems) > 0 {
		return nil, joined(d.problems)
	}
	var all []abi.TestFile
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		all = append(all, d.files[name].told)
	}
	return all, nil
}

// maxProblems is how many are told at once.
const maxProblems = 20

func joined(problems []error) error {
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if more := len(problems) - maxProblems; more > 0 {
		problems = append(problems[:maxProblems], fmt.Errorf("and %d more", more))
	}
	return errors.Join(problems...)
}

// finding is what is found in one project.
type finding struct {
	fsys     fs.FS
	project  string
	nested   []string
	rules    pyscan.Rules // what is a test for pytest here
	files    map[string]*file
	problems []error
}

// file is a file with tests, and where lists name them.
type file struct {
	told   abi.TestFile
	places []place // of told.Cases, in their order
}

// list reads all lists of one kind.
func (d *finding) list(l List) {
	names, err := d.glob(l.File)
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("no file of %s is called %s, which lists names", d.project, l.File)
	}
	if err != nil {
		d.problems = append(d.problems, err)
	}
	for _, name := range names {
		src, err := fs.ReadFile(d.fsys, name)
		if err != nil {
			d.problems = append(d.problems, err)
			continue
		}
		entries, problems := l.read(name, src)
		d.problems = append(d.problems, problems...)
		for _, e := range entries {
			d.add(l, e)
		}
	}
}

// glob are the files of the project that a pattern names, without those of nested
// projects, sorted.
func (d *finding) glob(pattern string) ([]string, error) {
	sub, err := fs.Sub(d.fsys, d.project)
	if err != nil {
		return nil, err
	}
	found, err := doublestar.Glob(sub, pattern, doublestar.WithFilesOnly())
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", pattern, err)
	}
	var names []string
	for _, name := range found {
		name = path.Join(d.project, name)
		if !slices.ContainsFunc(d.nested, func(dir string) bool { return strings.HasPrefix(name, dir+"/") }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// add notes what a list says of a test. Lists may say a thing twice, but not two things.
func (d *finding) add(l List, e entry) {
	name, id, _ := strings.Cut(e.test, "::")
	name = path.Join(l.base(d.project, e.at.file), name)
	if !fs.ValidPath(name) {
		d.problems = append(d.problems, problem(e.at, "%s is not in the workspace", e.test))
		return
	}
	f := d.files[name]
	if f == nil {
		f = &file{told: abi.TestFile{File: name}}
		d.files[name] = f
	}
	c := abi.TestCase{ID: id, Suite: e.suite, Container: e.container, Said: &abi.Line{File: e.at.file, Line: e.at.line}}
	switch i := slices.IndexFunc(f.told.Cases, func(o abi.TestCase) bool { return o.ID == id }); {
	case i < 0:
		f.told.Cases, f.places = append(f.told.Cases, c), append(f.places, e.at)
	case f.told.Cases[i].Suite != c.Suite || f.told.Cases[i].Container != c.Container:
		d.problems = append(d.problems, problem(e.at, "%s is in another suite or container at %s", e.test, f.places[i]))
	}
}

// base is the directory at which paths of a list begin.
func (l List) base(project, list string) string {
	switch l.From {
	case FromRoot:
		return "."
	case FromList:
		return path.Dir(list)
	}
	return project
}

// Valid says what of a config cannot be meant.
func (c Config) Valid() error {
	for _, l := range c.Lists {
		if err := l.valid(); err != nil {
			return fmt.Errorf("lists: %s: %w", l.File, err)
		}
	}
	if bad := c.Notebooks.Files; !doublestar.ValidatePattern(bad) {
		return fmt.Errorf("notebooks: %q is no glob", bad)
	}
	return nil
}

func (l List) valid() error {
	switch {
	case !fs.ValidPath(path.Clean(l.File)) || l.File == "" || !doublestar.ValidatePattern(l.File):
		return fmt.Errorf("%q is no glob of files below the project", l.File)
	case !slices.Contains([]Format{"", Lines, CSV, TOML, JSON}, l.Format):
		return fmt.Errorf("there is no format %q, only lines, csv, toml and json", l.Format)
	case !slices.Contains([]From{"", FromProject, FromRoot, FromList}, l.From):
		return fmt.Errorf("paths begin at project, root or list, not at %q", l.From)
	case l.At == "" && slices.Contains([]Format{TOML, JSON}, l.format(l.File)):
		return errors.New("at has to say where in it the tests are")
	}
	return nil
}

// format is that of a list, by its name if it does not say it.
func (l List) format(name string) Format {
	if l.Format != "" {
		return l.Format
	}
	switch ending := Format(strings.TrimPrefix(path.Ext(name), ".")); ending {
	case CSV, TOML, JSON:
		return ending
	}
	return Lines
}
