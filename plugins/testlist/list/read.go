package list

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
)

// read reads one list.
func (l List) read(name string, src []byte) ([]entry, []error) {
	var root node
	var err error
	switch l.format(name) {
	case CSV:
		return l.readCSV(name, src)
	case TOML:
		root, err = parseTOML(name, src)
	case JSON:
		root, err = parseJSON(name, src)
	default:
		return readLines(name, src)
	}
	if err != nil {
		return nil, []error{err}
	}
	r := &reader{list: l, name: name}
	r.walk(strings.Split(l.At, "."), root, entry{})
	if len(r.entries) == 0 && len(r.problems) == 0 {
		r.problems = append(r.problems, problem(place{name, 1}, "there is nothing at %s", l.At))
	}
	return r.entries, r.problems
}

// readLines reads a test a line, with a suite and a container behind it if it has
// some. "#" begins a comment.
func readLines(name string, src []byte) ([]entry, []error) {
	var entries []entry
	var problems []error
	number := 0
	for raw := range bytes.Lines(src) {
		number++
		at := place{name, number}
		words := fields(string(raw))
		switch {
		case len(words) == 0:
		case len(words) > 3:
			problems = append(problems, problem(at, "more than a test, a suite and a container: %q", words[3]))
		default:
			words = append(words, "-", "-")
			entries = append(entries, entry{at, words[0], unless(words[1]), unless(words[2])})
		}
	}
	return entries, problems
}

// unless is a word that is not "-".
func unless(word string) string {
	if word == "-" {
		return ""
	}
	return word
}

// fields are the words of a line before its comment. Spaces in brackets are part
// of the ids of parameters.
func fields(text string) []string {
	var words []string
	var word strings.Builder
	depth := 0
	for _, r := range text + "\n" {
		blank := strings.ContainsRune(" \t\r\n", r)
		switch {
		case r == '#' && word.Len() == 0:
			return words
		case r == '\n' || blank && depth <= 0:
			if word.Len() > 0 {
				words = append(words, strings.TrimRight(word.String(), "\r"))
			}
			word.Reset()
			continue
		case r == '[':
			depth++
		case r == ']':
			depth--
		}
		word.WriteRune(r)
	}
	return words
}

// readCSV reads a test a record. The first says what columns there are, unless the
// config does.
func (l List) readCSV(name string, src []byte) ([]entry, []error) {
	records := csv.NewReader(bytes.NewReader(src))
	records.FieldsPerRecord, records.Comment = -1, '#'
	columns := l.Columns
	var entries []entry
	for {
		record, err := records.Read()
		switch bad, syntax := errors.AsType[*csv.ParseError](err); {
		case errors.Is(err, io.EOF):
			return entries, nil
		case syntax:
			return entries, []error{problem(place{name, bad.Line}, "%v", bad.Err)}
		case err != nil:
			return entries, []error{err}
		}
		number, _ := records.FieldPos(0)
		at := place{name, number}
		if columns == nil {
			columns = record
			if !slices.Contains(columns, cmp.Or(l.Test, "test")) {
				return nil, []error{problem(at, "there is no column %q", cmp.Or(l.Test, "test"))}
			}
			continue
		}
		if e := l.entry(at, func(key string) string { return column(columns, record, key) }); e.test != "" {
			entries = append(entries, e)
		}
	}
}

// column is what a record has in a column.
func column(names, record []string, name string) string {
	if i := slices.Index(names, name); i >= 0 && i < len(record) {
		return strings.TrimSpace(record[i])
	}
	return ""
}

// entry takes what the list calls test, suite and container.
func (l List) entry(at place, value func(key string) string) entry {
	return entry{
		at: at, test: value(cmp.Or(l.Test, "test")),
		suite: value(cmp.Or(l.Suite, "suite")), container: value(cmp.Or(l.Container, "container")),
	}
}

// reader takes entries out of a tree.
type reader struct {
	list     List
	name     string
	entries  []entry
	problems []error
}

// walk goes along a path of keys; words in braces take what they stand for from the
// keys that are there.
func (r *reader) walk(keys []string, n node, known entry) {
	if len(keys) == 0 {
		r.take(n, known)
		return
	}
	for _, m := range n.members {
		next := known
		switch keys[0] {
		case m.key:
		case "{suite}":
			next.suite = m.key
		case "{container}":
			next.container = m.key
		default:
			continue
		}
		r.walk(keys[1:], m.value, next)
	}
}

// take takes one test or a list of them.
func (r *reader) take(n node, known entry) {
	known.at = place{r.name, n.line}
	switch {
	case n.items != nil:
		for _, item := range n.items {
			r.take(item, known)
		}
	case n.members != nil:
		own := r.list.entry(known.at, n.member)
		own.suite, own.container = cmp.Or(own.suite, known.suite), cmp.Or(own.container, known.container)
		if own.test == "" {
			r.problems = append(r.problems, problem(known.at, "this has no %q", cmp.Or(r.list.Test, "test")))
			return
		}
		r.entries = append(r.entries, own)
	case n.text != "":
		known.test = n.text
		r.entries = append(r.entries, known)
	default:
		r.problems = append(r.problems, problem(known.at, "this is no test"))
	}
}
