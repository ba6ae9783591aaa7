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
		if len(told.Cases) == 0 && told.Open == "" || d.files[name] != nil {
			continue // a list that names a notebook has the last word
		}
		d.files[name] = &file{told: told}
	}
}

// read finds the tests of one notebook.
func (n Notebooks) read(name string, src []byte, rules pyscan.Rules) (abi.TestFile, error) {
	root, err := parseJSON(name, src)
	if err != nil {
		return abi.TestFile{}, err
	}
	cells := codeCells(root)
	module, lines := source(root, cells)
	scanned := pyscan.Scan(name, module, rules)
	found := discovery.File(&scanned)
	told := abi.TestFile{File: name, Open: found.Open}
	for _, i := range found.Imports {
		told.Imports = append(told.Imports, abi.Import{Module: i.Module, Line: lines[i.Line-1].file})
	}
	for number, c := range cells {
		told.Cases = append(told.Cases, n.cases(number, c, found.Cases, lines)...)
	}
	if told.Open != "" {
		told.Open = name + ": cells define tests that only Python can tell"
	}
	return told, nil
}

// cases are those of one cell. They are called as nbval calls cells: by their number
// among those with code.
func (n Notebooks) cases(number int, c cell, defined []abi.TestCase, lines []origin) []abi.TestCase {
	id := fmt.Sprintf("Cell %d", number)
	if slices.Contains(c.tags, cmp.Or(n.Tag, "test")) {
		return []abi.TestCase{{ID: id, Line: c.line, Suite: c.tagged(tagSuite), Container: c.tagged(tagContainer)}}
	}
	var all []abi.TestCase
	for _, one := range defined {
		if at := lines[one.Line-1]; at.cell == number {
			one.ID, one.Line = id+"::"+one.ID, at.file
			one.Suite, one.Container = c.tagged(tagSuite), cmp.Or(one.Container, c.tagged(tagContainer))
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

// tagged is what a tag says that begins with prefix.
func (c cell) tagged(prefix string) string {
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

// source is the code of all cells as one module, in which IPython's own lines do
// nothing, and where its lines come from. A notebook of another language has none.
func source(notebook node, cells []cell) ([]byte, []origin) {
	var module strings.Builder
	var lines []origin
	for number, c := range cells {
		if !isPython(notebook, c) {
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
	return language == "python" && len(c.source) > 0 && !strings.HasPrefix(c.source[0].text, "%%")
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
