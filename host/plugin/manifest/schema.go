package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// maxChecks is how many schemas one value is held against at most.
const maxChecks = 10_000

// Schema says what the config table of a plugin can hold. The zero Schema allows
// nothing.
type Schema struct {
	form     jsonschema.Schema
	resolved *jsonschema.Resolved
}

// NewSchema compiles a JSON schema. References lead to its own $defs only, and
// never in a circle: the validator would follow that until wr is out of memory.
func NewSchema(data []byte) (*Schema, error) {
	tree, err := readTree(data)
	if err != nil {
		return nil, fmt.Errorf("the schema cannot be read: %w", err)
	}
	delete(tree, "$id") // of the whole, which changes nothing
	if n, err := (refs{tree, map[string]int{}}).checks(tree); err != nil {
		return nil, err
	} else if n > maxChecks {
		return nil, fmt.Errorf("the schema comes to more than %d checks", maxChecks)
	}
	s := &Schema{}
	if err := json.Unmarshal(data, &s.form); err != nil {
		return nil, fmt.Errorf("the schema cannot be read: %w", err)
	}
	if s.form.Type != "" && s.form.Type != "object" {
		return nil, fmt.Errorf("the schema is one of %q, and a config table is an object", s.form.Type)
	}
	s.resolved, err = s.form.Resolve(nil)
	return s, err
}

// Mistake is what is wrong with a config table.
type Mistake struct {
	Keys    []string // of the value, from the table on; none = of the table itself
	Message string
	Hint    string // what may have been meant
}

// Check returns the first mistakes of a config table, or none.
func (s *Schema) Check(table map[string]any) []Mistake {
	if wrong := s.unknown(table); len(wrong) > 0 || s.resolved == nil {
		return wrong
	}
	value, err := plain(table)
	if err == nil {
		err = s.resolved.Validate(value)
	}
	if err == nil {
		return nil
	}
	return []Mistake{locate(err)}
}

// unknown finds keys that the schema does not know, where it knows all.
func (s *Schema) unknown(table map[string]any) []Mistake {
	if s.resolved != nil && (s.form.AdditionalProperties == nil || s.form.AdditionalProperties.Not == nil || len(s.form.PatternProperties) > 0) {
		return nil
	}
	var wrong []Mistake
	known := slices.Sorted(maps.Keys(s.form.Properties))
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if !slices.Contains(known, key) {
			wrong = append(wrong, Mistake{[]string{key}, "the plugin knows no such key", fault.Closest(key, known)})
		}
	}
	return wrong
}

// place is where the validator says it was, in the schema.
var place = regexp.MustCompile(`validating (\S+): `)

// locate takes the words of the validator apart: it says which part of the schema
// was not met, from which the keys of the value follow.
func locate(err error) Mistake {
	text := err.Error()
	m := Mistake{Message: text}
	if i := strings.LastIndex(text, "validating "); i >= 0 {
		if _, message, found := strings.Cut(text[i:], ": "); found {
			m.Message = message
		}
	}
	for _, at := range slices.Backward(place.FindAllStringSubmatch(text, -1)) {
		parts := strings.Split(at[1], "/")
		for i := 1; i+1 < len(parts) && parts[i] == "properties"; i += 2 {
			m.Keys = append(m.Keys, strings.NewReplacer("~1", "/", "~0", "~").Replace(parts[i+1]))
		}
		if len(m.Keys) > 0 { // and not in a definition that is referred to
			break
		}
	}
	return m
}

// plain is a value of TOML as JSON has it: dates are texts.
func plain(value any) (any, error) {
	switch v := value.(type) {
	case map[string]any:
		table := map[string]any{}
		for key, inner := range v {
			one, err := plain(inner)
			if err != nil {
				return nil, err
			}
			table[key] = one
		}
		return table, nil
	case []any:
		list := make([]any, len(v))
		for i, inner := range v {
			one, err := plain(inner)
			if err != nil {
				return nil, err
			}
			list[i] = one
		}
		return list, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%v is no number in JSON", v)
		}
		return v, nil
	case string, bool, int64:
		return v, nil
	default:
		return fmt.Sprint(v), nil
	}
}

// JSON is a config table as plugins get it.
func JSON(table map[string]any) (json.RawMessage, error) {
	value, err := plain(table)
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// refs follows the references of a schema.
type refs struct {
	root map[string]any
	done map[string]int // checks of what a reference leads to; 0 = on the way
}

// checks counts the schemas that a value is held against.
func (r refs) checks(value any) (int, error) {
	n := 1
	for _, inner := range children(value) {
		more, err := r.checks(inner)
		if err != nil {
			return 0, err
		}
		n = min(n+more, maxChecks+1)
	}
	table, _ := value.(map[string]any)
	for _, key := range []string{"$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor"} {
		if _, ok := table[key].(string); ok {
			return 0, fmt.Errorf("the schema has a %s; refer to #/$defs/NAME", key)
		}
	}
	ref, ok := table["$ref"].(string)
	if !ok {
		return n, nil
	}
	more, err := r.follow(ref)
	return min(n+more, maxChecks+1), err
}

// follow counts what a reference leads to.
func (r refs) follow(ref string) (int, error) {
	if n, known := r.done[ref]; known && n == 0 {
		return 0, errors.New("the schema refers to itself: " + ref)
	} else if known {
		return n, nil
	}
	table, name, _ := strings.Cut(strings.TrimPrefix(ref, "#/"), "/")
	all, _ := r.root[table].(map[string]any)
	target, there := all[name]
	if table != "$defs" && table != "definitions" || !there || strings.ContainsAny(name, "/~%") {
		return 0, fmt.Errorf("the schema refers to %s; it can refer to #/$defs/NAME of its own", ref)
	}
	r.done[ref] = 0
	n, err := r.checks(target)
	r.done[ref] = n
	return n, err
}

// children are the values in a value.
func children(value any) []any {
	switch v := value.(type) {
	case map[string]any:
		return slices.Collect(maps.Values(v))
	case []any:
		return v
	}
	return nil
}
