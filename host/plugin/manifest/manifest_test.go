package manifest_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

const sidecar = `abi = "wr/1"
name = "shlint"
version = "1.2.0-rc.1"
kind = "tool"
description = "Finds what is wrong in shell scripts."
homepage = "https://example.com/shlint"
license = "MIT"

[provides.lint]
globs = ["**/*.sh"]
[provides.format]
globs = ["**/*.sh"]
whole = true

[[capabilities]]
name = "fs.read"
value = "**/*.sh"
reason = "they are what it lints"
[[capabilities]]
name = "clock"
reason = "dates in headers"

[tool]
args = ["-l", "{files}"]
fix_args = ["-w", "{files}"]
root = "/"
[tool.output]
format = "regex"
pattern = '^(?P<file>[^:]+):(?P<line>\d+): (?P<message>.*)$'
stream = "stderr"
severity = "warning"
clean = [0]
found = [1, 2]
`

const section = `{"abi": "wr/1", "name": "deps", "version": "0.1.0", "kind": "rpc",
 "provides": {"lint": {"globs": ["*.py"]}, "discover": true, "checks": ["before build"], "events": ["*"],
  "tasks": [{"name": "tidy", "help": "Tidies up.", "args": "FILE...", "flags": [
    {"name": "level", "type": "int", "help": "How far.", "default": "3"},
    {"name": "mode", "type": "string", "help": "How.", "choices": ["a", "b"], "default": "b"}]}]},
 "capabilities": [{"name": "git", "reason": "to see what changed"}, {"name": "fs.read", "value": "**", "reason": "all of it"}],
 "config": {"type": "object", "properties": {"max": {"type": "integer"}}, "additionalProperties": false}}`

func taken() manifest.Words {
	return manifest.Words{Commands: []string{"test", "lint"}, Flags: []string{"json", "help"}}
}

func TestASidecarIsRead(t *testing.T) {
	got, err := manifest.ParseSidecar([]byte(sidecar), "shlint.wasm.toml", taken())
	if err != nil {
		t.Fatal(err)
	}
	want := abi.Manifest{
		ABI: "wr/1", Name: "shlint", Version: "1.2.0-rc.1", Kind: abi.KindTool, License: "MIT",
		Description: "Finds what is wrong in shell scripts.", Homepage: "https://example.com/shlint",
		Provides: abi.Provides{Lint: &abi.Files{Globs: []string{"**/*.sh"}}, Format: &abi.Files{Globs: []string{"**/*.sh"}, Whole: true}},
		Capabilities: []abi.Request{
			{Capability: abi.Capability{Name: "fs.read", Value: "**/*.sh"}, Reason: "they are what it lints"},
			{Capability: abi.Capability{Name: "clock"}, Reason: "dates in headers"},
		},
		Tool: &abi.Tool{Args: []string{"-l", "{files}"}, FixArgs: []string{"-w", "{files}"}, Root: "/", Output: abi.Matcher{
			Format: "regex", Pattern: `^(?P<file>[^:]+):(?P<line>\d+): (?P<message>.*)$`, Stream: "stderr", Severity: "warning", Clean: []int{0}, Found: []int{1, 2},
		}},
	}
	if !reflect.DeepEqual(got.Manifest, want) {
		t.Errorf("got %+v\nwant %+v", got.Manifest, want)
	}
}

func TestASectionIsReadAsJSONWouldBe(t *testing.T) {
	got, err := manifest.Parse([]byte(section), "deps.wasm", taken())
	if err != nil {
		t.Fatal(err)
	}
	var want abi.Manifest
	if err := json.Unmarshal([]byte(section), &want); err != nil {
		t.Fatal(err)
	}
	var gotForm, wantForm any
	if json.Unmarshal(got.Config, &gotForm) != nil || json.Unmarshal(want.Config, &wantForm) != nil || !reflect.DeepEqual(gotForm, wantForm) {
		t.Errorf("the schema is %s, want %s", got.Config, want.Config)
	}
	got.Config, want.Config = nil, nil
	if !reflect.DeepEqual(got.Manifest, want) {
		t.Errorf("got %+v\nwant %+v", got.Manifest, want)
	}
	if wrong := got.Schema.Check(map[string]any{"max": int64(3)}); len(wrong) != 0 {
		t.Errorf("its own schema refuses: %v", wrong)
	}
}

func TestTheReasonOfACapabilityIsThatOfTheRequest(t *testing.T) {
	m, err := manifest.Parse([]byte(section), "deps.wasm", taken())
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"git": "to see what changed", "fs.read:**": "all of it", "fs.read:src/*.py": "all of it", "fs.read:.env": "", "cache": ""} {
		if got, asked := m.Reason(abi.ParseCapability(text)); got != want || asked != (want != "") {
			t.Errorf("%s: got %q, %t", text, got, asked)
		}
	}
}

