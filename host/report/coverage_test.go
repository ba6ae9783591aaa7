package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestAPercentageIsNeverRoundedUp(t *testing.T) {
	for _, tt := range []struct {
		part, whole int
		want        string
	}{{0, 0, "none"}, {0, 7, "0.0%"}, {2, 3, "66.6%"}, {99999, 100000, "99.9%"}, {5, 5, "100.0%"}} {
		if got := report.Percent(tt.part, tt.whole); got != tt.want {
			t.Errorf("%d of %d is %s, want %s", tt.part, tt.whole, got, tt.want)
		}
	}
}

func TestCoverageThatIsNotAsAskedForFailsTheRun(t *testing.T) {
	for name, tt := range map[string]struct {
		fault *fault.Error
		want  int
	}{
		"as asked for": {nil, 0},
		"too low":      {&fault.Error{Code: "test.coverage_low", Class: fault.Failed}, 1},
		"not measured": {&fault.Error{Code: "test.coverage_missing"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := &report.Run{}
			r.Apply(event.Event{Type: event.ProjectFinished, Project: "p", Status: event.OK})
			r.Apply(event.Event{Type: event.CoverageMade, Coverage: &event.Coverage{Minimum: 90}, Fault: tt.fault})
			if got := report.ExitCode(r); got != tt.want {
				t.Errorf("exit code %d, want %d", got, tt.want)
			}
			if d := r.Document(); d.Coverage == nil || d.Coverage.Minimum != 90 || d.Coverage.Fault != tt.fault {
				t.Errorf("the document says %+v", d.Coverage)
			}
		})
	}
}

func TestEachTestsuiteSaysWhatWasCovered(t *testing.T) {
	covered := event.Coverage{
		Covered: event.Covered{Lines: 30, CoveredLines: 20, Branches: 8, CoveredBranches: 1},
		Projects: []event.ProjectCoverage{
			{Project: ".", Covered: event.Covered{Lines: 10, CoveredLines: 10}},
			{Project: "infra", Covered: event.Covered{Lines: 3, CoveredLines: 2, Branches: 8, CoveredBranches: 1}},
			{Covered: event.Covered{Lines: 17, CoveredLines: 8}},
		},
		Missing: []event.Unmeasured{{Unit: "bare", Reason: "coverage.py is not in the image"}},
	}
	low := &fault.Error{Code: "test.coverage_low", Message: "66.6% of the lines are covered", Class: fault.Failed}
	root := parse(t, fold(
		ended(".", event.OK, nil), ended("infra", event.OK, nil), ended("bare", event.OK, nil),
		event.Event{Type: event.CoverageMade, Coverage: &covered, Fault: low},
	))
	own := map[string]map[string]string{
		".":     {"coverage.lines": "100.0%"},
		"infra": {"coverage.lines": "66.6%", "coverage.branches": "12.5%"},
		"bare":  {"coverage.missing": "coverage.py is not in the image"},
	}
	for _, suite := range root.all("testsuite") {
		want := own[suite.attr("name")]
		want["status"], want["run.coverage.lines"], want["run.coverage.branches"] = "ok", "66.6%", "12.5%"
		want["run.coverage.fault"] = "66.6% of the lines are covered [test.coverage_low]"
		if diff := cmp.Diff(want, suite.properties()); diff != "" {
			t.Errorf("%s: properties differ (-want +got):\n%s", suite.attr("name"), diff)
		}
		delete(own, suite.attr("name"))
	}
	if len(own) > 0 {
		t.Errorf("there is no testsuite of %v", own)
	}
}

func TestARunThatDidNotMeasureSaysNothingOfCoverage(t *testing.T) {
	for name := range parse(t, fold(ended("p", event.OK, nil))).all("testsuite")[0].properties() {
		if name != "status" {
			t.Errorf("there is a property %s", name)
		}
	}
}
