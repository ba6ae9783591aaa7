package report

import (
	"encoding/xml"
	"fmt"
	"io"

	"github.com/wr-build/wr/sdk/go/abi"
)

// LintJUnit writes l as one JUnit document: a testsuite for each project and linter,
// with a case for each finding, and one that passed where there is none. What is as
// bad as failing is a failure, what is not is skipped, a linter that did not work
// an error.
func LintJUnit(w io.Writer, l *Lint, failing abi.Severity) error {
	doc := suitesXML{Name: "wr lint", Time: inSeconds(l.Elapsed)}
	for _, one := range l.Linters {
		s := one.suite(failing)
		s.Timestamp = l.Started.UTC().Format("2006-01-02T15:04:05")
		doc.Suites = append(doc.Suites, s)
		doc.Tests, doc.Failures, doc.Errors, doc.Skipped = doc.Tests+s.Tests, doc.Failures+s.Failures, doc.Errors+s.Errors, doc.Skipped+s.Skipped
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (one Linted) suite(failing abi.Severity) suiteXML {
	s := suiteXML{Name: clean(one.Project + " " + one.Linter), Time: inSeconds(one.Elapsed)}
	if f := one.Fault; f != nil {
		s.Errors++
		s.Cases = append(s.Cases, caseXML{
			Class: clean(one.Linter), Name: "wr", File: clean(f.File), Line: f.Line, Time: inSeconds(0),
			Error: &whyXML{Type: clean(f.Code), Message: clean(f.Message), Text: bounded(joined(f.Details, f.Next))},
		})
	}
	for _, d := range one.Diagnostics {
		c := caseXML{Class: clean(one.Linter + "." + d.Rule), Name: clean(place(d)), File: clean(d.File), Line: d.Range.Start.Line, Time: inSeconds(0)}
		why := &whyXML{Type: string(d.Severity), Message: clean(d.Message), Text: clean(d.URL)}
		if rank(d.Severity) >= 0 && rank(d.Severity) < rank(failing) {
			c.Skipped, s.Skipped = why, s.Skipped+1
		} else {
			c.Failure, s.Failures = why, s.Failures+1
		}
		s.Cases = append(s.Cases, c)
	}
	if len(s.Cases) == 0 {
		s.Cases = append(s.Cases, caseXML{Class: clean(one.Linter), Name: fmt.Sprintf("%d files", one.Files), Time: inSeconds(0)})
	}
	s.Tests = len(s.Cases)
	return s
}

// place is where a diagnostic is: "a.py:3:7".
func place(d abi.Diagnostic) string {
	text := d.File
	if p := d.Range.Start; p.Line > 0 {
		text += fmt.Sprintf(":%d", p.Line)
		if p.Column > 0 {
			text += fmt.Sprintf(":%d", p.Column)
		}
	}
	return text
}

// Place is where a finding is, as path:line:column as far as that is known.
func (f Finding) Place() string { return place(f.Diagnostic) }
