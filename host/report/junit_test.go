package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// node is an element of any document.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []node     `xml:",any"`
}

func (n node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (n node) all(name string) []node {
	var found []node
	for _, c := range n.Children {
		if c.XMLName.Local == name {
			found = append(found, c)
		}
	}
	return found
}

// properties are those of a testsuite, by name.
func (n node) properties() map[string]string {
	found := map[string]string{}
	for _, p := range n.all("properties")[0].all("property") {
		found[p.attr("name")] = p.attr("value")
	}
	return found
}

// element is what the schema says about one kind of element. Attributes map to
// the pattern of their value; "?" before a name makes it optional. Children are
// in order; "?" is at most one, "*" any number, "!" exactly one.
type element struct {
	attrs    map[string]string
	children []string
	text     bool
}

const (
	count   = `^\d+$`
	seconds = `^\d+\.\d{3}$`
	anyText = `(?s)^.*$`
	named   = `(?s)^.+$`
)

// schema is what every reader of JUnit files understands.
var schema = map[string]element{
	"testsuites": {map[string]string{"name": named, "tests": count, "failures": count, "errors": count, "skipped": count, "time": seconds}, []string{"*testsuite"}, false},
	"testsuite": {map[string]string{
		"name": named, "tests": count, "failures": count, "errors": count, "skipped": count, "time": seconds,
		"?timestamp": `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`,
	}, []string{"?properties", "*testcase"}, false},
	"properties": {nil, []string{"*property"}, false},
	"property":   {map[string]string{"name": named, "value": named}, nil, false},
	"testcase": {
		map[string]string{"classname": named, "name": named, "time": seconds, "?file": named, "?line": count},
		[]string{"?failure", "*rerunFailure", "*flakyFailure", "?skipped", "?error", "*rerunError", "*flakyError", "?system-out", "?system-err"},
		false,
	},
	"rerunFailure": rerunElement, "rerunError": rerunElement, "flakyFailure": rerunElement, "flakyError": rerunElement,
	"stackTrace": {nil, nil, true},
	"failure":    {map[string]string{"message": anyText, "?type": named}, nil, true},
	"error":      {map[string]string{"message": anyText, "?type": named}, nil, true},
	"skipped":    {map[string]string{"message": anyText, "type": `^pytest\.(skip|xfail)$|^not_run$`}, nil, true},
	"system-out": {nil, nil, true},
	"system-err": {nil, nil, true},
}

// rerunElement is an attempt that does not count.
var rerunElement = element{map[string]string{"message": anyText, "type": `^failed$|^errored$`}, []string{"!stackTrace", "?system-out", "?system-err"}, false}

func validate(n node) error {
	e, ok := schema[n.XMLName.Local]
	if !ok {
		return fmt.Errorf("<%s> is unknown", n.XMLName.Local)
	}
	if !e.text && strings.TrimSpace(n.Text) != "" {
		return fmt.Errorf("<%s> has the text %q", n.XMLName.Local, n.Text)
	}
	if err := e.validateAttrs(n); err != nil {
		return err
	}
	if err := e.validateChildren(n); err != nil {
		return err
	}
	for _, c := range n.Children {
		if err := validate(c); err != nil {
			return err
		}
	}
	return nil
}

func (e element) validateAttrs(n node) error {
	seen := map[string]bool{}
	for _, a := range n.Attrs {
		pattern, ok := e.attrs[a.Name.Local]
		if !ok {
			pattern, ok = e.attrs["?"+a.Name.Local]
		}
		if !ok || seen[a.Name.Local] || !regexp.MustCompile(pattern).MatchString(a.Value) {
			return fmt.Errorf("<%s> has %s=%q", n.XMLName.Local, a.Name.Local, a.Value)
		}
		seen[a.Name.Local] = true
	}
	for name := range e.attrs {
		if !strings.HasPrefix(name, "?") && !seen[name] {
			return fmt.Errorf("<%s> has no %s", n.XMLName.Local, name)
		}
	}
	return nil
}

func (e element) validateChildren(n node) error {
	at, repeats := 0, 0
	for _, c := range n.Children {
		for at < len(e.children) && (e.children[at][1:] != c.XMLName.Local || e.children[at][0] != '*' && repeats > 0) {
			at, repeats = at+1, 0
		}
		if at == len(e.children) {
			return fmt.Errorf("<%s> may not hold <%s> here", n.XMLName.Local, c.XMLName.Local)
		}
		repeats++
	}
	for _, child := range e.children {
		if child[0] == '!' && len(n.all(child[1:])) == 0 {
			return fmt.Errorf("<%s> has no <%s>", n.XMLName.Local, child[1:])
		}
	}
	if n.XMLName.Local == "testcase" && len(n.all("failure"))+len(n.all("error"))+len(n.all("skipped")) > 1 {
		return errors.New("<testcase> has more than one result")
	}
	return nil
}

// parse writes r as JUnit, reads it back and holds it against the schema.
func parse(t *testing.T, r *report.Run) node {
	t.Helper()
	var b bytes.Buffer
	if err := report.JUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	var root node
	d := xml.NewDecoder(bytes.NewReader(b.Bytes()))
	if err := d.Decode(&root); err != nil {
		t.Fatalf("it is not XML: %v\n%s", err, b.String())
	}
	for {
		after, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if text, ok := after.(xml.CharData); err != nil || !ok || strings.TrimSpace(string(text)) != "" {
			t.Fatalf("something follows the document: %v, %v", after, err)
		}
	}
	if err := validate(root); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return root
}

// recount adds up what the elements below n say.
func recount(suites ...node) (s report.Sums) {
	for _, suite := range suites {
		for _, c := range suite.all("testcase") {
			s.Tests++
			switch {
			case len(c.all("failure")) > 0:
				s.Failures++
			case len(c.all("error")) > 0:
				s.Errors++
			case len(c.all("skipped")) > 0 && c.all("skipped")[0].attr("type") == "not_run":
				s.NotRun++
			case len(c.all("skipped")) > 0:
				s.Skipped++
			default:
				s.Passed++
			}
		}
	}
	return s
}

// attributes are the numbers that n itself gives.
func attributes(t *testing.T, n node) (s report.Sums) {
	t.Helper()
	for name, field := range map[string]*int{"tests": &s.Tests, "failures": &s.Failures, "errors": &s.Errors, "skipped": &s.Skipped} {
		value, err := strconv.Atoi(n.attr(name))
		if err != nil {
			t.Fatal(err)
		}
		*field = value
	}
	s.Passed = s.Tests - s.Failures - s.Errors - s.Skipped
	return s
}

// inJUnit is s in the words of JUnit, which knows no case that was left out.
func inJUnit(s report.Sums) report.Sums {
	s.Skipped, s.NotRun = s.Skipped+s.NotRun, 0
	return s
}

// expected recounts events without any of the code under test.
func expected(events []event.Event) report.Counts {
	last, deselected, errors := map[string]event.Outcome{}, 0, 0
	for _, e := range events {
		switch e.Type {
		case event.Collected:
			for _, id := range e.Cases {
				last[e.Project+" "+id] += ""
			}
		case event.CaseRetried:
			last[e.Project+" "+e.Case] += ""
		case event.CaseFinished:
			last[e.Project+" "+e.Case] = e.Outcome
		case event.CaseDeselected:
			deselected++
		case event.CollectFailed:
			errors++
		}
	}
	count := map[event.Outcome]int{}
	for _, o := range last {
		count[o]++
	}
	return report.Counts{
		Collected: len(last), Passed: count[event.Passed], Failed: count[event.Failed], Skipped: count[event.Skipped],
		XFailed: count[event.XFailed], XPassed: count[event.XPassed], Errored: count[event.Errored],
		NotRun: count[event.NotRun] + count[""], Deselected: deselected, CollectErrors: errors,
	}
}

func TestTableJUnitAndEventsAgreeOnAnyRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	for i := range 200 {
		events := randomRun(rng)
		r := fold(events...)
		if got, want := r.Total(), expected(events); got != want {
			t.Fatalf("run %d: counts %+v, the events say %+v", i, got, want)
		}
		n := r.Total()
		if sum := n.Passed + n.Failed + n.Skipped + n.XFailed + n.XPassed + n.Errored + n.NotRun; sum != n.Collected {
			t.Fatalf("run %d: the outcomes add up to %d, collected are %d", i, sum, n.Collected)
		}
		root := parse(t, r)
		suites := root.all("testsuite")
		if a, b, c := attributes(t, root), recount(suites...), r.Sums(); a != inJUnit(b) || b != c {
			t.Fatalf("run %d: attributes %+v, elements %+v, table %+v", i, a, b, c)
		}
		for j, p := range r.Projects {
			if a, b, c := attributes(t, suites[j]), recount(suites[j]), p.Sums(); a != inJUnit(b) || b != c || suites[j].attr("name") != p.Path {
				t.Fatalf("run %d, %s: attributes %+v, elements %+v, table %+v", i, p.Path, a, b, c)
			}
		}
		seen := recount(suites...)
		if green := seen.Failures+seen.Errors == 0 && len(suites) > 0; green != (report.ExitCode(r) == 0) {
			t.Fatalf("run %d: exit code %d with %+v", i, report.ExitCode(r), seen)
		}
	}
}

