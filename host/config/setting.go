package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Setting is one value and where it comes from.
type Setting struct {
	Key   string `json:"key"`            // dotted, as in the file
	Value any    `json:"value"`          // of plain types
	File  string `json:"file,omitempty"` // "" = wr's default
	Line  int    `json:"line,omitempty"`
}

// Settings lists what f says and its defaults, by key; name is f's own.
func (f *File) Settings(name string) []Setting {
	return settings(reflect.ValueOf(f).Elem(), name, f.lines)
}

// settings lists what the tables of a file hold.
func settings(file reflect.Value, name string, lines map[string]int) []Setting {
	s := lister{file: name, lines: lines}
	s.table("", file)
	return s.found
}

// lister walks the tables of one file.
type lister struct {
	file  string
	lines map[string]int
	found []Setting
}

// table lists a struct of a file, or a table with free keys.
func (l *lister) table(at string, v reflect.Value) {
	if v.Kind() == reflect.Map {
		for _, key := range slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
			l.value(join(at, key.String()), v.MapIndex(key))
		}
		return
	}
	keys := fields(v.Type())
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		l.value(join(at, key), v.FieldByIndex(keys[key].Index))
	}
}

// value lists one value, or what is in a table.
func (l *lister) value(at string, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch {
	case !v.IsValid():
	case !isWritten(v.Type()) && (v.Kind() == reflect.Struct || v.Kind() == reflect.Map):
		l.table(at, v)
	case l.lines[at] > 0:
		l.found = append(l.found, Setting{at, plain(v), l.file, l.lines[at]})
	case !v.IsZero() && v.Kind() != reflect.Bool:
		l.found = append(l.found, Setting{Key: at, Value: plain(v)})
	}
}

// plain is a value without wr's own types, as the file has it.
func plain(v reflect.Value) any {
	if isWritten(v.Type()) {
		addressable := reflect.New(v.Type())
		addressable.Elem().Set(v)
		return addressable.Interface().(written).plain()
	}
	switch v.Kind() {
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i))
		}
		return list
	case reflect.Struct:
		table := map[string]any{}
		for key, field := range fields(v.Type()) {
			if inner := v.FieldByIndex(field.Index); !inner.IsZero() {
				table[key] = plain(inner)
			}
		}
		return table
	case reflect.String:
		return v.String()
	default:
		return v.Interface()
	}
}
