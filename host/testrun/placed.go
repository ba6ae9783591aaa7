package testrun

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// What container cases elsewhere may say besides where they belong.
const (
	deselected = "deselected"    // pytest did not choose them where they were seen
	notAsked   = "not asked for" // their suite is not to run
	lastFailed = "last failed"   // each container has its own choice of what failed last
)

// account returns what is still to be told when all units have ended: of cases
// that were seen in one container and that nobody tells of where they belong, and
// of cases that two containers have. planned are the places of units.
func account(r *report.Run, planned placesOf) []event.Event {
	a := newAccounting(r, planned)
	for _, chosen := range []bool{true, false} { // the latter only if nobody chose it
		for _, p := range r.Projects {
			for _, e := range p.Elsewhere {
				if unchosen(e) != chosen {
					a.elsewhere(p, e)
				}
			}
		}
	}
	return a.events
}

// unchosen reports whether the case of e was not to run, wherever it belongs.
func unchosen(e event.Event) bool { return e.Text == deselected || e.Text == notAsked }

// accounting is one pass of account.
type accounting struct {
	run     *report.Run
	planned placesOf
	units   map[string]map[string]string // by project and case: the unit that has it
	events  []event.Event
}

// newAccounting knows which unit has which case.
func newAccounting(r *report.Run, planned placesOf) *accounting {
	a := &accounting{run: r, planned: planned, units: map[string]map[string]string{}}
	for _, p := range r.Projects {
		for _, c := range p.Cases {
			a.once(p, c)
		}
	}
	return a
}

// once notes which unit has a case. A file that skipped itself, whose cases
// nobody knows, may do so in each.
func (a *accounting) once(p *report.Project, c *report.Case) {
	if !strings.Contains(c.ID, "::") {
		return
	}
	if first, taken := a.take(p, c.ID); taken {
		a.end(p, event.Event{Case: c.ID, File: c.File, Line: c.Line, Outcome: event.Errored, Text: "it is also a case of " + first + ": each has one container"})
	}
}

// take has a unit answer for a case, unless one does already.
func (a *accounting) take(p *report.Project, id string) (first string, taken bool) {
	if a.units[p.Path] == nil {
		a.units[p.Path] = map[string]string{}
	}
	first, taken = a.units[p.Path][id]
	if !taken {
		a.units[p.Path][id] = p.Name()
	}
	return first, taken
}

// elsewhere ends the case of e, which p left to another container, if that
// container does not tell of it. Where wr makes no others, none has to.
func (a *accounting) elsewhere(p *report.Project, e event.Event) {
	there := a.run.In(p.Path, e.Belongs)
	name, unknown := strings.CutPrefix(e.Belongs, "?")
	if !unknown && (e.Text == lastFailed || a.run.Here != "" && !unchosen(e)) ||
		slices.ContainsFunc(there, func(where *report.Project) bool { return knows(where, e.Case) || a.leftOut(where, e) }) {
		return
	}
	if _, taken := a.take(p, e.Case); taken {
		return // another container has seen it too
	}
	end := event.Event{Case: e.Case, File: e.File, Line: e.Line, Outcome: event.Errored}
	switch {
	case strings.HasPrefix(name, "!"):
		end.Text = name[1:]
	case unknown:
		end.Text = "it belongs in the container " + name + ", which no project has"
	case e.Text == deselected:
		a.tell(p, event.Event{Type: event.CaseDeselected, Case: e.Case})
		return
	case e.Text == notAsked:
		a.tell(p, unasked(e))
		return
	case len(there) == 0:
		end.Text = fmt.Sprintf("it belongs in the container of %s, which could not be seen before: write that mark in the file itself, as a literal", name)
	case unfinished(there) != nil:
		p = unfinished(there)
		end.Outcome, end.Text = event.NotRun, "its container has not come to it: "+string(p.Status)
	default:
		end.Text = fmt.Sprintf("it belongs in the container of %s, where it was not collected", name) + alsoThere(there, e)
	}
	a.end(p, end)
}

// tell tells e of p.
func (a *accounting) tell(p *report.Project, e event.Event) {
	e.Belongs = ""
	a.events = append(a.events, e.Of(p.Unit()))
}

