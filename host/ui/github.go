package ui

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/report"
)

// What GitHub shows, and takes, of one step; see
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands.
const (
	mostAnnotations = 10        // of one severity
	maxAnnotation   = 4 << 10   // bytes of one
	maxFailure      = 8 << 10   // bytes of one in a job summary
	maxJobSummary   = 900 << 10 // bytes; the limit is 1 MiB
)

// group is text as one of GitHub's groups; elsewhere it stays as it is.
func (s Style) group(title, text string) string {
	if !s.GitHub || text == "" {
		return text
	}
	return "::group::" + data(title) + "\n" + s.inert(text) + "::endgroup::\n"
}

// inert is text, of whole lines, with GitHub's commands off in it: GitHub takes
// them from whatever a step prints, and what a test or a plugin printed must not
// make annotations, or mask what others say.
func (s Style) inert(text string) string {
	if !s.GitHub || text == "" {
		return text
	}
	token := rand.Text()
	return "::stop-commands::" + token + "\n" + text + "::" + token + "::\n"
}

// Annotations writes GitHub's workflow commands that show the failures of r
// beside the code, and a warning for each flaky case. Files are given below
// prefix, the path from the repository's root to the workspace.
func Annotations(w io.Writer, r *report.Run, prefix string) error {
	var all []string
	for _, p := range r.Projects {
		for _, e := range p.Bad() {
			all = append(all, annotation("error", p, e, prefix))
		}
	}
	all = all[:min(len(all), mostAnnotations)]
	for i, c := range r.Flaky() {
		if i < mostAnnotations {
			all = append(all, annotation("warning", c.Project, report.Entry{
				Title: c.ID, File: c.File, Line: c.Line, Text: "flaky: it passed after an attempt that had not", Details: firstFailure(c),
			}, prefix))
		}
	}
	_, err := io.WriteString(w, strings.Join(all, ""))
	return err
}

// firstFailure is what the first attempt of c that failed says.
func firstFailure(c report.Placed) string {
	for _, a := range c.Attempts {
		if a.Bad() {
			return cmp.Or(a.Details, a.Text)
		}
	}
	return ""
}

// annotation is one workflow command.
func annotation(severity string, p *report.Project, e report.Entry, prefix string) string {
	var properties []string
	if e.File != "" {
		properties = append(properties, "file="+property(path.Join(prefix, e.File)))
		if e.Line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", e.Line))
		}
	}
	properties = append(properties, "title="+property(p.Name()+" "+e.Title))
	message := strings.TrimSpace(e.Text + "\n\n" + tail(e.Details, maxAnnotation) + "\n\n" + e.Next)
	return fmt.Sprintf("::%s %s::%s\n", severity, strings.Join(properties, ","), data(cmp.Or(message, e.Outcome)))
}

// data is text as the message of a workflow command, so that nothing in it ends
// the command or begins another one.
func data(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(printable(text))
}

// property is text as the value of a property of a workflow command.
func property(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(text))
}

// tail is the end of text, at most limit bytes of whole lines.
func tail(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	_, rest, _ := strings.Cut(text[len(text)-limit:], "\n")
	return "...\n" + strings.ToValidUTF8(rest, "")
}

// JobSummary writes r as Markdown for GitHub's page of a job: the table, then
// the failures, as many as the page takes.
func JobSummary(w io.Writer, r *report.Run) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### wr: %s\n\n", escaped(Style{}.verdict(r)))
	b.WriteString("| project | image | passed | failed | skipped | errors | not run | time | result |\n|---|---|--:|--:|--:|--:|--:|--:|---|\n")
	for _, p := range r.Projects {
		row(&b, []string{p.Name(), imageOf(p)}, sumsNotRun(p.Sums()), []string{seconds(p.Elapsed), resultOf(p)})
	}
	if len(r.Projects) > 1 {
		row(&b, []string{"total", ""}, sumsNotRun(r.Sums()), []string{seconds(r.Elapsed), ""})
	}
	if r.Coverage != nil {
		fmt.Fprintf(&b, "\n%s\n", escaped(covered(r)))
		for _, lack := range r.Coverage.Missing {
			fmt.Fprintf(&b, "\nlacks %s%s\n", partly(lack.Partly), escaped(lack.Unit+": "+lack.Reason))
		}
		if r.CoverageFault != nil {
			fmt.Fprintf(&b, "\n**%s** %s\n", escaped(r.CoverageFault.Code), escaped(r.CoverageFault.Message))
		}
	}
	if len(r.Personal) > 0 {
		fmt.Fprintf(&b, "\nwith settings of one person: %s\n", escaped(personal(r.Personal)))
	}
	if left := notHere(r); left != "" {
		fmt.Fprintf(&b, "\n%s\n", escaped(left))
	}
	left := failures(&b, r)
	if left > 0 {
		fmt.Fprintf(&b, "\n%d more failures, see `junit.xml` or `wr report`.\n", left)
	}
	for _, c := range r.Flaky() {
		if b.Len() < maxJobSummary {
			fmt.Fprintf(&b, "\nflaky: <code>%s</code>\n", escaped(c.Project.Name()+" "+c.ID))
		}
	}
	_, err := io.WriteString(w, b.String()+"\n")
	return err
}

// row writes one row of a table.
func row(b *strings.Builder, cells ...[]string) {
	for _, cell := range slices.Concat(cells...) {
		b.WriteString("| " + escaped(cell) + " ")
	}
	b.WriteString("|\n")
}

// failures writes the failures of r and returns how many there was no place for.
func failures(b *strings.Builder, r *report.Run) (left int) {
	for _, p := range r.Projects {
		for _, e := range p.Bad() {
			if b.Len() > maxJobSummary-4*maxFailure {
				left++
				continue
			}
			fmt.Fprintf(b, "\n<details><summary><b>%s</b> <code>%s</code> %s</summary>\n", escaped(p.Name()), escaped(e.Title), escaped(cmp.Or(firstLine(e.Text), e.Outcome)))
			for _, text := range []string{cmp.Or(e.Details, e.Text), e.Next, e.Stdout, e.Stderr} {
				b.WriteString(fenced(tail(printable(text), maxFailure)))
			}
			b.WriteString("\n</details>\n")
		}
	}
	return left
}

// fenced is text as a block of code that nothing in it can end.
func fenced(text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return "\n" + fence + "text\n" + strings.TrimRight(text, "\n") + "\n" + fence + "\n"
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return cut(line, 200)
}

// escaped is text in a line of Markdown: signs of HTML and of Markdown are
// entities, so that all of it is shown and none obeyed.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range oneLine(text, 0) {
		if strings.ContainsRune("&<>\"'\\`*_{}[]()#+-!|~:@", r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
