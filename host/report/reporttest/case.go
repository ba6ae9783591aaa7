// Package reporttest reads how cases ended, out of the reports of wr and out of
// what plain pytest writes, so that tests can hold one against the other case by
// case. It belongs to tests alone. What it reads it has to understand: a report
// that it cannot tell apart is an error, never a case less.
package reporttest

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// How a case may have ended. The two errors are of what is around the case: before
// it, which is a fixture in most cases, and after it.
const (
	passed     = "passed"
	failed     = "failed"
	skipped    = "skipped"
	xfailed    = "xfailed"
	xpassed    = "xpassed"
	errored    = "error before"
	untidy     = "error in teardown"
	uncollable = "not collected"
	notRun     = "not run"
)

// Case is how a case has ended. A report has one for each time that it tells so.
type Case struct {
	ID      string // workspace path of its code, module and classes from the workspace on, name with parameters; of a file as a whole the module
	Outcome string
}

// document is a JUnit file, of either.
type document struct {
	Suites []suite `xml:"testsuite"`
}

type suite struct {
	Name  string    `xml:"name,attr"`
	Cases []element `xml:"testcase"`
}

type element struct {
	Class   string `xml:"classname,attr"`
	Name    string `xml:"name,attr"`
	File    string `xml:"file,attr"`
	Failure []why  `xml:"failure"`
	Error   []why  `xml:"error"`
	Skipped []why  `xml:"skipped"`
}

type why struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
}

func parse(junit []byte) ([]suite, error) {
	var d document
	if err := xml.Unmarshal(junit, &d); err != nil {
		return nil, fmt.Errorf("read JUnit: %w", err)
	}
	if len(d.Suites) == 0 {
		return nil, fmt.Errorf("read JUnit: no testsuite in %.100q", junit)
	}
	return d.Suites, nil
}

// id names a case of a module below base, a directory of the workspace. name is
// "" for the module itself.
func id(file, base, module, name string) string {
	if base != "." && base != "" {
		module = strings.ReplaceAll(base, "/", ".") + "." + module
	}
	if name == "" {
		return module
	}
	return file + " " + module + "::" + name
}

// outcome is what e says, whoever wrote it; the worst of it counts.
func (e element) outcome() (string, error) {
	first := cmp.Or(len(e.Failure), len(e.Error), len(e.Skipped))
	switch {
	case first == 0:
		return passed, nil
	case len(e.Failure) > 0:
		return failed, nil
	case len(e.Error) > 0:
		return e.Error[0].outcome(), nil
	}
	switch w := e.Skipped[0]; {
	case w.Type == "pytest.skip", w.Message == "collection skipped":
		return skipped, nil
	case w.Type == "pytest.xfail":
		return xfailed, nil
	case w.Type == "not_run":
		return notRun, nil
	default:
		return "", fmt.Errorf("read JUnit: %s %s is skipped as %q (%s), which is unknown", e.Class, e.Name, w.Type, w.Message)
	}
}

// inTeardown is how the message of an error in a teardown begins, wr's and pytest's.
var inTeardown = regexp.MustCompile(`^(attempt \d+: )?(teardown: |failed on teardown)`)

// outcome is that of an error.
func (w why) outcome() string {
	switch {
	case w.Type == "not_run":
		return notRun
	case w.Type == "collection", w.Message == "collection failure":
		return uncollable
	case inTeardown.MatchString(w.Message):
		return untidy
	default:
		return errored
	}
}

// ofFile reports whether e is about a file as a whole, and returns its module.
// pytest writes that as the name of a case without class; wr has the file as name.
func (e element) ofFile() (module string, whole bool) {
	if e.Class == "" {
		return e.Name, true
	}
	file := strings.TrimSuffix(e.Name, ".py")
	return e.Class, e.Name == "collection" && len(e.Error) > 0 && e.Error[0].Type == "collection" ||
		file != e.Name && (e.Class == file || strings.HasSuffix(e.Class, "."+file))
}

// read is e as a case; base is the directory that its class begins at, and
// files are relative to root, both in the workspace.
func (e element) read(base, root string) (Case, error) {
	outcome, err := e.outcome()
	if module, whole := e.ofFile(); whole {
		return Case{id("", base, module, ""), outcome}, err
	}
	return Case{id(path.Join(root, e.File), base, e.Class, e.Name), outcome}, err
}
