package config

import (
	"reflect"
	"slices"
	"strings"
)

// label words a dotted key as people read it in the file: "[test] paths".
func (d *decoder) label(at string) string {
	table, key, nested := strings.Cut(at, ".")
	if !nested && !d.isTable(table) {
		return table
	}
	if !nested {
		return "[" + table + "]"
	}
	return "[" + table + "] " + key
}

// isTable reports whether a key at the top of the file stands for a table, or may.
func (d *decoder) isTable(key string) bool {
	if d.root.Kind() != reflect.Struct {
		return true
	}
	field, known := fields(d.root)[key]
	return !known || !slices.Contains([]reflect.Kind{reflect.String, reflect.Slice, reflect.Bool}, field.Type.Kind())
}

// describe words the type that a value should have.
func describe(t reflect.Type) string {
	var words []string
	for _, form := range forms(t) {
		words = append(words, describeForm(form))
	}
	last := len(words) - 1
	if last < 2 {
		return strings.Join(words, " or ")
	}
	return strings.Join(words[:last], ", ") + ", or " + words[last]
}

func describeForm(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Int64:
		return "a list of whole numbers"
	case t.Kind() == reflect.Slice && !isText(t.Elem()):
		return "a list of tables"
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		return "a whole number"
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() == reflect.Slice:
		return "a list of strings"
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.String:
		return "a table of strings"
	case t.Kind() == reflect.Map:
		return "a table of tables"
	default:
		return "a table"
	}
}

// describeValue words the type that a value has.
func describeValue(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case bool:
		return "true or false"
	case int64, float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	default:
		return "a date or time"
	}
}