// unfinished is the first of projects that has not come to an end in order, or nil.
func unfinished(all []*report.Project) *report.Project {
	i := slices.IndexFunc(all, func(p *report.Project) bool { return p.Status != event.OK && p.Status != event.Bad })
	if i < 0 {
		return nil
	}
	return all[i]
}

// alsoThere says that the case of e belongs in yet another container, as the one
// where it should have run sees it.
func alsoThere(there []*report.Project, e event.Event) string {
	for _, where := range there {
		for _, other := range where.Elsewhere {
			if other.Case == e.Case && other.Belongs != e.Belongs {
				return ": there its mark names " + strings.TrimPrefix(other.Belongs, "?")
			}
		}
	}
	return ""
}

// unseen reports whether nothing was to collect the file of e where its case
// belongs, though it could have.
func (a *accounting) unseen(p *report.Project, e event.Event) bool {
	there := a.run.In(p.Path, e.Belongs)
	return unfinished(there) == nil && !a.planned.anywhere(placeOf(p.Path, e.Belongs), e.Case) &&
		!slices.ContainsFunc(there, func(where *report.Project) bool { return knows(where, e.Case) })
}

// end tells of the end of a case of p, and once more of p's if that was fine.
func (a *accounting) end(p *report.Project, e event.Event) {
	e.Type = event.CaseFinished
	a.events = append(a.events, e.Of(p.Unit()))
	if p.Status == event.OK {
		p.Status = event.Bad
		a.events = append(a.events, event.Event{
			Type: event.ProjectFinished, Status: event.Bad, Image: p.Image, Elapsed: p.Elapsed,
		}.Of(p.Unit()))
	}
}

// leftOut reports whether the unit was to collect the file of e and pytest left
// all of it out, as --lf, -x or a hook make it.
func (a *accounting) leftOut(where *report.Project, e event.Event) bool {
	if where.Status != event.OK && where.Status != event.Bad || !a.planned.collected(where.Unit(), e.Case) {
		return false
	}
	inFile := func(id string) bool { return fileOf(id) == fileOf(e.Case) }
	return !slices.ContainsFunc(where.Cases, func(c *report.Case) bool { return inFile(c.ID) }) &&
		!slices.ContainsFunc(where.Deselected, func(other event.Event) bool { return inFile(other.Case) }) &&
		!slices.ContainsFunc(where.Elsewhere, func(other event.Event) bool { return inFile(other.Case) })
}

// knows reports whether p tells of a case, or that its file cannot be collected.
func knows(p *report.Project, id string) bool {
	return p.Case(id) != nil || slices.ContainsFunc(p.Deselected, func(e event.Event) bool { return e.Case == id }) ||
		slices.ContainsFunc(p.Cases, func(c *report.Case) bool { return c.ID == fileOf(id) }) ||
		slices.ContainsFunc(p.CollectErrors, func(e event.Event) bool { return e.Case == fileOf(id) })
}

// fileOf is the file of a node id.
func fileOf(id string) string {
	file, _, _ := strings.Cut(id, "::")
	return file
}

// importLine matches what a traceback says of a line outside of functions.
var importLine = regexp.MustCompile(`(?m)^(\S+\.py):(\d+): in <module>$`)

// adviseSplit warns if the file that f could not collect is there only for some
// of its cases: others of them need what this container lacks.
func (s *session) adviseSplit(f fact) {
	at := s.paths.absolute(f.ID)
	if !slices.Contains(s.mixed, at) {
		return
	}
	file := s.paths.file("", f.ID)
	advice := &fault.Error{
		Code: "test.mixed_import", Class: fault.Failed, File: file,
		Message: fmt.Sprintf("%s has cases for several containers, and cannot be imported in this one", file),
		Next:    "move the cases for each container to a file of their own, or take what is missing by pytest.importorskip in the tests that need it",
	}
	for _, found := range importLine.FindAllStringSubmatch(f.Details, -1) {
		if s.paths.absolute(found[1]) == at {
			advice.Line, _ = strconv.Atoi(found[2])
		}
	}
	s.emit(event.Event{Type: event.Warning, Text: advice.Message, Fault: advice})
}
