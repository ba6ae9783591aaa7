package manifest_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/plugin/manifest"
)

const form = `{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/x", "type": "object",
 "properties": {"max": {"type": "integer", "minimum": 1}, "since": {"type": "string"}, "ratio": {"type": "number"},
  "deep": {"type": "object", "properties": {"level": {"$ref": "#/$defs/level"}, "list": {"type": "array", "items": {"type": "string"}}}}},
 "additionalProperties": false, "$defs": {"level": {"enum": ["low", "high"]}}}`

func TestAConfigTableIsHeldAgainstItsSchema(t *testing.T) {
	s, err := manifest.NewSchema([]byte(form))
	if err != nil {
		t.Fatal(err)
	}
	type table = map[string]any
	for name, c := range map[string]struct {
		config table
		keys   string // of the mistake; "" and no message = there is none
		want   string
		hint   string
	}{
		"nothing":          {config: table{}},
		"all of it":        {config: table{"max": int64(1), "since": time.Now(), "ratio": 1.5, "deep": table{"level": "low", "list": []any{"a"}}}},
		"a typing mistake": {table{"maxx": int64(1)}, "maxx", "no such key", "max"},
		"too little":       {table{"max": int64(0)}, "max", "minimum", ""},
		"another type":     {table{"max": "1"}, "max", "integer", ""},
		"deep down":        {table{"deep": table{"level": "medium"}}, "deep level", "enum", ""},
		"in a list":        {table{"deep": table{"list": []any{"a", int64(1)}}}, "deep list", "string", ""},
		"no number":        {table{"ratio": math.Inf(1)}, "", "no number in JSON", ""},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := s.Check(c.config)
			if c.want == "" {
				if len(wrong) != 0 {
					t.Errorf("got %v", wrong)
				}
				return
			}
			if len(wrong) != 1 || strings.Join(wrong[0].Keys, " ") != c.keys || !strings.Contains(wrong[0].Message, c.want) || wrong[0].Hint != c.hint {
				t.Errorf("got %+v, want %+v", wrong, c)
			}
			if len(wrong) == 1 && strings.Contains(wrong[0].Message, "validating") {
				t.Errorf("the message is the validator's: %s", wrong[0].Message)
			}
		})
	}
}

func TestAPluginWithoutASchemaTakesNoConfig(t *testing.T) {
	var none manifest.Schema
	if wrong := none.Check(map[string]any{"a": "b"}); len(wrong) != 1 || !slices.Equal(wrong[0].Keys, []string{"a"}) {
		t.Errorf("got %v", wrong)
	}
	if wrong := none.Check(nil); len(wrong) != 0 {
		t.Errorf("got %v", wrong)
	}
}

// TestASchemaCannotKeepWrBusy has schemas that would end the validator, or never end.
func TestASchemaCannotKeepWrBusy(t *testing.T) {
	doubling := `{"$ref": "#/$defs/d40", "$defs": {"d0": {"type": "object"}`
	for i := range 40 {
		doubling += fmt.Sprintf(`, "d%d": {"allOf": [{"$ref": "#/$defs/d%d"}, {"$ref": "#/$defs/d%[2]d"}]}`, i+1, i)
	}
	doubling += "}}"
	for name, c := range map[string]struct{ form, want string }{
		"itself":                   {`{"allOf": [{"$ref": "#"}]}`, "can refer to"},
		"a circle":                 {`{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}`, "refers to itself"},
		"a circle of nobody":       {`{"$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}}`, "refers to itself"},
		"a dynamic reference":      {`{"$defs": {"a": {"$dynamicAnchor": "x", "$dynamicRef": "#x"}}, "$dynamicRef": "#x"}`, "has a $dynamic"},
		"an anchor":                {`{"properties": {"a": {"$anchor": "x"}}}`, "has a $anchor"},
		"a name inside":            {`{"properties": {"a": {"$id": "https://example.com/", "$ref": "#/$defs/a"}}}`, "has a $id"},
		"a pointer into something": {`{"properties": {"a": {"$ref": "#/properties/a"}}}`, "can refer to"},
		"a missing definition":     {`{"$ref": "#/$defs/x"}`, "can refer to"},
		"2^40 checks":              {doubling, "more than 10000 checks"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := manifest.NewSchema([]byte(c.form)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestAConfigTableIsJSONForThePlugin(t *testing.T) {
	got, err := manifest.JSON(map[string]any{"b": []any{int64(9007199254740993), 0.5}, "a": map[string]any{"x": true}})
	if want := `{"a":{"x":true},"b":[9007199254740993,0.5]}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
