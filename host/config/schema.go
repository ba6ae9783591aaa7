package config

import (
	"encoding/json"
	"reflect"
	"strings"
)

// Schema returns a JSON schema of wr.toml, for editors.
func Schema() ([]byte, error) {
	return schemaDocument(reflect.TypeFor[File](), Name)
}

// schemaDocument describes the file called name that fills t.
func schemaDocument(t reflect.Type, name string) ([]byte, error) {
	schema := schemaOf(t)
	schema["$schema"] = "http://json-schema.org/draft-07/schema#"
	schema["title"] = name
	return json.MarshalIndent(schema, "", "  ")
}

// schemaOf describes one type of the File.
func schemaOf(t reflect.Type) map[string]any {
	var all []any
	for _, form := range forms(t) {
		all = append(all, schemaOfForm(form))
	}
	if len(all) == 1 {
		return all[0].(map[string]any)
	}
	return map[string]any{"anyOf": all}
}

func schemaOfForm(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Interface:
		return map[string]any{}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Pointer:
		return schemaOf(t.Elem())
	default:
		properties := map[string]any{}
		for key, field := range fields(t) {
			properties[key] = schemaOfField(field)
		}
		return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	}
}

// schemaOfField adds what a field's tags say to the schema of its type.
func schemaOfField(field reflect.StructField) map[string]any {
	schema := schemaOf(field.Type)
	if doc := field.Tag.Get("doc"); doc != "" {
		schema["description"] = doc
	}
	if enum := field.Tag.Get("enum"); enum != "" {
		schema["enum"] = strings.Split(enum, ",")
	}
	if value := field.Tag.Get("default"); value != "" && field.Type.Kind() == reflect.Slice {
		schema["default"] = []string{value}
	} else if value != "" {
		schema["default"] = value
	}
	return schema
}
