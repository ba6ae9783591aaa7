package ui

import (
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/sdk/go/abi"
)

// checked is what a plugin found before or after something, a line each, and that
// it fails what has been done; "" for all else. Why nothing of one that fails what
// has not: whoever does not do it says so.
func (s Style) checked(e event.Event) string {
	switch {
	case e.Type == event.Found && (!s.Quiet || e.Severity == string(abi.SeverityError)):
		d := abi.Diagnostic{
			File: e.File, Range: abi.Range{Start: abi.Position{Line: e.Line, Column: e.Column}}, Severity: abi.Severity(e.Severity), Rule: e.Rule, Message: e.Text,
		}
		view := LintView{Style: s, Name: func(file string) string { return file }}
		return view.finding(report.Finding{Linted: &report.Linted{Linter: e.Linter, Project: e.Project}, Diagnostic: d})
	case e.Type == event.Checked && e.Fault != nil && strings.HasPrefix(e.Hook, "after "):
		return fmt.Sprintf("%s %s  %s\n%s", s.paint(red, "✗"), s.paint(bold, e.Project), e.Hook, s.Fault(e.Fault))
	default:
		return ""
	}
}