func TestEveryMistakeOfASidecarHasItsLine(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"another protocol":           {`abi = "wr/1"`, `abi = "wr/2"`, `t:1: abi: the plugin is made for "wr/2", and this wr speaks wr/1 [manifest.bad_value]`},
		"an unknown key":             {`kind = "tool"`, "kind = \"tool\"\nlicence = \"MIT\"", "t:5: unknown key licence (did you mean license?) [manifest.unknown_key]"},
		"an unknown key in a table":  {`root = "/"`, `rot = "/"`, "unknown key [tool] rot (did you mean root?)"},
		"a wrong type":               {`clean = [0]`, `clean = ["0"]`, "[tool] output.clean[0]: expected a whole number, got a string [manifest.bad_type]"},
		"no TOML":                    {`abi = "wr/1"`, "abi = ", "[manifest.syntax]"},
		"no name":                    {`name = "shlint"`, "", "name: is missing or empty"},
		"a name in capitals":         {`name = "shlint"`, `name = "SHLint"`, `t:2: name: "SHLint" is not lower-case`},
		"no version":                 {`version = "1.2.0-rc.1"`, `version = "1.2"`, `t:3: version: "1.2" is not a semantic version`},
		"an unknown kind":            {`kind = "tool"`, `kind = "tol"`, `t:4: kind: "tol" is not one of rpc, tool (did you mean tool?)`},
		"a homepage that is none":    {`https://example.com/shlint`, `javascript:x`, `t:6: homepage: "javascript:x" is not the address`},
		"control characters":         {`license = "MIT"`, `license = "\u001b[1A"`, `t:7: license: "\x1b[1A" has characters that do not show`},
		"a long text":                {`"MIT"`, `"` + strings.Repeat("x", 301) + `"`, "t:7: license: has more than 300 bytes"},
		"a glob that leaves":         {"[provides.lint]\nglobs = [\"**/*.sh\"]", "[provides.lint]\nglobs = [\"../*.sh\"]", `t:10: [provides] lint.globs[0]: glob "../*.sh": must not leave`},
		"no globs":                   {"[provides.lint]\nglobs = [\"**/*.sh\"]", "[provides.lint]\nglobs = []", "t:10: [provides] lint.globs: is missing or empty"},
		"an unknown capability":      {`name = "fs.read"`, `name = "fs.raed"`, `t:16: [capabilities[0]] name: there is no capability "fs.raed" (did you mean fs.read?)`},
		"an absolute path":           {`value = "**/*.sh"`, `value = "/etc/*"`, `t:17: [capabilities[0]] value: fs.read: "/etc/*" is not a plain path`},
		"no reason":                  {`reason = "they are what it lints"`, `reason = " "`, "t:18: [capabilities[0]] reason: is missing or empty"},
		"a capability twice":         {`name = "clock"`, "name = \"fs.read\"\nvalue = \"**/*.sh\"", "t:19: [capabilities[1]]: fs.read:**/*.sh is asked for twice"},
		"what a tool cannot use":     {`name = "clock"`, `name = "git"`, "t:20: [capabilities[1]] name: a tool cannot use git"},
		"a tool with tasks":          {"[provides.lint]", "[[provides.tasks]]\nname = \"x\"\nhelp = \"X.\"\n[provides.lint]", "a tool provides lint and format and nothing else"},
		"a tool without a program":   {"kind = \"tool\"", "kind = \"rpc\"", "[tool]: is for kind = \"tool\""},
		"a tool without arguments":   {"args = [\"-l\", \"{files}\"]\nfix_args = [\"-w\", \"{files}\"]", "", "[tool] args: is missing: how is the program called?"},
		"arguments without files":    {`args = ["-l", "{files}"]`, `args = ["-l"]`, "[tool] args: has no {files}, and what it provides is not whole"},
		"files in a word":            {`fix_args = ["-w", "{files}"]`, `fix_args = ["-w={files}"]`, `[tool] fix_args[0]: "-w={files}": {files} has to be a word of its own`},
		"a code for all files":       {"[provides.lint]", "[tool.failure]\nformat = \"exit\"\n[provides.lint]\nwhole = true", "[tool] failure.format: does not say which file"},
		"format without arguments":   {`fix_args = ["-w", "{files}"]`, "", "[tool] fix_args: is missing"},
		"a root elsewhere":           {`root = "/"`, `root = "/etc"`, `[tool] root: "/etc" is not one of /src, /`},
		"an unknown format":          {`format = "regex"`, `format = "regexp"`, `"regexp" is not one of regex, sarif`},
		"a failure that is not read": {"[tool.output]", "[tool.failure]\nformat = \"lines\"\n[tool.output]", `[tool] failure.format: "lines" is not one of regex`},
		"a pattern that is none":     {`(?P<line>`, `(?<line>(`, "[tool] output.pattern: error parsing regexp"},
		"an unknown group":           {`(?P<line>`, `(?P<lines>`, `[tool] output.pattern: "lines" is not one of file, line`},
		"no file in the pattern":     {`(?P<file>`, `(`, "[tool] output.pattern: has no group (?P<file>...)"},
		"no message":                 {`(?P<message>`, `(`, "[tool] output.pattern: has no group (?P<message>...)"},
		"an exit code that is none":  {`found = [1, 2]`, `found = [256]`, "[tool] output.found: an exit code is between 0 and 255"},
		"an exit code in both":       {`found = [1, 2]`, `found = [0]`, "[tool] output.found: 0 is in clean as well"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(sidecar, c.from, c.to, 1)
			if text == sidecar {
				t.Fatalf("%q is not in the manifest", c.from)
			}
			_, err := manifest.ParseSidecar([]byte(text), "t", taken())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if f := fault.Of(err); f.Class != fault.Usage || !strings.HasPrefix(f.Code, "manifest.") {
				t.Errorf("the fault is %+v", f)
			}
		})
	}
}

