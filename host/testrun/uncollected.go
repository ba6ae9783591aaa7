package testrun

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
)

// uncollected returns what is to be told of tests that plugins have told of and
// that pytest has not collected, though it was to collect all of their files. A
// run in which one container has not come to its end says that.
func uncollected(r *report.Run, actions []plan.Action) []event.Event {
	var all []event.Event
	told := map[string]bool{}
	for _, a := range actions {
		if a.Test == nil {
			continue
		}
		units := slices.DeleteFunc(slices.Clone(r.Projects), func(p *report.Project) bool { return p.Path != a.Project })
		if len(units) == 0 || slices.ContainsFunc(units, cutShort) {
			continue
		}
		for _, one := range a.Test.Assigned {
			if r.Here != "" && !a.Test.Places.Collect(one.File) { // nobody starts the containers that have it
				continue
			}
			key := a.Project + "\x00" + one.File + "\x00" + one.ID
			if missed := uncollectedOf(a, one, units); missed != nil && !told[key] {
				told[key] = true
				sum := &accounting{run: r}
				sum.end(units[0], *missed)
				all = append(all, sum.events...)
			}
		}
	}
	return all
}

// cutShort reports whether p has not come to its end.
func cutShort(p *report.Project) bool {
	return !slices.Contains([]event.Status{event.OK, event.Bad, event.None}, p.Status)
}

// uncollectedOf is the end of the test that is told of, or nil if it was collected or
// somebody else says why not.
func uncollectedOf(a plan.Action, one plan.Assigned, units []*report.Project) *event.Event {
	file, found := strings.CutPrefix(one.File, a.Test.Dir+"/")
	tells := func(id string) bool {
		return slices.ContainsFunc(units, func(p *report.Project) bool { return hasTold(p, file, id) })
	}
	if !found || tells(one.ID) || !a.Test.Whole(file, tells("")) {
		return nil
	}
	id := file
	if one.ID != "" {
		id += "::" + one.ID
	}
	return &event.Event{
		Case: id, File: path.Join(a.Project, file), Line: one.Line, Outcome: event.Errored,
		Text: fmt.Sprintf("plugin %s tells of it (%s), and pytest has not collected it", one.Plugin, one.At),
	}
}

// hasTold reports whether p tells of a case for which the id stands, or of its
// file as a whole.
func hasTold(p *report.Project, file, id string) bool {
	is := func(other string) bool {
		in, node, _ := strings.Cut(other, "::")
		return in == file && (node == "" || place.Covers(id, node))
	}
	told := func(e event.Event) bool { return is(e.Case) }
	return slices.ContainsFunc(p.Cases, func(c *report.Case) bool { return is(c.ID) }) ||
		slices.ContainsFunc(p.Deselected, told) || slices.ContainsFunc(p.Elsewhere, told) || slices.ContainsFunc(p.CollectErrors, told)
}
