// Package notes finds what comments say is left to be done.
package notes

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"strings"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Note is one of them.
type Note struct {
	File   string // workspace path
	Line   int    // from 1
	Column int    // of the word, from 1
	Word   string
	Text   string // what follows the word
}

// Notes are some, by file and line.
type Notes []Note

// pages is where Markdown is written to. It is no place to look for notes.
const pages = "docs/todo/"

// Page is the workspace path of a project's page.
func Page(project string) string {
	if project == "." {
		project = "root"
	}
	return pages + project + ".md"
}

// Find finds notes in the files of a project, those of projects inside it among them.
func Find(tree fs.FS, project string, words []string) (Notes, error) {
	var all Notes
	err := fs.WalkDir(tree, project, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(name, pages) {
			return err
		}
		text, err := fs.ReadFile(tree, name)
		if err == nil {
			all = append(all, in(name, text, words)...)
		}
		return err
	})
	return all, err
}

// in are the notes of one file.
func in(name string, text []byte, words []string) Notes {
	var all Notes
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for number := 1; lines.Scan(); number++ {
		for _, word := range words {
			if at := index(lines.Text(), word); at >= 0 {
				rest := strings.TrimSpace(strings.TrimLeft(lines.Text()[at+len(word):], ":"))
				all = append(all, Note{name, number, at + 1, word, rest})
				break
			}
		}
	}
	return all
}

// index is where a word stands by itself in a line, or -1.
func index(line, word string) int {
	for from := 0; word != ""; {
		at := strings.Index(line[from:], word)
		if at < 0 {
			return -1
		}
		at += from
		if from = at + len(word); !letter(line, at-1) && !letter(line, from) {
			return at
		}
	}
	return -1
}

func letter(line string, at int) bool {
	if at < 0 || at >= len(line) {
		return false
	}
	c := line[at]
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// Lines are the notes, one a line.
func (n Notes) Lines() string {
	var b strings.Builder
	for _, note := range n {
		fmt.Fprintf(&b, "%s:%d: %s\n", note.File, note.Line, strings.TrimSpace(note.Word+" "+note.Text))
	}
	return b.String()
}

// Markdown is the notes as a page.
func (n Notes) Markdown() string {
	var b strings.Builder
	b.WriteString("# To be done\n")
	file := ""
	for _, note := range n {
		if note.File != file {
			file = note.File
			fmt.Fprintf(&b, "\n## %s\n\n", file)
		}
		fmt.Fprintf(&b, "- line %d: %s\n", note.Line, note.Text)
	}
	return b.String()
}

// Diagnostics are the notes as complaints.
func (n Notes) Diagnostics() []abi.Diagnostic {
	all := make([]abi.Diagnostic, len(n))
	for i, note := range n {
		all[i] = abi.Diagnostic{
			File: note.File, Severity: abi.SeverityWarning, Rule: strings.ToLower(note.Word), Message: note.Text,
			Range: abi.Range{
				Start: abi.Position{Line: note.Line, Column: note.Column},
				End:   abi.Position{Line: note.Line, Column: note.Column + len(note.Word)},
			},
		}
	}
	return all
}
