package ui

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/sdk/go/abi"
)

// LintView is how findings are shown.
type LintView struct {
	Style
	Name    func(file string) string // what a file is called where wr was started
	Lines   report.Lines
	Snippet bool // with the line that each is about
}

// Lint writes findings, one a line, then what did not work, then the sums.
func (v LintView) Lint(w io.Writer, l *report.Lint) error {
	var b strings.Builder
	b.WriteString(v.findings(l))
	for _, one := range l.Linters {
		if one.Fault != nil {
			fmt.Fprintf(&b, "%s %s\n%s", v.paint(red, "✗ "+one.Linter), v.paint(bold, one.Project), v.Fault(one.Fault))
		}
	}
	for _, file := range l.Fixed {
		if !v.Quiet {
			fmt.Fprintf(&b, "%s %s\n", v.paint(green, "fixed"), printable(v.Name(file)))
		}
	}
	if sums := v.lintSums(l); !v.Quiet || l.Exit != 0 {
		b.WriteString(sums + "\n")
	}
	_, err := io.WriteString(w, v.inert(b.String()))
	return err
}

// Findings writes findings alone, one a line.
func (v LintView) Findings(w io.Writer, l *report.Lint) error {
	_, err := io.WriteString(w, v.inert(v.findings(l)))
	return err
}

func (v LintView) findings(l *report.Lint) string {
	var b strings.Builder
	for _, f := range l.Findings() {
		b.WriteString(v.finding(f))
	}
	return b.String()
}

// Said is what a linter has to tell while it works, as lines that begin with its
// name.
func (s Style) Said(linter, level, text string) string {
	lines := strings.Split(strings.TrimSpace(printable(text)), "\n")
	return s.inert(linter + ": " + printable(level) + ": " + strings.Join(lines, "\n    ") + "\n")
}

// finding is the line of a finding: "path:line:column: severity rule message".
func (v LintView) finding(f report.Finding) string {
	color := map[abi.Severity]string{abi.SeverityWarning: yellow, abi.SeverityInfo: dim}[f.Severity]
	shown := f
	shown.File = cmp.Or(f.File, f.Project)
	shown.File = printable(v.Name(shown.File))
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s %s", v.paint(bold, shown.Place()), v.paint(cmp.Or(color, red), string(f.Severity)), printable(strings.ReplaceAll(f.Rule, "\n", " ")), printable(strings.ReplaceAll(strings.TrimSpace(f.Message), "\n", "\n    ")))
	if f.Fixable() {
		b.WriteString(" " + v.paint(dim, "[fixable]"))
	}
	b.WriteString("\n")
	if v.Snippet {
		b.WriteString(v.snippet(f.Diagnostic))
	}
	return b.String()
}

// snippet is the line that a finding is about, with what of it.
func (v LintView) snippet(d abi.Diagnostic) string {
	start, end := d.Range.Start, d.Range.End
	text, ok := v.Lines(d.File, start.Line)
	if start.Line == 0 || !ok || strings.TrimSpace(text) == "" {
		return ""
	}
	number := fmt.Sprintf("%5d | ", start.Line)
	line := v.paint(dim, number) + printable(text) + "\n"
	if start.Column < 1 || start.Column > len(text)+1 {
		return line
	}
	width := 1
	if end.Line == start.Line && end.Column > start.Column {
		width = utf8.RuneCountInString(text[start.Column-1 : min(end.Column-1, len(text))])
	}
	var before strings.Builder
	for _, r := range printable(text[:start.Column-1]) {
		if r != '\t' {
			r = ' '
		}
		before.WriteRune(r)
	}
	return line + strings.Repeat(" ", len(number)-2) + v.paint(dim, "| ") + before.String() + v.paint(red, strings.Repeat("^", max(1, width))) + "\n"
}

