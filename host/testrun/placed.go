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

// unplaced returns an end for each case that was seen in p and left to another
// container, where nobody knows it. Where it belongs, it was collected,
// deselected, or its file could not be collected.
func unplaced(r *report.Run, p *report.Project) []event.Event {
	known := map[string]map[string]bool{} // by container: what was told of there, cases and files
	var all []event.Event
	for _, e := range p.Elsewhere {
		if known[e.Belongs] == nil {
			known[e.Belongs] = told(r.Unit(p.Path, e.Belongs))
		}
		file, _, _ := strings.Cut(e.Case, "::")
		if there := known[e.Belongs]; there[e.Case] || there[file] {
			continue
		}
		all = append(all, event.Event{
			Type: event.CaseFinished, Project: p.Path, Container: p.Container, Case: e.Case, File: e.File, Line: e.Line,
			Outcome: event.Errored, Text: whyUnplaced(r, p, e),
		})
	}
	return all
}

// told are the cases of p, and files of which no cases are known.
func told(p *report.Project) map[string]bool {
	all := map[string]bool{}
	if p == nil {
		return all
	}
	for _, c := range p.Cases {
		all[c.ID] = true
	}
	for _, id := range p.Deselected {
		all[id] = true
	}
	for _, e := range p.CollectErrors {
		all[e.Case] = true
	}
	return all
}

// whyUnplaced says why a case of p ran nowhere.
func whyUnplaced(r *report.Run, p *report.Project, e event.Event) string {
	if name, unknown := strings.CutPrefix(e.Belongs, "?"); unknown {
		return fmt.Sprintf("it names the container %s, which was not seen in its source: write the name of a project as a literal", name)
	}
	where := r.Unit(p.Path, e.Belongs)
	switch {
	case where == nil:
		return fmt.Sprintf("it belongs in the container of %s, which was not seen in its source: write the mark as a literal", e.Belongs)
	case where.Status != event.OK && where.Status != event.Bad:
		return fmt.Sprintf("it belongs in the container of %s, which has not tested it", e.Belongs)
	default:
		return fmt.Sprintf("it belongs in the container of %s, where it was not collected", e.Belongs)
	}
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
