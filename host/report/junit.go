package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
)

// JUnit writes r as one JUnit document: a testsuite for each project and
// container, named path or path[container], or several where suites run
// apart or in shards. The attributes are those of Sums. A file that could not be
// collected, a project that could not be tested and a case that everything
// ended before are errors that say why. A case that pytest left out is skipped,
// which every reader of such files shows and none counts as passed.
func JUnit(w io.Writer, r *Run) error {
	s := r.Sums()
	doc := suitesXML{
		Name: "wr", Tests: s.Tests, Failures: s.Failures, Errors: s.Errors, Skipped: s.Skipped + s.NotRun, Time: inSeconds(r.Elapsed),
	}
	for _, p := range r.Projects {
		doc.Suites = append(doc.Suites, p.suite(r))
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

type suitesXML struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Time     string     `xml:"time,attr"`
	Suites   []suiteXML `xml:"testsuite"`
}

type suiteXML struct {
	Name       string        `xml:"name,attr"`
	Tests      int           `xml:"tests,attr"`
	Failures   int           `xml:"failures,attr"`
	Errors     int           `xml:"errors,attr"`
	Skipped    int           `xml:"skipped,attr"`
	Time       string        `xml:"time,attr"`
	Timestamp  string        `xml:"timestamp,attr,omitempty"`
	Properties []propertyXML `xml:"properties>property"`
	Cases      []caseXML     `xml:"testcase"`
}

type propertyXML struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type caseXML struct {
	Class     string       `xml:"classname,attr"`
	Name      string       `xml:"name,attr"`
	File      string       `xml:"file,attr,omitempty"`
	Line      int          `xml:"line,attr,omitempty"`
	Time      string       `xml:"time,attr"`
	Failure   *whyXML      `xml:"failure"`
	Failures  []attemptXML // besides the one that counts
	Skipped   *whyXML      `xml:"skipped"`
	Error     *whyXML      `xml:"error"`
	Errors    []attemptXML // besides the one that counts
	SystemOut *textXML     `xml:"system-out"`
	SystemErr *textXML     `xml:"system-err"`
}

type whyXML struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type textXML struct {
	Text string `xml:",chardata"`
}

func (p *Project) suite(r *Run) suiteXML {
	n := p.Sums()
	s := suiteXML{
		Name: clean(p.Unit().Place().String()), Tests: n.Tests, Failures: n.Failures, Errors: n.Errors, Skipped: n.Skipped + n.NotRun, Time: inSeconds(p.Elapsed),
	}
	if !r.Started.IsZero() {
		s.Timestamp = r.Started.UTC().Format("2006-01-02T15:04:05")
	}
	s.Properties = p.properties(r)
	if why := p.untold(); why != "" {
		s.Cases = append(s.Cases, p.faultCase(why))
	}
	for _, e := range p.Checks {
		s.Cases = append(s.Cases, p.checkCase(e))
	}
	for _, e := range p.CollectErrors {
		s.Cases = append(s.Cases, collectCase(e))
	}
	for _, c := range p.Cases {
		s.Cases = append(s.Cases, p.caseXML(c))
	}
	return s
}

// properties say how p was tested. What one person alone has set comes last,
// named as in their file, so that a result which came of it can be told.
func (p *Project) properties(r *Run) []propertyXML {
	all := []propertyXML{
		{"image", p.Image}, {"image.wanted", p.Wanted}, {"image.digest", p.Digest}, {"key", p.Key}, {"suite", p.Slice}, {"shard", p.Shard}, {"run", r.ID}, {"cached.run", p.From}, {"status", string(p.Status)}, {"session", p.Session}, {"reason", p.Reason}, {"here", r.Here}, {"revision", r.Revision.Text()},
	}
	for _, n := range r.notHere(p) {
		all = append(all, propertyXML{"not_here." + n.Container, strconv.Itoa(n.Cases)})
	}
	for _, right := range p.Rights {
		all = append(all, propertyXML{"rights." + right.Kind, cmp.Or(strings.Join(right.Names, " "), "yes")})
	}
	all = append(all, propertyXML{"rights.reason", p.RightsReason})
	all = append(all, p.covered(r)...)
	for _, s := range r.Personal {
		all = append(all, propertyXML{"personal." + s.Key, s.Text()})
	}
	all = slices.DeleteFunc(all, func(one propertyXML) bool { return one.Value == "" })
	for i, one := range all {
		all[i] = propertyXML{clean(one.Name), clean(one.Value)}
	}
	return all
}

// faultCase stands for what is wrong with the project as a whole.
func (p *Project) faultCase(why string) caseXML {
	x := caseXML{Class: clean(p.Name()), Name: "wr", Time: inSeconds(0), Error: &whyXML{Type: "wr", Message: clean(why)}}
	if f := p.Fault; f != nil {
		x.File, x.Line = clean(f.File), f.Line
		x.Error.Type, x.Error.Text = clean(f.Code), bounded(joined(f.Details, f.Next))
	}
	return x
}

// checkCase stands for a plugin that fails the project after it was tested.
func (p *Project) checkCase(e event.Event) caseXML {
	f := e.Fault
	return caseXML{
		Class: clean(p.Name()), Name: clean(e.Hook), File: clean(f.File), Line: f.Line, Time: inSeconds(e.Elapsed),
		Error: &whyXML{Type: clean(f.Code), Message: clean(f.Message), Text: bounded(joined(f.Details, f.Next))},
	}
}

func collectCase(e event.Event) caseXML {
	return caseXML{
		Class: className(e.Case), Name: "collection", File: clean(e.File), Line: e.Line, Time: inSeconds(0),
		Error: &whyXML{Type: "collection", Message: clean(e.Text), Text: bounded(e.Details)},
	}
}

func (p *Project) caseXML(c *Case) caseXML {
	class, name := splitNodeID(c.ID)
	x := caseXML{
		Class: clean(class), Name: clean(name), File: clean(c.File), Line: c.Line, Time: inSeconds(c.Elapsed),
		SystemOut: output(c.Stdout), SystemErr: output(c.Stderr),
		Failures: c.attemptsXML(event.Failed, "Failure"), Errors: c.attemptsXML(event.Errored, "Error"),
	}
	why := &whyXML{Message: clean(c.Text), Text: bounded(c.Details)}
	switch c.Outcome {
	case event.Passed, event.XPassed:
	case event.Failed:
		x.Failure = why
	case event.Errored:
		x.Error = why
	case event.Skipped:
		why.Type, x.Skipped = "pytest.skip", why
	case event.XFailed:
		why.Type, x.Skipped = "pytest.xfail", why
	case event.NotRun:
		fallthrough
	default:
		why.Type, why.Message = "not_run", clean("not run: "+cmp.Or(c.Text, "the run ended before"))
		if p.leftOut() {
			x.Skipped = why
		} else {
			x.Error = why
		}
	}
	return x
}

// splitNodeID turns "test/test_a.py::TestB::test_c[x::y]" into
// "test.test_a.TestB" and "test_c[x::y]", as pytest's own reports do.
func splitNodeID(id string) (class, name string) {
	file, rest, found := strings.Cut(id, "::")
	if !found {
		return className(id), path.Base(id)
	}
	head, params, hasParams := strings.Cut(rest, "[")
	class = className(file)
	if i := strings.LastIndex(head, "::"); i >= 0 {
		class, head = class+"."+strings.ReplaceAll(head[:i], "::", "."), head[i+2:]
	}
	if hasParams {
		head += "[" + params
	}
	return class, head
}

// className is a file as a Python module.
func className(file string) string {
	return clean(strings.ReplaceAll(strings.TrimSuffix(file, ".py"), "/", "."))
}

func output(text string) *textXML {
	if text == "" {
		return nil
	}
	return &textXML{bounded(text)}
}

func inSeconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(d, 0).Seconds()) }

func joined(parts ...string) string {
	return strings.TrimSpace(strings.Join(parts, "\n"))
}
