package report_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

func found(file string, line int, severity abi.Severity, message string) abi.Diagnostic {
	return abi.Diagnostic{File: file, Range: abi.Range{Start: abi.Position{Line: line, Column: 2}}, Severity: severity, Rule: "r", Message: message}
}

// check is what a plugin said at a hook.
func check(hook string, diagnostics ...abi.Diagnostic) report.Check {
	return report.NewCheck(report.Check{Plugin: "gate", Project: "a", Hook: hook, Diagnostics: diagnostics}, nil)
}

func TestErrorsFailACheckAndNothingElseDoes(t *testing.T) {
	if c := check("before test", found("a/x", 1, abi.SeverityWarning, "slow"), found("a/x", 2, abi.SeverityInfo, "so so")); c.Fault != nil {
		t.Errorf("got %v", c.Fault)
	}
	c := check("before test", found("a/x", 1, abi.SeverityWarning, "slow"), found("a/x", 2, abi.SeverityError, "wrong"), found("a/y", 3, abi.SeverityError, "worse"))
	if f := c.Fault; f == nil || f.Class != fault.Failed || f.File != "a/x" || f.Line != 2 || f.Message != "gate, before test: wrong" || f.Details != "a/y:3:2: worse\n" {
		t.Errorf("got %+v", f)
	}
	broken := report.NewCheck(report.Check{Plugin: "gate", Project: "a", Hook: "before test"}, errors.New("it broke"))
	if got := report.Refusal([]report.Check{c, broken}); got != broken.Fault {
		t.Errorf("a plugin that did not work comes after one that found something: %v", got)
	}
	if got := report.Refusal([]report.Check{check("before test"), c}); got != c.Fault {
		t.Errorf("got %v", got)
	}
}

func TestWhatPluginsFindAfterTestsFailsTheRun(t *testing.T) {
	run := func(checks ...report.Check) *report.Run {
		r := &report.Run{}
		r.Apply(event.Event{Type: event.ProjectPlanned, Project: "a", Slice: "slow"})
		r.Apply(event.Event{Type: event.ProjectFinished, Project: "a", Slice: "slow", Status: event.OK})
		for _, c := range checks {
			for _, e := range c.Events() {
				r.Apply(e)
			}
		}
		return r
	}
	if r := run(check("after test", found("a/x", 1, abi.SeverityWarning, "slow"))); report.ExitCode(r) != 0 || len(r.Projects) != 1 || r.Sums().Errors != 0 {
		t.Errorf("a warning fails it: %+v", r.Projects)
	}
	if r := run(check("before test", found("a/x", 1, abi.SeverityError, "wrong"))); report.ExitCode(r) != 0 {
		t.Error("what was said before counts twice: as that, and as what became of the project")
	}
	r := run(check("after test", found("a/x", 1, abi.SeverityError, "wrong")))
	if report.ExitCode(r) != 1 || len(r.Projects) != 1 || r.Sums().Errors != 1 || r.Sums().Tests != 1 {
		t.Errorf("exit %d, %+v", report.ExitCode(r), r.Sums())
	}
	if bad := r.Projects[0].Bad(); len(bad) != 1 || bad[0].Title != "after test" || bad[0].File != "a/x" {
		t.Errorf("got %+v", bad)
	}
	var junit strings.Builder
	if err := report.JUnit(&junit, r); err != nil || !strings.Contains(junit.String(), `errors="1"`) || !strings.Contains(junit.String(), `name="after test" file="a/x" line="1"`) {
		t.Errorf("got %s, %v", junit.String(), err)
	}
	if broken := report.NewCheck(report.Check{Plugin: "gate", Project: "a", Hook: "after test"}, errors.New("it broke")); report.ExitCode(run(broken)) != 3 {
		t.Error("a plugin that did not work is no failure of wr")
	}
}

func TestWhatIsFoundAfterABuildBelongsToWhoUsesTheImage(t *testing.T) {
	r := &report.Run{}
	for _, name := range []string{"a", "b"} {
		r.Apply(event.Event{Type: event.ProjectPlanned, Project: name, Image: "image-of-" + name})
		r.Apply(event.Event{Type: event.ProjectFinished, Project: name, Status: event.OK})
	}
	c := report.NewCheck(report.Check{Plugin: "gate", Project: "base", Hook: "after build", Image: "image-of-b"}, errors.New("it broke"))
	for _, e := range c.Events() {
		r.Apply(e)
	}
	i := slices.IndexFunc(r.Projects, func(p *report.Project) bool { return len(p.Checks) > 0 })
	if len(r.Projects) != 2 || i != 1 {
		t.Errorf("it is with project %d of %d", i, len(r.Projects))
	}
}
