package testrun

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// unsuited returns what is to be told if nothing at all has run because all
// cases are in suites that were not asked for: a project may be without, a run
// without any is a mistake.
func unsuited(r *report.Run, planned []plan.Action) []event.Event {
	allowed := slices.ContainsFunc(planned, func(a plan.Action) bool { return a.Test != nil && a.Test.AllowEmpty })
	if n := r.Total(); allowed || n.Collected+n.CollectErrors > 0 {
		return nil
	}
	left := r.LeftSuites()
	i := slices.IndexFunc(r.Projects, func(unit *report.Project) bool { return unit.Status == event.OK && len(unit.Deselected) > 0 })
	if len(left) == 0 || i < 0 {
		return nil
	}
	unit := r.Projects[i]
	return []event.Event{event.Event{
		Type: event.ProjectFinished, Status: event.Bad, Image: unit.Image, Elapsed: unit.Elapsed, Fault: noneOf(left),
	}.Of(unit.Unit())}
}

func noneOf(left []report.SuiteCount) *fault.Error {
	var parts, asked []string
	for _, s := range left {
		if s.Suite == "" {
			parts, asked = append(parts, fmt.Sprintf("%d in no suite", s.Cases)), append(asked, config.AllSuites)
			continue
		}
		parts, asked = append(parts, fmt.Sprintf("%d in suite %s", s.Cases, s.Suite)), append(asked, s.Suite)
	}
	return &fault.Error{
		Code: "test.none_collected", Class: fault.Failed, Message: "no tests are left: " + strings.Join(parts, ", "),
		Next: "wr test --suite " + strings.Join(asked, ","),
	}
}
