package match

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/wr-build/wr/sdk/go/abi"
)

// What of SARIF 2.1.0 counts here; see
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
type (
	sarifLog struct {
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver     sarifComponent   `json:"driver"`
			Extensions []sarifComponent `json:"extensions"`
		} `json:"tool"`
		Invocations []sarifInvocation        `json:"invocations"`
		Bases       map[string]sarifLocation `json:"originalUriBaseIds"`
		Artifacts   []struct {
			Location sarifLocation `json:"location"`
		} `json:"artifacts"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifComponent struct {
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID       string                  `json:"id"`
		HelpURI  string                  `json:"helpUri"`
		Messages map[string]sarifMessage `json:"messageStrings"`
		Default  struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifInvocation struct {
		Successful    *bool               `json:"executionSuccessful"`
		Execution     []sarifNotification `json:"toolExecutionNotifications"`
		Configuration []sarifNotification `json:"toolConfigurationNotifications"`
	}
	sarifNotification struct {
		Level   string       `json:"level"`
		Message sarifMessage `json:"message"`
	}
	sarifMessage struct {
		Text      string   `json:"text"`
		Markdown  string   `json:"markdown"`
		ID        string   `json:"id"`
		Arguments []string `json:"arguments"`
	}
	sarifResult struct {
		RuleID    string `json:"ruleId"`
		RuleIndex *int   `json:"ruleIndex"`
		Rule      struct {
			ID    string `json:"id"`
			Index *int   `json:"index"`
		} `json:"rule"`
		Kind         string       `json:"kind"`
		Level        string       `json:"level"`
		Message      sarifMessage `json:"message"`
		Baseline     string       `json:"baselineState"`
		Suppressions []struct {
			Status string `json:"status"`
		} `json:"suppressions"`
		Locations []struct {
			Physical struct {
				Artifact sarifLocation `json:"artifactLocation"`
				Region   sarifRegion   `json:"region"`
			} `json:"physicalLocation"`
		} `json:"locations"`
		Fixes      []sarifFix      `json:"fixes"`
		Properties sarifProperties `json:"properties"`
	}
	sarifLocation struct {
		URI   string `json:"uri"`
		Base  string `json:"uriBaseId"`
		Index *int   `json:"index"`
	}
	sarifRegion struct {
		StartLine   int    `json:"startLine"`
		StartColumn int    `json:"startColumn"`
		EndLine     int    `json:"endLine"`
		EndColumn   int    `json:"endColumn"`
		ByteOffset  *int64 `json:"byteOffset"`
		ByteLength  int64  `json:"byteLength"`
	}
	sarifFix struct {
		Description sarifMessage `json:"description"`
		Changes     []struct {
			Artifact     sarifLocation `json:"artifactLocation"`
			Replacements []struct {
				Deleted  sarifRegion `json:"deletedRegion"`
				Inserted struct {
					Text string `json:"text"`
				} `json:"insertedContent"`
			} `json:"replacements"`
		} `json:"artifactChanges"`
		Properties sarifProperties `json:"properties"`
	}
	// sarifProperties are the bag in which tools say more than SARIF has words for.
	sarifProperties struct {
		Safe          bool   `json:"safe"`
		Applicability string `json:"applicability"`
	}
)

// safe reports whether the tool says that a fix does not change what code means.
func (p sarifProperties) safe() bool {
	switch strings.ToLower(p.Applicability) {
	case "safe", "automatic", "machineapplicable", "machine-applicable":
		return true
	}
	return p.Safe
}

func (r *reading) sarif() ([]abi.Diagnostic, error) {
	text := r.text()
	if len(text) == 0 {
		return nil, errEmpty
	}
	var doc sarifLog
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("read as SARIF: %w", err)
	}
	if doc.Version != "2.1.0" || doc.Runs == nil {
		return nil, fmt.Errorf("read as SARIF: it has the version %q and %d runs, where 2.1.0 and runs are wanted", doc.Version, len(doc.Runs))
	}
	var all []abi.Diagnostic
	for i := range doc.Runs {
		run := &doc.Runs[i]
		if err := run.failed(); err != nil {
			return nil, err
		}
		for _, result := range run.Results {
			if result.counts() {
				all = append(all, r.sarifDiagnostic(run, result))
			}
		}
	}
	return all, nil
}

// failed is why the run did not work, as the tool itself says.
func (run *sarifRun) failed() error {
	for _, i := range run.Invocations {
		for _, n := range slices.Concat(i.Execution, i.Configuration) {
			if n.Level == "error" {
				return fmt.Errorf("it says: %s", cmp.Or(n.Message.Text, "an error of its own"))
			}
		}
		if i.Successful != nil && !*i.Successful {
			return errors.New("it says that its execution was not successful")
		}
	}
	return nil
}

// counts reports whether a result is to be told.
func (result sarifResult) counts() bool {
	for _, s := range result.Suppressions {
		if s.Status == "" || s.Status == "accepted" {
			return false
		}
	}
	switch result.Kind {
	case "pass", "notApplicable":
		return false
	}
	return result.Level != "none" && result.Baseline != "absent"
}

func (r *reading) sarifDiagnostic(run *sarifRun, result sarifResult) abi.Diagnostic {
	rule := run.rule(result)
	level := cmp.Or(result.Level, rule.Default.Level, "warning")
	if result.Level == "" && result.Kind == "informational" {
		level = "note"
	}
	id := cmp.Or(result.RuleID, result.Rule.ID, rule.ID)
	message := result.Message.in(rule)
	d := r.diagnostic("", level, id, message)
	if len(result.Locations) > 0 {
		at := result.Locations[0].Physical
		d = r.of(run.name(at.Artifact), level, id, message)
		d.Range = r.sarifRange(run, d.File, at.Region)
	}
	d.URL = rule.HelpURI
	for _, f := range result.Fixes {
		if fix, ok := r.sarifFix(run, f); ok {
			fix.Safe = f.Properties.safe() || result.Properties.safe()
			d.Fixes = append(d.Fixes, fix)
		}
	}
	return d
}

// rule is what the run says of the rule of a result.
func (run *sarifRun) rule(result sarifResult) sarifRule {
	rules := run.Tool.Driver.Rules
	index := cmp.Or(result.RuleIndex, result.Rule.Index)
	if index != nil && *index >= 0 && *index < len(rules) {
		return rules[*index]
	}
	id := cmp.Or(result.RuleID, result.Rule.ID)
	for _, component := range append([]sarifComponent{run.Tool.Driver}, run.Tool.Extensions...) {
		for _, rule := range component.Rules {
			if rule.ID == id {
				return rule
			}
		}
	}
	return sarifRule{}
}

// in is the text of a message, which may be one that the rule has.
func (m sarifMessage) in(rule sarifRule) string {
	text := cmp.Or(m.Text, rule.Messages[m.ID].Text, m.Markdown)
	for i, argument := range m.Arguments {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i), argument)
	}
	return text
}

// name is the path or URL of an artifact, put together from its bases.
func (run *sarifRun) name(l sarifLocation) string {
	if l.URI == "" && l.Index != nil && *l.Index >= 0 && *l.Index < len(run.Artifacts) {
		l = run.Artifacts[*l.Index].Location
	}
	whole := l.URI
	for range len(run.Bases) { // a base can have one; in a circle there is no end
		base, ok := run.Bases[l.Base]
		if !ok || strings.Contains(whole, "://") {
			break
		}
		if base.URI != "" {
			whole = strings.TrimSuffix(base.URI, "/") + "/" + whole
		}
		l = base
	}
	return fromURI(whole)
}

// fromURI is the path that a URI of a file stands for, or the text as it is.
func fromURI(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "file" && u.Scheme != "" || u.Path == "" {
		return text
	}
	return u.Path
}

// unit is how the run counts columns.
func (run *sarifRun) unit() columns {
	if run.ColumnKind == "unicodeCodePoints" {
		return characters
	}
	return utf16Units
}

// sarifRange is the range of a region; the zero one where it names no line.
func (r *reading) sarifRange(run *sarifRun, file string, region sarifRegion) abi.Range {
	start := r.position(file, region.StartLine, region.StartColumn, run.unit())
	if start.Line == 0 {
		return abi.Range{}
	}
	out := abi.Range{Start: start}
	if region.EndLine > 0 || region.EndColumn > 0 {
		out.End = r.position(file, cmp.Or(region.EndLine, region.StartLine), region.EndColumn, run.unit())
	}
	return out
}

// sarifFix is a fix whose every part is understood; a half of one is none.
func (r *reading) sarifFix(run *sarifRun, f sarifFix) (abi.Fix, bool) {
	fix := abi.Fix{Title: cmp.Or(f.Description.Text, "fix")}
	for _, change := range f.Changes {
		file, ok := r.Path(run.name(change.Artifact))
		if !ok {
			return fix, false
		}
		for _, replacement := range change.Replacements {
			start, end, ok := r.sarifSpan(run, file, replacement.Deleted)
			if !ok {
				return fix, false
			}
			fix.Edits = append(fix.Edits, abi.Edit{File: file, Start: start, End: end, Text: replacement.Inserted.Text})
		}
	}
	return fix, len(fix.Edits) > 0
}

// sarifSpan are the bytes of a region. Without an end it ends with its line.
func (r *reading) sarifSpan(run *sarifRun, file string, region sarifRegion) (start, end int64, ok bool) {
	s := r.source(file)
	if s == nil {
		return 0, 0, false
	}
	if at := region.ByteOffset; at != nil && region.StartLine == 0 {
		end = *at + region.ByteLength
		return *at, end, *at >= 0 && end >= *at && end <= int64(len(s.text))
	}
	place := func(line, column int) (int64, bool) {
		p := abi.Position{Line: line, Column: s.column(line, column, run.unit())}
		if _, there := s.line(line); !there {
			p.Column = column
		}
		return s.offset(p)
	}
	last := cmp.Or(region.EndLine, region.StartLine)
	text, _ := s.line(last)
	start, ok = place(region.StartLine, cmp.Or(region.StartColumn, 1))
	if !ok {
		return 0, 0, false
	}
	if region.EndColumn == 0 {
		end, ok = s.offset(abi.Position{Line: last, Column: len(text) + 1})
	} else {
		end, ok = place(last, region.EndColumn)
	}
	return start, end, ok && end >= start
}
