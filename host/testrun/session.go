package testrun

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
)

// session is what is known of one session of pytest. It translates facts to
// events as they come; conclude ends it.
type session struct {
	paths paths
	emit  func(event.Event)
	mixed []string // container paths of files that are collected in other containers too

	suites []plan.Suite // by which facts number them

	last      int64  // number of the last fact
	damaged   string // why the facts cannot be trusted; "" = they can
	torn      bool   // the last line was no fact
	started   bool
	finish    *fact
	internal  *fact // pytest's own failure
	collected int   // different cases

	numbered      []*testCase          // as the plugin numbers them
	cases         map[string]*testCase // by pytest's own node id
	order         []*testCase          // collected, then those nobody collected
	uncollected   []string             // cases that ran although nobody collected them
	deselected    int
	unsuited      int // cases of suites that are not to run
	elsewhere     int // cases for other containers
	collectErrors int
	moduleSkips   int
	fallen        bool // a case was running when it all ended
}

func newSession(p paths, emit func(event.Event)) *session {
	return &session{paths: p, emit: emit, cases: map[string]*testCase{}}
}

// line takes one line of the file of facts. A line that is no fact was torn by
// a signal and comes again; if it does not, the numbers show it, or that
// nothing comes after it.
func (s *session) line(data []byte) {
	if len(data) == 0 {
		return
	}
	var f fact
	if s.torn = json.Unmarshal(data, &f) != nil; s.torn || f.Number <= s.last {
		return
	}
	if f.Number != s.last+1 {
		s.damage(fmt.Sprintf("has no line %d", s.last+1))
	}
	if s.finish != nil {
		s.damage(fmt.Sprintf("goes on after its end with line %d", f.Number))
	}
	s.last = f.Number
	s.apply(f)
}

// whole reports whether the facts go on to their end and pytest was well.
func (s *session) whole() bool {
	return s.finish != nil && s.damaged == "" && !s.torn && s.internal == nil
}

func (s *session) damage(what string) {
	if s.damaged == "" {
		s.damaged = what
	}
}

func (s *session) apply(f fact) {
	switch f.Type {
	case factSession:
		s.start(f)
	case factCollected:
		s.collect(f.Cases)
	case factDeselected:
		s.deselect(f.IDs)
	case factLeft:
		s.leave(f.Left)
	case factElsewhere:
		s.misplace(f.Elsewhere)
	case factCollectError:
		s.collectErrors++
		s.emit(event.Event{Type: event.CollectFailed, Case: s.place(f.ID), File: s.paths.file("", f.ID), Text: f.Text, Details: f.Details})
		s.adviseSplit(f)
	case factCollectSkip:
		s.skipModule(f)
	case factStart:
		s.startCase(f)
	case factPhase:
		s.addPhases(f)
	case factDone:
		s.finishCase(f)
	case factWarning:
		s.warn(f)
	case factInternalError:
		s.internal = &f
	case factFinish:
		s.finish = &f
		if f.Lines != f.Number {
			s.damage(fmt.Sprintf("says that it has %d lines on line %d", f.Lines, f.Number))
		}
	}
}

func (s *session) start(f fact) {
	if f.Version != factsVersion {
		s.damage(fmt.Sprintf("has version %d", f.Version))
	}
	s.started = true
	s.paths.rootdir = f.RootDir
	s.emit(event.Event{Type: event.SessionStarted, Text: fmt.Sprintf("pytest %s, Python %s", f.Pytest, f.Python)})
}

// collect notes cases. Asked to, pytest collects a case twice; it stays one
// case, which then has several attempts.
func (s *session) collect(cases []collectedCase) {
	var ids []string
	for _, c := range cases {
		known := s.cases[c.id]
		if known == nil {
			known = s.add(c)
			ids = append(ids, known.id)
		}
		s.numbered = append(s.numbered, known)
	}
	s.collected += len(ids)
	if len(ids) > 0 {
		s.emit(event.Event{Type: event.Collected, Cases: ids})
	}
}

func (s *session) add(c collectedCase) *testCase {
	added := &testCase{id: s.paths.nodeID(c.id), file: s.paths.file(c.file, c.id), line: c.line, suites: s.named(c.suites)}
	s.cases[c.id] = added
	s.order = append(s.order, added)
	return added
}

