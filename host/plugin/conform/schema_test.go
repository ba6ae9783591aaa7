package conform_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"

	"github.com/wr-build/wr/host/plugin/conform"
	"github.com/wr-build/wr/sdk/go/abi"
)

var update = flag.Bool("update", false, "write the schema anew")

// said are all things that are sent, and what is told about plugins.
var said = []any{
	abi.Message{},
	abi.Manifest{},
	abi.Denied{},
	abi.Empty{},
	abi.Initialize{},
	abi.Initialized{},
	abi.LintParams{},
	abi.LintResult{},
	abi.FormatResult{},
	abi.DiscoverParams{},
	abi.DiscoverResult{},
	abi.TaskParams{},
	abi.TaskResult{},
	abi.ReleaseParams{},
	abi.ReleaseResult{},
	abi.ImageParams{},
	abi.ImageResult{},
	abi.CheckParams{},
	abi.CheckResult{},
	abi.Event{},
	abi.Cancel{},
	abi.ExecParams{},
	abi.ExecResult{},
	abi.HTTPParams{},
	abi.HTTPResult{},
	abi.SecretParams{},
	abi.SecretResult{},
	abi.GitResult{},
	abi.CacheParams{},
	abi.CacheResult{},
	abi.HashParams{},
	abi.HashResult{},
	abi.Log{},
	abi.Progress{},
}

// words are the values of types that have a closed list of them.
var words = map[string][]any{
	"Kind":     {abi.KindRPC, abi.KindTool},
	"FlagType": {abi.FlagString, abi.FlagBool, abi.FlagInt, abi.FlagList},
	"Severity": {abi.SeverityError, abi.SeverityWarning, abi.SeverityInfo},
}

func TestTheSchemaIsThatOfTheTypes(t *testing.T) {
	want := generate(t)
	if *update {
		if err := os.WriteFile("wr1.schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(conform.Schema, want) {
		t.Error("wr1.schema.json is not what the types of sdk/go/abi say; run go test -update here")
	}
}

// generate makes the schema from the types and their comments.
func generate(t *testing.T) []byte {
	t.Helper()
	r := &jsonschema.Reflector{AllowAdditionalProperties: true, Mapper: enumeration}
	if err := r.AddGoComments("github.com/wr-build/wr/sdk/go/abi", "../../../sdk/go/abi"); err != nil {
		t.Fatal(err)
	}
	definitions := jsonschema.Definitions{}
	for _, thing := range said {
		maps.Copy(definitions, r.Reflect(thing).Definitions)
	}
	text, err := json.MarshalIndent(&jsonschema.Schema{
		Version:     jsonschema.Version,
		Title:       abi.Version,
		Description: "The protocol between wr and its plugins: docs/plugins/abi.md. A line on either side is a Message.",
		Ref:         "#/$defs/Message",
		Definitions: definitions,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// enumeration is the schema of a type with a closed list of values.
func enumeration(t reflect.Type) *jsonschema.Schema {
	values, closed := words[t.Name()]
	if !closed || !strings.HasSuffix(t.PkgPath(), "sdk/go/abi") {
		return nil
	}
	return &jsonschema.Schema{Type: "string", Enum: values}
}
