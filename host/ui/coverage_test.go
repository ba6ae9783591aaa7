package ui_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// measured is a run that passed and of which web was not measured.
func measured() *report.Run {
	r := &report.Run{}
	r.Apply(event.Event{Type: event.RunStarted, Run: "20261124-1"})
	r.Apply(event.Event{Type: event.Collected, Project: "infra", Cases: []string{"test_a"}})
	r.Apply(event.Event{Type: event.CaseFinished, Project: "infra", Case: "test_a", Outcome: event.Passed})
	r.Apply(event.Event{Type: event.ProjectFinished, Project: "infra", Status: event.OK})
	r.Apply(event.Event{
		Type: event.CoverageMade,
		Coverage: &event.Coverage{
			Covered: event.Covered{Lines: 1234, CoveredLines: 1040, Branches: 100, CoveredBranches: 71}, Page: ".wr/runs/1/coverage/html/index.html",
			Missing: []event.Unmeasured{{Unit: "web", Reason: "coverage.py is not in the image"}, {Unit: "infra", Reason: "a process died", Partly: true}},
			Notes:   []string{"Couldn't parse a.py"},
		},
		Fault: &fault.Error{Code: "test.coverage_missing", Message: "could not be measured: web", Next: "add coverage to the image"},
	})
	r.Apply(event.Event{Type: event.RunFinished, Exit: 3})
	return r
}

func TestTheLineOnCoverageSaysWhatItLacks(t *testing.T) {
	var out bytes.Buffer
	if err := ui.Summary(&out, ui.Style{}, measured(), "../.wr/runs/1/junit.xml"); err != nil {
		t.Fatal(err)
	}
	want := `
coverage 84.2% of 1,234 lines, 71.0% of branches  ../.wr/runs/1/coverage/html/index.html
  lacks web: coverage.py is not in the image
  lacks some of infra: a process died
  coverage.py: Couldn't parse a.py
  error: could not be measured: web [test.coverage_missing]
   next: add coverage to the image

all passed, but not the coverage, 1 test in 0.00s  ../.wr/runs/1/junit.xml
`
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("got\n%s\nwant at its end\n%s", out.String(), want)
	}
}

func TestGitHubIsToldOfTheCoverage(t *testing.T) {
	var out bytes.Buffer
	if err := ui.JobSummary(&out, measured()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\ncoverage 84.2% of 1,234 lines", "\nlacks web&#58; coverage.py", "\nlacks some of infra", "**test.coverage&#95;missing** could not"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}
