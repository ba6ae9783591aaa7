package check_test

import (
	"reflect"
	"testing"

	"github.com/wr-build/wr/plugins/dockerfile/check"
	"github.com/wr-build/wr/sdk/go/abi"
)

// lines is a range of whole lines; end is the column behind the last.
func lines(first, last, end int) abi.Range {
	return abi.Range{Start: abi.Position{Line: first, Column: 1}, End: abi.Position{Line: last, Column: end}}
}

func TestFindingsHaveTheirPlaceRuleAndSeverity(t *testing.T) {
	const jsonURL = "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/"
	shellForm := abi.Diagnostic{
		File: "a/Dockerfile", Range: lines(2, 3, 6), Severity: abi.SeverityWarning, Rule: "JSONArgsRecommended",
		Message: "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals", URL: jsonURL,
	}
	asError := shellForm
	asError.Severity = abi.SeverityError
	asErrorBelow := asError
	asErrorBelow.Range = lines(3, 4, 6)
	description := abi.Diagnostic{
		File: "a/Dockerfile", Range: lines(2, 2, 19), Severity: abi.SeverityWarning, Rule: "InvalidDefinitionDescription",
		Message: "Comment for FROM should follow the format: `# bin <description>`",
		URL:     "https://docs.docker.com/go/dockerfile/rule/invalid-definition-description/",
	}
	const src = "FROM debian\nCMD a \\\n    b\n"
	tests := map[string]struct {
		src    string
		config check.Config
		want   []abi.Diagnostic
	}{
		"a rule":                {src, check.Config{}, []abi.Diagnostic{shellForm}},
		"windows lines":         {"FROM debian\r\nCMD a \\\r\n    b\r\n", check.Config{}, []abi.Diagnostic{shellForm}},
		"no newline at the end": {"FROM debian\nCMD a \\\n    b", check.Config{}, []abi.Diagnostic{shellForm}},
		"skipped":               {src, check.Config{Skip: []string{"StageNameCasing", "JSONArgsRecommended"}}, nil},
		"all skipped":           {src, check.Config{Skip: []string{"all"}}, nil},
		"an error":              {src, check.Config{Error: true}, []abi.Diagnostic{asError}},
		"an error by directive": {"# check=error=true\n" + src, check.Config{}, []abi.Diagnostic{asErrorBelow}},
		"config and directive":  {"# check=skip=StageNameCasing\nFROM debian AS Bin\nCMD a\n", check.Config{Skip: []string{"JSONArgsRecommended"}}, nil},
		"an experimental rule":  {"# what it is\nFROM debian AS bin\n", check.Config{Experimental: []string{"all"}}, []abi.Diagnostic{description}},
		"a directive that is none": {"# check=skipp=all\nFROM debian\n", check.Config{}, []abi.Diagnostic{{
			File: "a/Dockerfile", Range: lines(1, 1, 18), Severity: abi.SeverityError, Rule: "CheckDirective",
			Message: `invalid check option "skipp"`,
		}}},
		"what is not built": {"FROM debian\nRUNN true\n", check.Config{Skip: []string{"all"}}, []abi.Diagnostic{{
			File: "a/Dockerfile", Range: lines(2, 2, 10), Severity: abi.SeverityError, Rule: "ParseError",
			Message: "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
		}}},
		"an empty file": {"", check.Config{}, []abi.Diagnostic{{
			File: "a/Dockerfile", Severity: abi.SeverityError, Rule: "ParseError", Message: "file with no instructions",
		}}},
		"BuildKit's own frontend": {"# syntax=docker/dockerfile:1.7\nFROM debian\nCMD [\"x\"]\n", check.Config{}, nil},
		"another frontend": {"# syntax=acme/pack:1\nno Dockerfile\n", check.Config{}, []abi.Diagnostic{{
			File: "a/Dockerfile", Range: lines(1, 1, 21), Severity: abi.SeverityInfo, Rule: "Frontend",
			Message: "not checked: this file is for the frontend acme/pack:1",
		}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := check.File("a/Dockerfile", []byte(tt.src), tt.config); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestAConfigThatCannotBeMeantIsRefused(t *testing.T) {
	for rule, valid := range map[string]bool{"all": true, "StageNameCasing": true, "": false, "A,B": false, "skip=all": false} {
		for _, config := range []check.Config{{Skip: []string{rule}}, {Experimental: []string{rule}}} {
			if err := config.Valid(); (err == nil) != valid {
				t.Errorf("%+v: got %v", config, err)
			}
		}
	}
}

func FuzzFile(f *testing.F) {
	for _, src := range written {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, d := range check.File("Dockerfile", []byte(src), check.Config{}) {
			if d.Rule == "" || d.Message == "" || d.Severity == "" || d.Range.End.Line < d.Range.Start.Line {
				t.Errorf("%q: %+v", src, d)
			}
		}
	})
}
