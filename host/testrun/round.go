package testrun

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
)

// Moved are cases that belong in a container for which nothing of their files was
// planned: only Python could tell.
type Moved struct {
	Project   string   // whose cases they are, by path
	Container string   // in whose container they belong: path of a project, or name of an entry of [images]
	Files     []string // theirs, workspace paths
	Cases     []string // node ids
}

// place is where m belongs.
func (m Moved) place() event.Unit { return placeOf(m.Project, m.Container) }

// action stands for what tests m while nobody can plan it.
func (m Moved) action() plan.Action {
	u := m.place()
	return plan.Action{ID: string(plan.Test) + ":" + u.String(), Kind: plan.Test, Project: u.Project, Container: u.Container}
}

// placeOf is the place of a project's cases in the container of another, or its own.
func placeOf(project, container string) event.Unit {
	if container == project {
		container = ""
	}
	return event.Unit{Project: project, Container: container}
}

// placesOf are the places of units, in each round.
type placesOf struct {
	root  string // container path of the workspace
	units map[event.Unit][]plan.Places
}

// collected reports whether a unit was to collect the file of a case.
func (p placesOf) collected(u event.Unit, id string) bool {
	file := path.Join(p.root, u.Project, fileOf(id))
	return slices.ContainsFunc(p.units[u], func(p plan.Places) bool { return p.Collect(file) })
}

// anywhere reports whether any unit at a place was to collect the file of a case.
func (p placesOf) anywhere(place event.Unit, id string) bool {
	for u := range p.units {
		if u.Place() == place && p.collected(u, id) {
			return true
		}
	}
	return false
}

// secondRound tests what has moved, if anything has. There is no third one: a
// case that moves again is told by account.
func (d *doing) secondRound(ctx context.Context, r *report.Run) error {
	moved := movedIn(r, d.places)
	if len(moved) == 0 {
		return context.Cause(ctx)
	}
	d.endFirst(r)
	p, err := d.more(ctx, moved)
	if err != nil {
		for _, m := range moved {
			d.planned(m.action(), m.Cases)
			d.cutOff(m)
			d.blocked(ctx, m.action(), err)
		}
		return context.Cause(ctx)
	}
	cases := map[event.Unit][]string{}
	for _, m := range moved {
		cases[m.place()] = m.Cases
	}
	d.announce(p, cases)
	if err := d.keepPlan(p); err != nil {
		return err
	}
	return d.executor(ctx).Do(ctx, p)
}

// cutOff ends the cases of m when the run was interrupted before their turn: who
// makes up the sum at the end of a run only does so if there is one.
func (d *doing) cutOff(m Moved) {
	if !d.interrupted() {
		return
	}
	for _, id := range m.Cases {
		d.emit(about(m.action(), event.Event{Type: event.CaseFinished, Case: id, Outcome: event.NotRun, Text: interrupted}))
	}
}

// more asks for a plan, unless the run has ended.
func (d *doing) more(ctx context.Context, moved []Moved) (plan.Plan, error) {
	if ctx.Err() != nil {
		return plan.Plan{}, context.Cause(ctx)
	}
	return d.More(ctx, moved)
}

// endFirst notes how the units of the first round have ended. Places that were
// expected count from now on as the units that are planned there.
func (d *doing) endFirst(r *report.Run) {
	d.ended = map[event.Unit]event.Event{}
	for _, p := range r.Projects {
		d.ended[p.Unit()] = event.Event{Status: p.Status, Fault: p.Fault, Elapsed: p.Elapsed}
	}
	for place := range d.expected {
		d.units[place.Project]--
	}
}

// again reports whether a has been tested in the first round, with other files.
func (d *doing) again(a plan.Action) bool {
	_, again := d.ended[a.Unit()]
	return again
}

// emit passes on what is told of a unit.
func (d *doing) emit(e event.Event) {
	switch e.Type {
	case event.CaseElsewhere:
		d.expect(e)
	case event.ProjectFinished:
		if first, again := d.ended[e.Unit()]; again {
			e = both(first, e)
		}
	}
	d.stream.Emit(e)
}

// expect counts on a second round for a case that nothing planned will collect:
// a project whose cases have all moved is not one without cases.
func (d *doing) expect(e event.Event) {
	place := placeOf(e.Project, e.Belongs)
	if d.More == nil || d.ended != nil || !moves(e) || d.places.anywhere(place, e.Case) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.expected[place] {
		d.expected[place] = true
		d.units[e.Project]++
	}
}

// both is the end of a unit that was tested in both rounds: the worse of the two.
func both(first, second event.Event) event.Event {
	second.Elapsed += first.Elapsed
	if slices.Index(statusOrder, first.Status) > slices.Index(statusOrder, second.Status) {
		second.Status, second.Fault = first.Status, cmp.Or(first.Fault, second.Fault)
	} else {
		second.Fault = cmp.Or(second.Fault, first.Fault)
	}
	return second
}

// statusOrder orders statuses of units that were tested, the worst last.
var statusOrder = []event.Status{event.OK, event.Bad, event.TimedOut, event.Broken, event.Stopped, event.Interrupted}

// movedIn finds what has moved in the first round, in the order in which it was told.
func movedIn(r *report.Run, planned placesOf) []Moved {
	var all []Moved
	a := newAccounting(r, planned)
	at := map[event.Unit]int{}
	for _, p := range r.Projects {
		for _, e := range p.Elsewhere {
			if !moves(e) || a.units[p.Path][e.Case] != "" || !a.unseen(p, e) {
				continue
			}
			i, found := at[placeOf(p.Path, e.Belongs)]
			if !found {
				i = len(all)
				all = append(all, Moved{Project: p.Path, Container: e.Belongs})
				at[all[i].place()] = i
			}
			all[i].add(e)
		}
	}
	return all
}

// add adds a case, once.
func (m *Moved) add(e event.Event) {
	if !slices.Contains(m.Cases, e.Case) {
		m.Cases = append(m.Cases, e.Case)
	}
	if file := path.Join(m.Project, fileOf(e.Case)); !slices.Contains(m.Files, file) {
		m.Files = append(m.Files, file)
	}
}

// moves reports whether the case of e is to run where it belongs, and somebody
// knows where that is.
func moves(e event.Event) bool {
	return !unchosen(e) && !strings.HasPrefix(e.Belongs, "?")
}
