package testrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// PlanFile is the name of the plan in a run's directory.
const PlanFile = "plan.json"

// planSize bounds what is read of it, in bytes.
const planSize = 256 << 20

// keepPlan writes what is planned so far, so that the run can be repeated.
func (d *doing) keepPlan(p plan.Plan) error {
	p.Actions = d.actions
	return d.dir.run.Replace(PlanFile, func(f *os.File) error { return json.NewEncoder(f).Encode(p.Recorded()) })
}

// Plan reads back what was planned for the run.
func (d RunDir) Plan() (plan.Plan, error) {
	text, err := readRegular(d.run, PlanFile, planSize)
	var p plan.Plan
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err == nil {
		return p, nil
	}
	f := &fault.Error{Code: "replay.no_plan", Message: fmt.Sprintf("cannot read what was planned for run %s: %v", d.ID, err), Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		f.Message = fmt.Sprintf("run %s has no %s, so it cannot be repeated", d.ID, PlanFile)
		f.Next = "keep the whole directory of a run as an artifact, .wr/runs/ID"
	}
	return plan.Plan{}, f
}

// unrepeated returns what is to be told of cases that a run was to repeat and
// that were not collected.
func unrepeated(r *report.Run, actions []plan.Action) []event.Event {
	var all []event.Event
	for _, a := range actions {
		i := slices.IndexFunc(r.Projects, func(p *report.Project) bool { return p.Unit() == a.Unit() })
		if a.Test == nil || len(a.Test.Order) == 0 || i < 0 {
			continue
		}
		p := r.Projects[i]
		if p.Status != event.OK && p.Status != event.Bad {
			continue // that says it
		}
		told := &accounting{run: r}
		for _, id := range a.Test.Order {
			if p.Case(id) == nil && strings.Contains(id, "::") {
				told.end(p, event.Event{Case: id, Outcome: event.Errored, Text: "it was in the run that is repeated, and is not collected now"})
			}
		}
		all = append(all, told.events...)
	}
	return all
}
