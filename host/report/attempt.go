package report

import (
	"encoding/xml"
	"time"

	"github.com/wr-build/wr/host/event"
)

// Attempt is one execution of a case.
type Attempt struct {
	Number  int           `json:"attempt"` // 1, 2, ...
	Outcome event.Outcome `json:"outcome"`
	Elapsed time.Duration `json:"elapsed"`        // nanoseconds
	Text    string        `json:"text,omitempty"` // why, in short
	Details string        `json:"details,omitempty"`
	Stdout  string        `json:"stdout,omitempty"`
	Stderr  string        `json:"stderr,omitempty"`
}

// Bad reports whether a failed.
func (a Attempt) Bad() bool { return bad(a.Outcome) }

func bad(o event.Outcome) bool { return o == event.Failed || o == event.Errored }

// retry adds the attempt that e tells of to those of c.
func (c *Case) retry(e event.Event) {
	c.File, c.Line = e.File, e.Line
	c.Attempts = append(c.Attempts, Attempt{e.Attempt, e.Outcome, e.Elapsed, e.Text, e.Details, e.Stdout, e.Stderr})
}

// attemptXML is an attempt that failed, in the shape of Surefire:
// https://maven.apache.org/surefire/maven-surefire-plugin/examples/rerun-failing-tests.html
type attemptXML struct {
	XMLName   xml.Name
	Message   string   `xml:"message,attr"`
	Type      string   `xml:"type,attr"`
	Trace     textXML  `xml:"stackTrace"`
	SystemOut *textXML `xml:"system-out"`
	SystemErr *textXML `xml:"system-err"`
}

// attemptsXML are the attempts of c with outcome o, besides the one that counts:
// flaky ones if that one did not fail.
func (c *Case) attemptsXML(o event.Outcome, kind string) []attemptXML {
	name := xml.Name{Local: "flaky" + kind}
	if bad(c.Outcome) {
		name.Local = "rerun" + kind
	}
	var all []attemptXML
	for _, a := range c.Attempts {
		if a.Outcome == o {
			all = append(all, attemptXML{name, clean(a.Text), string(o), textXML{bounded(a.Details)}, output(a.Stdout), output(a.Stderr)})
		}
	}
	return all
}
