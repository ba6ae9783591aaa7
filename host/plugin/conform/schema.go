// Package conform says whether a plugin keeps to wr/1, and shows it how: it talks
// to a plugin as wr does, and as a newer wr or a broken one might, and holds every
// message that it writes against the protocol's JSON schema. Nothing here knows
// what runs the plugin.
package conform

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

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

// schemas are those of Schema, by name, compiled when they are needed.
type schemas map[string]*jsonschema.Resolved

// judge says what is wrong with raw as the thing of that name.
func (s schemas) judge(name string, raw json.RawMessage) error {
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return err
	}
	if s[name] == nil {
		form, err := compile(name)
		if err != nil {
			return err
		}
		s[name] = form
	}
	return s[name].Validate(value)
}

func compile(name string) (*jsonschema.Resolved, error) {
	var form jsonschema.Schema
	if err := json.Unmarshal(Schema, &form); err != nil {
		return nil, fmt.Errorf("read the protocol's schema: %w", err)
	}
	form.Ref = "#/$defs/" + name
	compiled, err := form.Resolve(nil)
	if err != nil {
		return nil, fmt.Errorf("compile the schema of %s: %w", name, err)
	}
	return compiled, nil
}
