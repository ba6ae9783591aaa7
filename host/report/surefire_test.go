package report_test

import (
	"encoding/xml"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
)

// surefire is the shape of Surefire's files as the xUnit plugin of Jenkins
// checks it (junit-10.xsd), the strictest of the readers: the attributes and
// the children that an element may have; "!" = it must have it.
var surefire = map[string]struct{ attrs, children []string }{
	"testsuites": {[]string{"name", "time", "tests", "failures", "errors"}, []string{"testsuite"}},
	"testsuite": {
		[]string{"!name", "!tests", "!failures", "!errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
		[]string{"testsuite", "properties", "testcase", "system-out", "system-err"},
	},
	"properties": {nil, []string{"property"}},
	"property":   {[]string{"!name", "!value"}, nil},
	"testcase": {
		[]string{"!name", "time", "classname", "group"},
		[]string{"skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError", "system-out", "system-err"},
	},
	"failure": {[]string{"type", "message"}, nil}, "error": {[]string{"type", "message"}, nil}, "skipped": {[]string{"type", "message"}, nil},
	"rerunFailure": rerun, "rerunError": rerun, "flakyFailure": rerun, "flakyError": rerun,
	"stackTrace": {}, "system-out": {}, "system-err": {},
}

// rerun is the shape of an attempt that does not count.
var rerun = struct{ attrs, children []string }{[]string{"message", "!type"}, []string{"stackTrace", "system-out", "system-err"}}

// extensions are what wr writes beyond that shape, because those who show
// results read it. docs/reports.md names them.
var extensions = []string{"testsuites skipped", "testcase file", "testcase line"}

// surefireTime is what the schema takes for a number of seconds.
var surefireTime = regexp.MustCompile(`^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?$`)

func TestJUnitHasTheShapeOfSurefire(t *testing.T) {
	rng, used := rand.New(rand.NewPCG(21, 4)), map[string]bool{}
	for range 100 {
		holdAgainstSurefire(t, parse(t, fold(randomRun(rng)...)), used)
	}
	for _, one := range extensions {
		if !used[one] {
			t.Errorf("%s is not written any more: take it out of the extensions", one)
		}
	}
}

// holdAgainstSurefire checks n and what is below it, and notes in used which
// extensions there are.
func holdAgainstSurefire(t *testing.T, n node, used map[string]bool) {
	t.Helper()
	name := n.XMLName.Local
	shape, known := surefire[name]
	if !known {
		t.Fatalf("<%s> is unknown", name)
	}
	for _, a := range n.Attrs {
		switch extension := name + " " + a.Name.Local; {
		case slices.Contains(extensions, extension):
			used[extension] = true
		case !slices.Contains(shape.attrs, a.Name.Local) && !slices.Contains(shape.attrs, "!"+a.Name.Local):
			t.Errorf("<%s> has %s, which a strict reader refuses", name, a.Name.Local)
		case a.Name.Local == "time" && !surefireTime.MatchString(a.Value):
			t.Errorf("<%s> took %q", name, a.Value)
		}
	}
	for _, attr := range shape.attrs {
		if attr[0] == '!' && !slices.ContainsFunc(n.Attrs, func(a xml.Attr) bool { return a.Name.Local == attr[1:] }) {
			t.Errorf("<%s> has no %s", name, attr[1:])
		}
	}
	for _, c := range n.Children {
		if !slices.Contains(shape.children, c.XMLName.Local) {
			t.Errorf("<%s> holds <%s>", name, c.XMLName.Local)
		}
		holdAgainstSurefire(t, c, used)
	}
}
