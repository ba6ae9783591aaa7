package report_test

import (
	"testing"

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
