package testrun

import (
	"slices"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// unitMeasured is a unit and what it has left.
type unitMeasured struct {
	plan.Action
	measured

	status event.Status
	lacks  string // what there is not of it; "" = all is there
}

// usable reports whether there is something to combine of u.
func (u unitMeasured) usable() bool { return u.data && u.Problem == "" }

// silent reports whether nothing but its coverage shows that u lacks some.
func (u unitMeasured) silent() bool {
	return u.Problem != "" || (!u.data || u.lost) && u.lacks != "" && u.status == event.OK
}

// unitsMeasured are the units that were to be measured, each once.
func (d *doing) unitsMeasured(result *report.Run) []unitMeasured {
	var all []unitMeasured
	for _, a := range d.actions {
		known := slices.ContainsFunc(all, func(u unitMeasured) bool { return u.Unit() == a.Unit() })
		if a.Test == nil || !a.Test.Coverage || known {
			continue
		}
		u := unitMeasured{Action: a}
		if i := slices.IndexFunc(result.Projects, func(one *report.Project) bool { return one.Unit() == a.Unit() }); i >= 0 {
			u.status = result.Projects[i].Status
		}
		left, err := d.dir.measured(a.Unit().String())
		switch {
		case err != nil:
			u.Problem = "what it has left cannot be read: " + err.Error()
		case left != nil:
			u.measured = *left
		}
		if u.lost {
			u.Next = "measure without a debugger"
		}
		u.lacks = u.lack(left != nil)
		all = append(all, u)
	}
	return all
}

// lack is what there is not of u; began says that its pytest began.
func (u unitMeasured) lack(began bool) string {
	switch {
	case u.Problem != "":
		return u.Problem
	case !began && u.status == event.OK:
		return "it ran, and has left nothing"
	case !began:
		return "it was not tested: " + string(u.status)
	case u.status == event.Interrupted || u.status == event.Stopped || u.status == event.TimedOut:
		return "it did not come to its end: " + string(u.status)
	case u.pending:
		return "a process of it ended before it had written what it covered"
	case u.lost:
		return "a debugger, or a test that calls sys.settrace, took the place of coverage.py: what ran after that is not in it"
	case !u.data:
		return "it has left no data"
	default:
		return ""
	}
}

// missing lists the units of which something is missing.
func missing(units []unitMeasured) []event.Unmeasured {
	var all []event.Unmeasured
	for _, u := range units {
		if u.lacks != "" {
			all = append(all, event.Unmeasured{Unit: u.Unit().String(), Reason: u.lacks, Partly: u.usable()})
		}
	}
	return all
}

// unmeasured is the fault of units that were tested and not measured, or nil:
// what they cover would be missing in the sum, and nobody would know.
func unmeasured(units []unitMeasured) *fault.Error {
	var names, next []string
	for _, u := range units {
		if u.silent() {
			names = append(names, u.Unit().String())
			if u.Next != "" && !slices.Contains(next, u.Next) {
				next = append(next, u.Next)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &fault.Error{
		Code: "test.coverage_missing", Message: "what these tests cover could not be measured: " + strings.Join(names, ", "),
		Next: strings.Join(next, "\n"),
	}
}