// lintSums is the last line.
func (v LintView) lintSums(l *report.Lint) string {
	s := l.Sums()
	var parts []string
	for _, part := range []struct {
		n    int
		word string
	}{{s.Errors, "error"}, {s.Warnings, "warning"}, {s.Infos, "info"}, {s.Broken, "broken linter"}} {
		if part.n > 0 {
			parts = append(parts, Count(part.n, part.word))
		}
	}
	looked := fmt.Sprintf("%s by %s in %s", Count(l.Files, "file"), Count(len(l.Linters), "linter"), seconds(l.Elapsed))
	if s.Cached > 0 && s.Cached == s.Files {
		looked += ", all known from before"
	} else if s.Cached > 0 {
		looked += fmt.Sprintf(", %d of %d results known from before", s.Cached, s.Files)
	}
	if s.Fixable > 0 {
		looked += fmt.Sprintf(", %d fixable: wr lint --fix", s.Fixable)
	}
	switch {
	case l.Interrupted:
		return v.paint(yellow, "interrupted") + "  " + v.paint(dim, looked)
	case len(parts) == 0 && s.Files == 0:
		return v.paint(yellow, "nothing was linted") + "  " + v.paint(dim, looked)
	case len(parts) == 0:
		return v.paint(green, "nothing found") + "  " + v.paint(dim, looked)
	case l.Exit == 0:
		return v.paint(yellow, strings.Join(parts, ", ")) + "  " + v.paint(dim, looked)
	}
	return v.paint(red, strings.Join(parts, ", ")) + "  " + v.paint(dim, looked)
}

// Count is a number of things: "1 file", "2 files".
func Count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// LintAnnotations writes GitHub's workflow commands that show findings beside the
// code. Files are given below prefix, the path from the repository's root to the
// workspace.
func LintAnnotations(w io.Writer, l *report.Lint, prefix string) error {
	var b strings.Builder
	shown := map[string]int{}
	for _, f := range l.Findings() {
		severity := map[abi.Severity]string{abi.SeverityWarning: "warning", abi.SeverityInfo: "notice"}[f.Severity]
		severity = cmp.Or(severity, "error")
		if shown[severity]++; shown[severity] > mostAnnotations {
			continue
		}
		fmt.Fprintf(&b, "::%s %s::%s\n", severity, strings.Join(annotated(f, prefix), ","), data(cmp.Or(f.Message, f.Rule)))
	}
	for _, one := range l.Linters {
		if one.Fault != nil {
			fmt.Fprintf(&b, "::error title=%s::%s\n", property(one.Linter+" "+one.Project), data(one.Fault.Message+"\n\n"+tail(one.Fault.Details, maxAnnotation)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// LintJobSummary writes l as Markdown for GitHub's page of a job: the sums, linters that
// did not work, then the findings, as many as the page takes.
func LintJobSummary(w io.Writer, l *report.Lint) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### wr lint: %s\n", escaped(LintView{}.lintSums(l)))
	for _, one := range l.Linters {
		if one.Fault != nil {
			fmt.Fprintf(&b, "\n**%s** %s: %s\n", escaped(one.Linter), escaped(one.Project), escaped(one.Fault.Message))
		}
	}
	all := l.Findings()
	if len(all) > 0 {
		b.WriteString("\n| where | severity | rule | finding |\n|---|---|---|---|\n")
	}
	for i, f := range all {
		if b.Len() > maxJobSummary-maxFailure {
			fmt.Fprintf(&b, "\n%d more findings.\n", len(all)-i)
			break
		}
		row(&b, []string{placeOf(f), string(f.Severity), f.Linter + " " + f.Rule, tail(f.Message, maxAnnotation)})
	}
	_, err := io.WriteString(w, b.String()+"\n")
	return err
}

// placeOf is where a finding is: "p/a.py:3".
func placeOf(f report.Finding) string {
	if f.File == "" || f.Range.Start.Line == 0 {
		return cmp.Or(f.File, f.Project)
	}
	return fmt.Sprintf("%s:%d", f.File, f.Range.Start.Line)
}

// annotated are the properties of an annotation.
func annotated(f report.Finding, prefix string) []string {
	properties := []string{"title=" + property(f.Linter+" "+f.Rule)}
	if f.File == "" {
		return properties
	}
	properties = append(properties, "file="+property(path.Join(prefix, f.File)))
	for _, one := range []struct {
		name  string
		value int
	}{{"line", f.Range.Start.Line}, {"col", f.Range.Start.Column}, {"endLine", f.Range.End.Line}, {"endColumn", f.Range.End.Column}} {
		if one.value > 0 {
			properties = append(properties, fmt.Sprintf("%s=%d", one.name, one.value))
		}
	}
	return properties
}
