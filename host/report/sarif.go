package report

import (
	"cmp"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Lines is the text of a line of a file, counted from 1; false: it is not known.
type Lines func(file string, line int) (text string, ok bool)

// SARIF writes l as one document of SARIF 2.1.0, with a run for each linter. Files are
// given below %SRCROOT%, which is prefix below the root of the repository.
func SARIF(w io.Writer, l *Lint, prefix string, lines Lines) error {
	doc := map[string]any{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0"}
	runs := []any{}
	for _, name := range names(l) {
		runs = append(runs, sarifRun(l, name, prefix, lines))
	}
	doc["runs"] = runs
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(doc)
}

// names are those of the linters, each once.
func names(l *Lint) []string {
	var all []string
	for _, one := range l.Linters {
		all = append(all, one.Linter)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func sarifRun(l *Lint, name, prefix string, lines Lines) map[string]any {
	results, rules := []any{}, []any{}
	known := map[string]bool{}
	for _, f := range l.Findings() {
		if f.Linter != name {
			continue
		}
		results = append(results, sarifResult(f, prefix, lines))
		if !known[f.Rule] {
			rules = append(rules, sarifRule(f.Diagnostic))
		}
		known[f.Rule] = true
	}
	notes := []any{}
	for _, one := range l.Linters {
		if one.Linter == name && one.Fault != nil {
			notes = append(notes, map[string]any{"level": "error", "message": map[string]any{"text": one.Fault.Error()}})
		}
	}
	return map[string]any{
		"tool":        map[string]any{"driver": map[string]any{"name": name, "rules": rules}},
		"columnKind":  "unicodeCodePoints",
		"invocations": []any{map[string]any{"executionSuccessful": len(notes) == 0 && !l.Interrupted, "toolExecutionNotifications": notes}},
		"results":     results,
	}
}

func sarifRule(d abi.Diagnostic) map[string]any {
	rule := map[string]any{"id": d.Rule}
	if d.URL != "" {
		rule["helpUri"] = d.URL
	}
	return rule
}

func sarifResult(f Finding, prefix string, lines Lines) map[string]any {
	level := map[abi.Severity]string{abi.SeverityError: "error", abi.SeverityWarning: "warning", abi.SeverityInfo: "note"}[f.Severity]
	result := map[string]any{"ruleId": f.Rule, "level": cmp.Or(level, "error"), "message": map[string]any{"text": cmp.Or(f.Message, f.Rule)}}
	if f.File == "" {
		return result
	}
	place := map[string]any{"artifactLocation": artifact(f.File, prefix)}
	if region := sarifRegion(f.Diagnostic, lines); region != nil {
		place["region"] = region
	}
	result["locations"] = []any{map[string]any{"physicalLocation": place}}
	if fixes := sarifFixes(f.Fixes, prefix); len(fixes) > 0 {
		result["fixes"] = fixes
	}
	return result
}

// artifact is where a file is.
func artifact(file, prefix string) map[string]any {
	if prefix != "" {
		file = prefix + "/" + file
	}
	return map[string]any{"uri": (&url.URL{Path: file}).EscapedPath(), "uriBaseId": "%SRCROOT%"}
}

func sarifRegion(d abi.Diagnostic, lines Lines) map[string]any {
	start, end := d.Range.Start, d.Range.End
	if start.Line == 0 {
		return nil
	}
	region := map[string]any{"startLine": start.Line}
	if column := characters(d.File, start, lines); column > 0 {
		region["startColumn"] = column
	}
	if end.Line > 0 {
		region["endLine"] = end.Line
		if column := characters(d.File, end, lines); column > 0 {
			region["endColumn"] = column
		}
	}
	return region
}

// characters is a column in characters; 0 = it is not known.
func characters(file string, p abi.Position, lines Lines) int {
	text, ok := lines(file, p.Line)
	if p.Column < 1 || !ok {
		return 0
	}
	return utf8.RuneCountInString(text[:min(p.Column-1, len(text))]) + 1
}

func sarifFixes(fixes []abi.Fix, prefix string) []any {
	var all []any
	for _, fix := range fixes {
		byFile := map[string][]any{}
		var files []string
		for _, e := range fix.Edits {
			if byFile[e.File] == nil {
				files = append(files, e.File)
			}
			byFile[e.File] = append(byFile[e.File], map[string]any{
				"deletedRegion":   map[string]any{"byteOffset": e.Start, "byteLength": e.End - e.Start},
				"insertedContent": map[string]any{"text": strings.ToValidUTF8(e.Text, "\uFFFD")},
			})
		}
		var changes []any
		for _, file := range files {
			changes = append(changes, map[string]any{"artifactLocation": artifact(file, prefix), "replacements": byFile[file]})
		}
		all = append(all, map[string]any{
			"description": map[string]any{"text": cmp.Or(fix.Title, "fix")}, "artifactChanges": changes, "properties": map[string]any{"safe": fix.Safe},
		})
	}
	return all
}