func TestEveryMistakeOfASectionIsFound(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"a name twice":            {`"kind": "rpc"`, `"kind": "rpc", "name": "other"`, `"name" is there twice`},
		"a name in capitals":      {`"name": "deps"`, `"Name": "deps"`, "unknown key Name (did you mean name?)"},
		"no object":               {section, `[]`, "it is not an object"},
		"more behind it":          {section, section + "{}", "there is more behind it"},
		"half of it":              {section, section[:len(section)-1], "unexpected EOF"},
		"null":                    {`"0.1.0"`, `null`, "null is no value"},
		"no UTF-8":                {`"0.1.0"`, "\"\xff\"", "it is not UTF-8"},
		"deep nesting":            {`"type": "object"`, `"x": ` + strings.Repeat("[", 70) + strings.Repeat("]", 70), "nested deeper than 64"},
		"nothing provided":        {section, `{"abi": "wr/1", "name": "a", "version": "1.0.0", "kind": "rpc", "provides": {}}`, "[provides]: is empty"},
		"a command of wr":         {`"tidy"`, `"test"`, "wr test is a command of wr's own"},
		"a flag of wr":            {`"level"`, `"json"`, "--json is taken"},
		"a flag twice":            {`"level"`, `"mode"`, "--mode is taken"},
		"an unknown type":         {`"type": "int"`, `"type": "integer"`, `"integer" is not one of string, bool, int, list`},
		"a default that is none":  {`"default": "3"`, `"default": "x"`, `"x" is not a whole number`},
		"a default out of choice": {`"default": "b"`, `"default": "c"`, `"c" is not one of a, b`},
		"a hook that is none":     {`"before build"`, `"before lunch"`, `"before lunch" is not before or after`},
		"no protocol":             {`"abi": "wr/1", `, ``, "abi: is missing"},
		"a schema that is none":   {`"type": "integer"`, `"pattern": "["`, "[config]: "},
		"a schema of a list":      {`"config": {"type": "object"`, `"config": {"type": "array"`, `and a config table is an object`},
		"a schema of elsewhere":   {`{"type": "integer"}`, `{"$ref": "file:///etc/passwd"}`, "it can refer to #/$defs/NAME"},
		"a schema in a circle":    {`{"type": "integer"}`, `{"$ref": "#"}`, "it can refer to #/$defs/NAME"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(section, c.from, c.to, 1)
			if text == section {
				t.Fatalf("%q is not in the manifest", c.from)
			}
			_, err := manifest.Parse([]byte(text), "t", taken())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	if _, err := manifest.Parse(make([]byte, manifest.MaxSize+1), "t", taken()); !fault.HasCode(err, "manifest.too_long") {
		t.Errorf("a manifest without end: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(section))
	f.Add([]byte(`{"abi":"wr/1","config":{"$defs":{"a":{"$ref":"#/$defs/a"}}}}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if m, err := manifest.Parse(data, "t", taken()); err == nil {
			m.Schema.Check(map[string]any{"max": "x", "deep": map[string]any{"a": []any{int64(1)}}})
		}
	})
}

func FuzzParseSidecar(f *testing.F) {
	f.Add([]byte(sidecar))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = manifest.ParseSidecar(data, "t", taken()) })
}