func (s *session) deselect(ids []string) {
	for _, id := range ids {
		s.deselected++
		s.emit(event.Event{Type: event.CaseDeselected, Case: s.paths.nodeID(id)})
	}
}

// named are the names of suites; that of the cases which are in none is not.
func (s *session) named(numbers []int) []string {
	var names []string
	for _, n := range numbers {
		if n < 0 || n >= len(s.suites) {
			s.damage(fmt.Sprintf("speaks of suite %d of %d", n, len(s.suites)))
		} else if name := s.suites[n].Name; name != "" {
			names = append(names, name)
		}
	}
	return names
}

// leave notes cases of suites that are not to run.
func (s *session) leave(cases []collectedCase) {
	s.unsuited += len(cases)
	for _, c := range cases {
		e := suited(event.Event{
			Type: event.CaseDeselected, Case: s.paths.nodeID(c.id), File: s.paths.file(c.file, c.id), Line: c.line, Text: "it is in no suite",
		}, s.named(c.suites))
		if e.Suite != "" {
			e.Text = "suite " + e.Suite + " was not asked for"
		}
		s.emit(e)
	}
}

// suited is e of a case that is in those suites.
func suited(e event.Event, suites []string) event.Event {
	if len(suites) > 0 {
		e.Suite, e.AlsoIn = suites[0], suites[1:]
	}
	return e
}

// misplace notes cases that belong in other containers.
func (s *session) misplace(cases []misplacedCase) {
	s.elsewhere += len(cases)
	for _, c := range cases {
		s.emit(event.Event{
			Type: event.CaseElsewhere, Case: s.paths.nodeID(c.id), File: s.paths.file(c.file, c.id), Line: c.line, Belongs: c.container,
		})
	}
}

// notHere notes cases that belong in other containers, in files that pytest is
// not to look into.
func (s *session) notHere(cases []plan.Elsewhere) {
	s.elsewhere += len(cases)
	for _, c := range cases {
		s.emit(event.Event{Type: event.CaseElsewhere, Case: c.Case, File: c.File, Line: c.Line, Belongs: c.Belongs})
	}
}

// skipModule counts a file that skipped itself while it was collected as one
// skipped case: what is in it can never be known, but it must not vanish.
func (s *session) skipModule(f fact) {
	s.moduleSkips++
	s.collect([]collectedCase{{id: f.ID}})
	s.numbered = s.numbered[:len(s.numbered)-1] // the plugin does not count it
	c := s.cases[f.ID]
	c.add(phase{when: "setup", outcome: "skipped", text: f.Text})
	s.end(c)
}

func (s *session) startCase(f fact) {
	c := s.find(f)
	c.started, c.finished = true, false
	s.emit(suited(event.Event{Type: event.CaseStarted, Case: c.id, File: c.file, Line: c.line}, c.suites))
}

func (s *session) addPhases(f fact) *testCase {
	c := s.find(f)
	for _, p := range phasesOf(f) {
		c.add(p)
	}
	return c
}

func (s *session) finishCase(f fact) {
	c := s.addPhases(f)
	if c.attempts == 0 {
		c.started = false // no phase was reported: it has not run
		return
	}
	s.end(c)
}

func (s *session) end(c *testCase) {
	c.finished = true
	s.emit(c.result())
}

// find returns the case that f is about, also one that nobody collected.
func (s *session) find(f fact) *testCase {
	if f.Case != nil && *f.Case >= 0 && *f.Case < len(s.numbered) {
		return s.numbered[*f.Case]
	}
	id := f.ID
	if f.Case != nil {
		s.damage(fmt.Sprintf("speaks of case %d of %d", *f.Case, len(s.numbered)))
		id = fmt.Sprintf("case %d", *f.Case)
	}
	if known := s.cases[id]; known != nil {
		return known
	}
	c := s.add(collectedCase{id: id, file: f.File, line: f.Line})
	s.uncollected = append(s.uncollected, c.id)
	return c
}

func (s *session) warn(f fact) {
	e := event.Event{Type: event.Warning, Text: f.Text, Line: f.Line}
	if f.File != "" {
		e.File = s.paths.file(f.File, "")
	}
	if f.ID != "" {
		e.Case = s.paths.nodeID(f.ID)
	}
	s.emit(e)
}

// place names what could not be collected.
func (s *session) place(id string) string {
	if strings.TrimSpace(id) == "" {
		return "."
	}
	return s.paths.nodeID(id)
}