func TestACaseIsWrittenAsPytestWould(t *testing.T) {
	r := fold(
		event.Event{
			Type: event.RunStarted, Run: "20261123-021533-ab12",
			Personal: []event.Setting{{Key: "env.allow", Value: []string{"EDITOR"}}, {Key: "limits.memory", Value: "2GiB\x00"}},
		},
		event.Event{Type: event.ProjectPlanned, Project: "apps/web", Image: "wr.local/web:1", Text: "mounts images", Rights: []event.Right{
			{Kind: "privileged"}, {Kind: "mounts", Names: []string{"/a:/b", "/c:/d"}},
		}},
		event.Event{
			Type: event.CaseFinished, Project: "apps/web", Case: "test/test_a.py::TestB::test_c[x::y]", Outcome: event.Failed,
			File: "apps/web/test/test_a.py", Line: 7, Elapsed: 1500 * time.Millisecond, Text: "assert 1 == 2", Details: "E  assert", Stdout: "out",
		},
		event.Event{Type: event.CaseFinished, Project: "apps/web", Case: "test_x.py::test_x", Outcome: event.XFailed, Text: "known"},
		ended("apps/web", event.Bad, nil),
	)
	suite := parse(t, r).all("testsuite")[0]
	properties := suite.properties()
	want := map[string]string{
		"image": "wr.local/web:1", "run": "20261123-021533-ab12", "status": "failed",
		"rights.privileged": "yes", "rights.mounts": "/a:/b /c:/d", "rights.reason": "mounts images",
		"personal.env.allow": `["EDITOR"]`, "personal.limits.memory": `"2GiB\u0000"`,
	}
	if diff := cmp.Diff(want, properties); diff != "" {
		t.Errorf("properties differ (-want +got):\n%s", diff)
	}
	failed, xfailed := suite.all("testcase")[0], suite.all("testcase")[1]
	for name, want := range map[string]string{
		"classname": "test.test_a.TestB", "name": "test_c[x::y]", "file": "apps/web/test/test_a.py", "line": "7", "time": "1.500",
	} {
		if got := failed.attr(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if f := failed.all("failure")[0]; f.attr("message") != "assert 1 == 2" || f.Text != "E  assert" {
		t.Errorf("the failure is %+v", f)
	}
	if out := failed.all("system-out")[0].Text; out != "out" {
		t.Errorf("system-out is %q", out)
	}
	if s := xfailed.all("skipped")[0]; s.attr("type") != "pytest.xfail" || s.attr("message") != "known" {
		t.Errorf("the xfailed case is %+v", s)
	}
}

func TestWhatWasNotTestedIsAnErrorThatSaysWhy(t *testing.T) {
	cases := map[string]struct {
		events []event.Event
		want   string
	}{
		"not built":     {[]event.Event{ended("p", event.Broken, &fault.Error{Code: "image.build_failed", Message: "no such base"})}, "no such base [image.build_failed]"},
		"not reached":   {[]event.Event{{Type: event.ProjectPlanned, Project: "p"}}, "the run ended before it was tested"},
		"interrupted":   {[]event.Event{ended("p", event.Interrupted, nil)}, "interrupted before it was tested"},
		"not collected": {[]event.Event{{Type: event.CollectFailed, Project: "p", Case: "test_a.py", Text: "bad syntax"}, ended("p", event.Bad, nil)}, "bad syntax"},
		"not run": {[]event.Event{
			{Type: event.CaseFinished, Project: "p", Case: "a", Outcome: event.NotRun, Text: "the process died"}, ended("p", event.Bad, nil),
		}, "not run: the process died"},
		"interrupted in the middle": {[]event.Event{
			{Type: event.SessionFinished, Project: "p", Text: "KeyboardInterrupt"},
			{Type: event.CaseFinished, Project: "p", Case: "a", Outcome: event.NotRun, Text: "interrupted"},
			ended("p", event.Interrupted, nil),
		}, "not run: interrupted"},
		"cut off": {[]event.Event{
			{Type: event.SessionFinished, Project: "p", Text: "stopping after 1 failures"},
			{Type: event.CaseFinished, Project: "p", Case: "a", Outcome: event.NotRun},
		}, "not run: the run ended before"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			root := parse(t, fold(c.events...))
			found := root.all("testsuite")[0].all("testcase")
			if len(found) != 1 || len(found[0].all("error")) != 1 || found[0].all("error")[0].attr("message") != c.want {
				t.Errorf("got %+v, want one error %q", found, c.want)
			}
			if root.attr("errors") != "1" {
				t.Errorf("errors=%s, want 1", root.attr("errors"))
			}
		})
	}
}

func TestWhatPytestLeftOutIsSkippedAndSaysWhy(t *testing.T) {
	r := fold(
		event.Event{Type: event.Collected, Project: "p", Cases: []string{"a", "b", "c"}},
		finished("p", "a", event.Failed),
		event.Event{Type: event.SessionFinished, Project: "p", Exit: 1, Text: "stopping after 1 failures"},
		event.Event{Type: event.CaseFinished, Project: "p", Case: "b", Outcome: event.NotRun, Text: "stopping after 1 failures"},
		event.Event{Type: event.CaseFinished, Project: "p", Case: "c", Outcome: event.NotRun, Text: "stopping after 1 failures"},
		ended("p", event.Bad, nil),
	)
	root := parse(t, r)
	if got, want := attributes(t, root), (report.Sums{Tests: 3, Failures: 1, Skipped: 2}); got != want {
		t.Errorf("attributes are %+v, want %+v", got, want)
	}
	if got, want := r.Sums(), (report.Sums{Tests: 3, Failures: 1, NotRun: 2}); got != want || report.ExitCode(r) != 1 {
		t.Errorf("sums are %+v, want %+v; exit %d", got, want, report.ExitCode(r))
	}
	skipped := root.all("testsuite")[0].all("testcase")[1].all("skipped")[0]
	if skipped.attr("type") != "not_run" || skipped.attr("message") != "not run: stopping after 1 failures" {
		t.Errorf("the case is %+v", skipped)
	}
}

func TestAFailedProjectIsNeverGreenForWhatWasLeftOut(t *testing.T) {
	root := parse(t, fold(
		event.Event{Type: event.SessionFinished, Project: "p", Text: "enough"}, finished("p", "a", event.NotRun), ended("p", event.Bad, nil),
	))
	if root.attr("errors") != "1" {
		t.Errorf("errors=%s, want 1", root.attr("errors"))
	}
}

func TestNoTestsByDeclarationAreNoError(t *testing.T) {
	root := parse(t, fold(event.Event{Type: event.ProjectFinished, Project: "infra", Status: event.None, Text: "tools only"}))
	if got := attributes(t, root); got != (report.Sums{}) {
		t.Errorf("got %+v, want nothing", got)
	}
}

func TestLongOutputKeepsItsHeadAndTail(t *testing.T) {
	long := "first" + strings.Repeat("ą", 1<<20) + "last"
	root := parse(t, fold(
		event.Event{Type: event.CaseFinished, Project: "p", Case: "a", Outcome: event.Passed, Stdout: long}, ended("p", event.OK, nil),
	))
	got := root.all("testsuite")[0].all("testcase")[0].all("system-out")[0].Text
	if len(got) > 200<<10 || !strings.HasPrefix(got, "firstą") || !strings.HasSuffix(got, "ąlast") || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("%d bytes from %.20q to %q", len(got), got, got[len(got)-20:])
	}
	if !regexp.MustCompile(`\[\.\.\. \d+ bytes cut by wr \.\.\.\]`).MatchString(got) {
		t.Error("no mark says what was cut")
	}
}

func TestWhatXMLCannotHoldIsLeftOut(t *testing.T) {
	root := parse(t, fold(event.Event{
		Type: event.CaseFinished, Project: "p", Case: "a", Outcome: event.Failed, Text: "\x00\x1b[31mred\uFFFE \xff ok",
	}, ended("p", event.Bad, nil)))
	if got, want := root.all("testsuite")[0].all("testcase")[0].all("failure")[0].attr("message"), "[31mred \uFFFD ok"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
