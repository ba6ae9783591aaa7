// Package conform says whether a plugin keeps to wr/1, and shows it how: it talks
// to a plugin as wr does, and as a newer wr or a broken one might, and holds every
// message that it writes against the protocol's JSON schema. Nothing here knows
// what runs the plugin.
package conform

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Schema is the JSON schema of the protocol. Its $defs are the messages, the
// params and results of all methods, and the manifest, by the names of sdk/go/abi.
//
//go:embed wr1.schema.json
var Schema []byte

// method is the shape of what one method carries; names are those of Schema.
type method struct {
	params string
	result string // "" = a notification
}

// asked are the methods of a plugin.
var asked = map[string]method{
	abi.MethodInitialize: {"Initialize", "Initialized"},
	abi.MethodLint:       {"LintParams", "LintResult"},
	abi.MethodFormat:     {"LintParams", "FormatResult"},
	abi.MethodDiscover:   {"DiscoverParams", "DiscoverResult"},
	abi.MethodTask:       {"TaskParams", "TaskResult"},
	abi.MethodRelease:    {"ReleaseParams", "ReleaseResult"},
	abi.MethodImage:      {"ImageParams", "ImageResult"},
	abi.MethodCheck:      {"CheckParams", "CheckResult"},
	abi.MethodShutdown:   {"Empty", "Empty"},
	abi.NoteEvent:        {"Event", ""},
	abi.NoteCancel:       {"Cancel", ""},
}

// asking are the methods of the host.
var asking = map[string]method{
	abi.MethodExec:     {"ExecParams", "ExecResult"},
	abi.MethodHTTP:     {"HTTPParams", "HTTPResult"},
	abi.MethodSecret:   {"SecretParams", "SecretResult"},
	abi.MethodGit:      {"Empty", "GitResult"},
	abi.MethodCacheGet: {"CacheParams", "CacheResult"},
	abi.MethodCachePut: {"CacheParams", "Empty"},
	abi.MethodHash:     {"HashParams", "HashResult"},
	abi.NoteLog:        {"Log", ""},
	abi.NoteProgress:   {"Progress", ""},
}

// schemas are the compiled ones, by name.
type schemas map[string]*jsonschema.Schema

// compile compiles those of all messages.
func compile() (schemas, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		return nil, fmt.Errorf("read the protocol's schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("wr1", document); err != nil {
		return nil, fmt.Errorf("read the protocol's schema: %w", err)
	}
	all := schemas{}
	for _, methods := range []map[string]method{asked, asking, {"": {"Message", "Manifest"}}} {
		for _, m := range methods {
			for _, name := range []string{m.params, m.result} {
				if name == "" {
					continue
				}
				if all[name], err = compiler.Compile("wr1#/$defs/" + name); err != nil {
					return nil, fmt.Errorf("compile the schema of %s: %w", name, err)
				}
			}
		}
	}
	return all, nil
}

// judge says what is wrong with raw as the thing of that name.
func (s schemas) judge(name string, raw json.RawMessage) error {
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return s[name].Validate(value)
}
