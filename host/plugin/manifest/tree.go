package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep the values of a manifest are nested at most.
const maxDepth = 64

// readTree reads a JSON object as TOML would give it. What JSON's own reader lets
// pass is refused: a name that is given twice, of which two readers could take
// different ones, text that is not UTF-8, and more behind the object.
func readTree(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	r := treeReader{json.NewDecoder(bytes.NewReader(data))}
	r.UseNumber()
	value, err := r.value(0)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	tree, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("it is not an object")
	}
	if _, err := r.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind it")
	}
	return tree, nil
}

type treeReader struct{ *json.Decoder }

func (r treeReader) value(depth int) (any, error) {
	token, err := r.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d", maxDepth)
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return r.object(depth)
		}
		return r.list(depth)
	case json.Number:
		return number(token)
	case nil:
		return nil, errors.New("null is no value; leave the name out")
	default:
		return token, nil
	}
}

func (r treeReader) object(depth int) (any, error) {
	tree := map[string]any{}
	for r.More() {
		token, err := r.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if _, there := tree[name]; there {
			return nil, fmt.Errorf("%q is there twice", name)
		}
		if tree[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := r.Token()
	return tree, err
}

func (r treeReader) list(depth int) (any, error) {
	list := []any{}
	for r.More() {
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := r.Token()
	return list, err
}

// number is a whole one, unless it is written as a fraction.
func number(n json.Number) (any, error) {
	if strings.ContainsAny(n.String(), ".eE") {
		return n.Float64()
	}
	return n.Int64()
}
