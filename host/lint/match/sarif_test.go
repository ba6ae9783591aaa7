package match_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/lint/match"
	"github.com/wr-build/wr/sdk/go/abi"
)

// sarif is a document with one run.
func sarif(run string) string {
	return fmt.Sprintf(`{"version": "2.1.0", "runs": [{%s}]}`, run)
}

// result is a document with one result of the rule E1 in p/a.py.
func result(more string) string {
	return sarif(`"tool": {"driver": {"rules": [{"id": "E1", "helpUri": "https://example.com/E1", "defaultConfiguration": {"level": "error"}, "messageStrings": {"m": {"text": "{0} is {1}"}}}]}},
"columnKind": "unicodeCodePoints", "originalUriBaseIds": {"SRC": {"uri": "file:///app/p/", "uriBaseId": "TOP"}, "TOP": {"uri": "file:///app/"}},
"artifacts": [{"location": {"uri": "a.py", "uriBaseId": "SRC"}}],
"results": [{` + more + `}]`)
}

const here = `"locations": [{"physicalLocation": {"artifactLocation": {"uri": "file:///app/p/a.py"}, "region": {"startLine": 1, "startColumn": 7, "endColumn": 8}}}]`

func TestAResultOfSARIFIsRead(t *testing.T) {
	f := files{"p/a.py": "x = 'é' # y\n"}
	whole := abi.Diagnostic{
		File: "p/a.py", Range: abi.Range{Start: abi.Position{Line: 1, Column: 7}, End: abi.Position{Line: 1, Column: 9}},
		Severity: "error", Rule: "E1", Message: "odd", URL: "https://example.com/E1",
	}
	whole.Range.Start.Column = 8 // é has two bytes
	for name, tt := range map[string]struct {
		result string
		want   func(*abi.Diagnostic)
	}{
		"by the rule's level":    {`"ruleId": "E1", "message": {"text": "odd"}, ` + here, func(*abi.Diagnostic) {}},
		"by the rule's index":    {`"ruleIndex": 0, "message": {"text": "odd"}, ` + here, func(*abi.Diagnostic) {}},
		"with a level":           {`"ruleId": "E1", "level": "note", "message": {"text": "odd"}, ` + here, func(d *abi.Diagnostic) { d.Severity = "info" }},
		"with the rule's words":  {`"ruleId": "E1", "message": {"id": "m", "arguments": ["x", "odd"]}, ` + here, func(d *abi.Diagnostic) { d.Message = "x is odd" }},
		"of a rule nobody knows": {`"ruleId": "E2", "message": {"text": "odd"}, ` + here, func(d *abi.Diagnostic) { d.Severity, d.Rule, d.URL = "warning", "E2", "" }},
		"in an artifact by its number": {
			`"ruleId": "E1", "message": {"text": "odd"}, "locations": [{"physicalLocation": {"artifactLocation": {"index": 0}}}]`,
			func(d *abi.Diagnostic) { d.Range = abi.Range{} },
		},
		"in no file": {`"ruleId": "E1", "message": {"text": "odd"}`, func(d *abi.Diagnostic) { d.File, d.Range = "", abi.Range{} }},
		"elsewhere": {
			`"ruleId": "E1", "message": {"text": "odd"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "file:///usr/lib/x.py"}}}]`,
			func(d *abi.Diagnostic) { d.File, d.Range, d.Message = "", abi.Range{}, "/usr/lib/x.py: odd" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := whole
			tt.want(&want)
			if diff := cmp.Diff(want, f.one(t, abi.Matcher{Format: match.SARIF}, result(tt.result))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatSARIFSaysIsNotToBeToldIsNot(t *testing.T) {
	for name, more := range map[string]string{
		"suppressed": `"suppressions": [{"kind": "inSource"}]`, "passed": `"kind": "pass"`, "without a level": `"level": "none"`, "gone": `"baselineState": "absent"`,
	} {
		if all, err := (files{}).read(t, abi.Matcher{Format: match.SARIF}, 0, result(`"ruleId": "E1", "message": {"text": "odd"}, `+more)); err != nil || len(all) > 0 {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
	if all, err := (files{}).read(t, abi.Matcher{Format: match.SARIF}, 0, result(`"ruleId": "E1", "suppressions": [{"kind": "external", "status": "rejected"}]`)); err != nil || len(all) != 1 {
		t.Errorf("rejected suppression: %+v, %v", all, err)
	}
}

func TestFixesOfSARIFAreSafeOnlyIfItIsSaid(t *testing.T) {
	f := files{"p/a.py": "😀 = 'é'\nlast"}
	fix := func(region, properties string) string {
		return result(`"ruleId": "E1", "message": {"text": "odd"}, ` + here + `, "fixes": [{` + properties + `"description": {"text": "mend"}, "artifactChanges": [
{"artifactLocation": {"uri": "/app/p/a.py"}, "replacements": [{"deletedRegion": {` + region + `}, "insertedContent": {"text": "new"}}]}]}]`)
	}
	for name, tt := range map[string]struct {
		region, properties string
		safe               bool
		start, end         int64
	}{
		"nothing said":        {`"startLine": 1, "startColumn": 1, "endColumn": 2`, "", false, 0, 4},
		"said":                {`"startLine": 1, "startColumn": 1, "endColumn": 2`, `"properties": {"applicability": "safe"}, `, true, 0, 4},
		"said otherwise":      {`"startLine": 1, "startColumn": 6, "endColumn": 7`, `"properties": {"safe": true}, `, true, 8, 10},
		"said to be unsafe":   {`"startLine": 1, "startColumn": 6, "endColumn": 7`, `"properties": {"applicability": "unsafe"}, `, false, 8, 10},
		"a line":              {`"startLine": 1`, "", false, 0, 11},
		"with its end":        {`"startLine": 1, "startColumn": 1, "endLine": 2, "endColumn": 1`, "", false, 0, 12},
		"behind the last one": {`"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 1`, "", false, 16, 16},
		"bytes":               {`"byteOffset": 4, "byteLength": 3`, "", false, 4, 7},
	} {
		t.Run(name, func(t *testing.T) {
			d := f.one(t, abi.Matcher{Format: match.SARIF}, fix(tt.region, tt.properties))
			want := []abi.Fix{{Title: "mend", Safe: tt.safe, Edits: []abi.Edit{{File: "p/a.py", Start: tt.start, End: tt.end, Text: "new"}}}}
			if diff := cmp.Diff(want, d.Fixes); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, region := range []string{`"startLine": 9`, `"startLine": 2, "endLine": 1, "endColumn": 1`, `"byteOffset": 4, "byteLength": 300`, `"byteOffset": -1`} {
		if d := f.one(t, abi.Matcher{Format: match.SARIF}, fix(region, "")); d.Fixes != nil {
			t.Errorf("%s: got %+v", region, d.Fixes)
		}
	}
}

func TestColumnsInUnitsOfUTF16BecomeBytes(t *testing.T) {
	text := sarif(`"results": [{"ruleId": "E1", "message": {"text": "odd"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 1, "startColumn": 3}}}]}]`)
	if d := (files{"p/a.py": "😀x\n"}).one(t, abi.Matcher{Format: match.SARIF}, text); d.Range.Start != (abi.Position{Line: 1, Column: 5}) {
		t.Errorf("got %+v", d.Range)
	}
}
