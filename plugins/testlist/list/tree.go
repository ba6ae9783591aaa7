package list

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// node is a value of TOML or JSON with its line. A list has items, a table members,
// neither of them nil; of all others text is "" unless they are strings.
type node struct {
	line    int
	text    string
	items   []node
	members []member
}

type member struct {
	key   string
	value node
}

// member is the text of a member.
func (n node) member(key string) string {
	for _, m := range n.members {
		if m.key == key {
			return m.value.text
		}
	}
	return ""
}

// parseJSON reads a JSON document.
func parseJSON(name string, src []byte) (node, error) {
	r := &jsonReader{src: src, tokens: json.NewDecoder(bytes.NewReader(src))}
	root, err := r.value()
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return node{}, problem(place{name, r.line()}, "%v", err)
	}
	return root, nil
}

// end wants nothing more.
func (r *jsonReader) end() error {
	if _, err := r.tokens.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind the document")
	}
	return nil
}

// maxDepth is how deep values may lie in one another.
const maxDepth = 1000

// jsonReader reads values by their tokens, which know where they are.
type jsonReader struct {
	src    []byte
	tokens *json.Decoder
	read   int // bytes of src whose lines are counted
	lines  int
	depth  int
}

// line is that in which the last token ended.
func (r *jsonReader) line() int {
	at := min(int(r.tokens.InputOffset()), len(r.src))
	r.lines += bytes.Count(r.src[r.read:at], []byte("\n"))
	r.read = at
	return r.lines + 1
}

func (r *jsonReader) value() (node, error) {
	token, err := r.tokens.Token()
	if err != nil {
		return node{}, err
	}
	n := node{line: r.line()}
	switch token := token.(type) {
	case string:
		n.text = token
	case json.Delim:
		if r.depth++; r.depth > maxDepth {
			return n, errors.New("values lie too deep in one another")
		}
		if token == '[' {
			n.items, err = r.array()
		} else {
			n.members, err = r.object()
		}
		r.depth--
	}
	return n, err
}

func (r *jsonReader) array() ([]node, error) {
	items := []node{}
	for r.tokens.More() {
		item, err := r.value()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := r.tokens.Token()
	return items, err
}

func (r *jsonReader) object() ([]member, error) {
	members := []member{}
	for r.tokens.More() {
		key, err := r.value()
		if err != nil {
			return nil, err
		}
		value, err := r.value()
		if err != nil {
			return nil, err
		}
		members = append(members, member{key.text, value})
	}
	_, err := r.tokens.Token()
	return members, err
}

// parseTOML reads a TOML document.
func parseTOML(name string, src []byte) (node, error) {
	var valid map[string]any
	if err := toml.Unmarshal(src, &valid); err != nil {
		at := place{name, 1}
		if e, ok := errors.AsType[*toml.DecodeError](err); ok {
			at.line, _ = e.Position()
		}
		return node{}, problem(at, "%v", err)
	}
	r := &tomlReader{}
	r.Reset(src)
	root := node{line: 1, members: []member{}}
	table := &root
	for r.NextExpression() {
		switch e := r.Expression(); e.Kind {
		case unstable.Table:
			table = r.at(&root, e.Key(), false)
		case unstable.ArrayTable:
			table = r.at(&root, e.Key(), true)
		case unstable.KeyValue:
			*r.at(table, e.Key(), false) = r.value(e.Value(), e.Key())
		}
	}
	return root, nil
}

// tomlReader reads values by the syntax, which knows where they are.
type tomlReader struct {
	unstable.Parser
}

// at is the value at a key below a table, made if it is not there; with item it is
// a new table at the end of the list there.
func (r *tomlReader) at(n *node, keys unstable.Iterator, item bool) *node {
	for keys.Next() {
		key := keys.Node()
		if n = last(n); n.members == nil {
			n.members = []member{}
		}
		n = n.child(string(key.Data), r.Shape(key.Raw).Start.Line)
		if item && keys.IsLast() {
			n.items = append(n.items, node{line: r.Shape(key.Raw).Start.Line, members: []member{}})
		}
	}
	return last(n)
}

// last is the table that keys below a list of tables are of.
func last(n *node) *node {
	if len(n.items) > 0 {
		return &n.items[len(n.items)-1]
	}
	return n
}

// child is the member of that key, made if it is not there.
func (n *node) child(key string, line int) *node {
	for i := range n.members {
		if n.members[i].key == key {
			return &n.members[i].value
		}
	}
	n.members = append(n.members, member{key, node{line: line}})
	return &n.members[len(n.members)-1].value
}

// value is that of a key, whose line it has unless it has one of its own.
func (r *tomlReader) value(v *unstable.Node, keys unstable.Iterator) node {
	n := node{}
	if keys.Next() {
		n.line = r.Shape(keys.Node().Raw).Start.Line
	}
	if v.Raw.Length > 0 {
		n.line = r.Shape(v.Raw).Start.Line
	}
	switch v.Kind {
	case unstable.String:
		n.text = string(v.Data)
	case unstable.Array:
		n.items = []node{}
		for it := v.Children(); it.Next(); {
			if it.Node().Kind != unstable.Comment {
				n.items = append(n.items, r.value(it.Node(), unstable.Iterator{}))
			}
		}
	case unstable.InlineTable:
		n.members = []member{}
		for it := v.Children(); it.Next(); {
			pair := it.Node()
			*r.at(&n, pair.Key(), false) = r.value(pair.Value(), pair.Key())
		}
		if len(n.members) > 0 {
			n.line = n.members[0].value.line
		}
	}
	return n
}
