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
	done := map[string]*ofProject{}
	for _, a := range actions {
		if a.Test == nil || len(a.Test.Assigned) == 0 {
			continue
		}
		if done[a.Project] == nil {
			done[a.Project] = newOfProject(r, a.Project)
		}
		all = append(all, done[a.Project].missed(r, a)...)
	}
	return all
}

// ofProject is what is told of the cases of a project.
type ofProject struct {
	units []*report.Project
	nodes map[string][]string // node ids behind each file; "" stands for the file itself
	said  map[string]bool     // cases that are missed, and were told
}

func newOfProject(r *report.Run, project string) *ofProject {
	o := &ofProject{nodes: map[string][]string{}, said: map[string]bool{}}
	for _, p := range r.Projects {
		if p.Path != project {
			continue
		}
		o.units = append(o.units, p)
		for _, c := range p.Cases {
			o.add(c.ID)
		}
		for _, e := range slices.Concat(p.Deselected, p.Elsewhere, p.CollectErrors) {
			o.add(e.Case)
		}
	}
	return o
}

func (o *ofProject) add(id string) {
	file, node, _ := strings.Cut(id, "::")
	o.nodes[file] = append(o.nodes[file], node)
}

// tells reports whether a case is told for which an id stands, or its file as a whole.
func (o *ofProject) tells(file, id string) bool {
	return slices.ContainsFunc(o.nodes[file], func(node string) bool { return node == "" || place.Covers(id, node) })
}

// missed tells of the tests that a was to collect and that nobody tells of, once.
func (o *ofProject) missed(r *report.Run, a plan.Action) []event.Event {
	if len(o.units) == 0 || slices.ContainsFunc(o.units, cutShort) {
		return nil
	}
	sum := &accounting{run: r}
	for _, one := range a.Test.Assigned {
		file, found := strings.CutPrefix(one.File, a.Test.Dir+"/")
		elsewhere := r.Here != "" && !a.Test.Places.Collect(one.File) // nobody starts the container that has it
		if !found || elsewhere || o.tells(file, one.ID) || !a.Test.Whole(file, o.tells(file, "")) {
			continue
		}
		id := strings.TrimSuffix(file+"::"+one.ID, "::")
		if !o.said[id] {
			o.said[id] = true
			sum.end(o.units[0], event.Event{
				Case: id, File: path.Join(a.Project, file), Line: one.Line, Outcome: event.Errored,
				Text: fmt.Sprintf("plugin %s tells of it (%s), and pytest has not collected it", one.Plugin, one.At),
			})
		}
	}
	return sum.events
}

// cutShort reports whether p has not come to its end.
func cutShort(p *report.Project) bool {
	return !slices.Contains([]event.Status{event.OK, event.Bad, event.None}, p.Status)
}
