package config

import (
	"fmt"
	"sort"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"
)

// bareKey matches keys that TOML writes without quotes.
var bareKey = shape(`^[A-Za-z0-9_-]+$`)

// join appends key to the dotted key at, as TOML would write it.
func join(at, key string) string {
	if !bareKey().MatchString(key) {
		key = strconv.Quote(key)
	}
	if at == "" {
		return key
	}
	return at + "." + key
}

// Key is the dotted key of what the parts lead to, as [File.Line] takes it.
func Key(parts ...string) string {
	at := ""
	for _, part := range parts {
		at = join(at, part)
	}
	return at
}

// element is the dotted key of an element of the list at.
func element(at string, i int) string { return fmt.Sprintf("%s[%d]", at, i) }

// lines maps every key, table and list element of data, which must be valid
// TOML, to its 1-based line.
func lines(data []byte) map[string]int {
	s := &scanner{found: map[string]int{}, counts: map[string]int{}}
	for i, c := range data {
		if c == '\n' {
			s.ends = append(s.ends, i)
		}
	}
	s.Reset(data)
	for table := ""; s.NextExpression(); {
		e := s.Expression()
		switch e.Kind {
		case unstable.Table:
			table = s.key("", e.Key())
		case unstable.ArrayTable:
			table = s.next(e.Key())
		case unstable.KeyValue:
			s.keyValue(table, e)
		}
	}
	return s.found
}

// scanner collects positions from go-toml's syntax tree.
type scanner struct {
	unstable.Parser
	ends   []int // offsets of line ends
	found  map[string]int
	counts map[string]int // elements so far of each list of tables
}

// key records each part of a possibly dotted key below at and returns the whole.
func (s *scanner) key(at string, parts unstable.Iterator) string {
	for parts.Next() {
		at = join(at, string(parts.Node().Data))
		s.record(at, parts.Node())
	}
	return at
}

// next records the header of one more element of a list of tables and returns
// its key.
func (s *scanner) next(parts unstable.Iterator) string {
	at := ""
	var last *unstable.Node
	for parts.Next() {
		last = parts.Node()
		at = join(at, string(last.Data))
		s.record(at, last)
	}
	at, s.counts[at] = element(at, s.counts[at]), s.counts[at]+1
	s.record(at, last)
	return at
}

// keyValue records a key and everything in its value.
func (s *scanner) keyValue(at string, node *unstable.Node) {
	s.value(s.key(at, node.Key()), node.Value())
}

// value records the parts of a list or an inline table.
func (s *scanner) value(at string, node *unstable.Node) {
	index := 0
	for parts := node.Children(); parts.Next(); {
		part := parts.Node()
		switch {
		case part.Kind == unstable.Comment:
		case node.Kind == unstable.InlineTable:
			s.keyValue(at, part)
		case node.Kind == unstable.Array:
			s.record(element(at, index), part)
			s.value(element(at, index), part)
			index++
		}
	}
}

// record notes where at is written first. Nodes without a position of their
// own (lists in lists) get none.
func (s *scanner) record(at string, node *unstable.Node) {
	if _, ok := s.found[at]; ok || node.Raw.Length == 0 {
		return
	}
	s.found[at] = sort.SearchInts(s.ends, int(node.Raw.Offset)) + 1
}
