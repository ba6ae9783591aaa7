package list

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/pyscan"
	"github.com/wr-build/wr/host/pyscan/discovery"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Notebooks says which cells of Jupyter notebooks are tests: those that define
// some, as pytest would see them in one module, and those with a tag.
type Notebooks struct {
	Files string `json:"files"` // a glob, from the project; "" = none
	Tag   string `json:"tag"`   // of cells that are a test as a whole; "" = "test"
}

// What tags of a cell say besides: "suite:slow".
const (
	tagSuite     = "suite:"
	tagContainer = "container:"
)

func (d *finding) notebooks(n Notebooks) {
	if n.Files == "" {
		return
	}
	names, err := d.glob(n.Files)
	if err != nil {
		d.problems = append(d.problems, err)
	}
	for _, name := range names {
		src, err := fs.ReadFile(d.fsys, name)
		if err != nil {
			d.problems = append(d.problems, err)
			continue
		}
		told, err := n.read(name, src, d.rules)
		if err != nil {
			d.problems = append(d.problems, err)
			continue
		}
		if len(told.Cases) == 0 {
			continue // whatever it imports: to run a notebook may take long
		}
		d.notebook(told)
	}
}

// notebook adds the tests of a notebook to what lists say of it.
func (d *finding) notebook(told abi.TestFile) {
	f := d.files[told.File]
	if f == nil {
		d.files[told.File] = &file{told: told}
		return
	}
	f.told.Imports, f.told.Open = told.Imports, told.Open
	for _, c := range told.Cases {
		i := slices.IndexFunc(f.told.Cases, func(o abi.TestCase) bool { return o.ID == c.ID })
		if i < 0 {
			f.told.Cases = append(f.told.Cases, c)
			continue
		}
		listed := &f.told.Cases[i]
		if contradict(listed.Suite, c.Suite) || contradict(listed.Container, c.Container) {
			d.problems = append(d.problems, problem(f.places[i], "tags of %s:%d say something else of %s", told.File, c.Line, c.ID))
		}
		listed.Line, listed.Marks = c.Line, c.Marks
		listed.Suite, listed.Container = cmp.Or(listed.Suite, c.Suite), cmp.Or(listed.Container, c.Container)
	}
}

func contradict(a, b string) bool { return a != "" && b != "" && a != b }

// read finds the tests of one notebook.
func (n Notebooks) read(name string, src []byte, rules pyscan.Rules) (abi.TestFile, error) {
	root, err := parseJSON(name, src)
	if err != nil {
		return abi.TestFile{}, err
	}
	cells, told := codeCells(root), abi.TestFile{File: name}
	all, lines := source(root, cells, func(cell) bool { return true })
	scanned := pyscan.Scan(name, all, rules)
	for _, i := range discovery.File(&scanned).Imports {
		told.Imports = append(told.Imports, abi.Import{Module: i.Module, Line: lines[i.Line-1].file})
	}
	module, lines := source(root, cells, func(c cell) bool { return !n.tagged(c) })
	scanned = pyscan.Scan(name, module, rules)
	defined := discovery.File(&scanned)
	for i, c := range cells {
		if n.tagged(c) && !isPython(root, c) {
			return told, problem(place{name, c.line}, "this cell is tagged as a test, and not of Python")
		}
		told.Cases = append(told.Cases, n.cases(i, c, defined.Cases, lines)...)
	}
	if defined.Open != "" {
		told.Open = name + ": cells define tests that only Python can tell"
	}
	return told, nil
}

// tagged reports whether a cell is a test as a whole.
func (n Notebooks) tagged(c cell) bool { return slices.Contains(c.tags, cmp.Or(n.Tag, "test")) }

// cases are those of one cell. One that is a test is called by its number among
// those with code, from 1; those that it defines are called as in a module.
func (n Notebooks) cases(at int, c cell, defined []abi.TestCase, lines []origin) []abi.TestCase {
	if n.tagged(c) {
		id := fmt.Sprintf("cell[%d]", at+1)
		return []abi.TestCase{{ID: id, Line: c.line, Suite: c.tag(tagSuite), Container: c.tag(tagContainer)}}
	}
	var all []abi.TestCase
	for _, one := range defined {
		if from := lines[one.Line-1]; from.cell == at {
			one.Line = from.file
			one.Suite, one.Container = c.tag(tagSuite), cmp.Or(one.Container, c.tag(tagContainer))
			all = append(all, one)
		}
	}
	return all
}

// cell is a cell with code.
type cell struct {
	line   int
	tags   []string
	source []node // its lines; or one text with all of them
}

// tag is what a tag says that begins with prefix.
func (c cell) tag(prefix string) string {
	for _, tag := range c.tags {
		if value, found := strings.CutPrefix(tag, prefix); found {
			return value
		}
	}
	return ""
}

func codeCells(notebook node) []cell {
	var cells []cell
	for _, n := range notebook.get("cells").items {
		if n.member("cell_type") != "code" {
			continue
		}
		c := cell{line: n.line}
		for _, tag := range n.get("metadata").get("tags").items {
			c.tags = append(c.tags, tag.text)
		}
		if text := n.get("source"); text.items != nil {
			c.source = text.items
		} else {
			c.source = []node{text}
		}
		if len(c.source) > 0 {
			c.line = c.source[0].line
		}
		cells = append(cells, c)
	}
	return cells
}

// get is a member.
func (n node) get(key string) node {
	for _, m := range n.members {
		if m.key == key {
			return m.value
		}
	}
	return node{}
}

// origin is where a line of all cells together comes from.
type origin struct {
	cell int
	file int // the line of the notebook
}

// source is the code of wanted cells as one module, in which IPython's own lines do
// nothing, and where its lines come from. A notebook of another language has none.
func source(notebook node, cells []cell, wanted func(cell) bool) ([]byte, []origin) {
	var module strings.Builder
	var lines []origin
	for number, c := range cells {
		if !isPython(notebook, c) || !wanted(c) {
			continue
		}
		for _, part := range c.source {
			for line := range strings.Lines(part.text) {
				module.WriteString(plain(line))
				lines = append(lines, origin{number, part.line})
			}
		}
	}
	return []byte(module.String()), lines
}

// isPython says whether a cell is of Python: its notebook is, and no "%%" makes it
// one of something else.
func isPython(notebook node, c cell) bool {
	language := notebook.get("metadata").get("kernelspec").member("language")
	language = cmp.Or(language, notebook.get("metadata").get("language_info").member("name"), "python")
	return language == "python" && (len(c.source) == 0 || !strings.HasPrefix(c.source[0].text, "%%"))
}

// plain is a line of Python in place of one that only IPython understands.
func plain(line string) string {
	text := strings.TrimSpace(line)
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	if text != "" && strings.ContainsRune("%!?", rune(text[0])) || strings.HasSuffix(text, "?") {
		return indent + "pass\n"
	}
	return strings.TrimSuffix(line, "\n") + "\n"
}
