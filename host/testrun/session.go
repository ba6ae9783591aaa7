package testrun

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
)

// session is what is known of one session of pytest, which is one process of a
// unit. It translates facts to events as they come; conclude ends it.
type session struct {
	*ledger

	number int // 1, 2, ... of the processes of its unit
	paths  paths
	mixed  []string // container paths of files that are collected in other containers too
	only   []string // pytest's ids of the cases that it is for; nil = it is the first, for all

	suites   []plan.Suite       // by which facts number them
	debugger func() event.Event // says that an editor may attach; nil = nobody waits for one

	last      int64  // number of the last fact
	damaged   string // why the facts cannot be trusted; "" = they can
	torn      bool   // the last line was no fact
	started   bool
	single    bool // nothing is to be run again: a person looks into it, or it only collects
	maxFail   int  // how many failures stop it; 0 = none do
	finish    *fact
	internal  *fact // pytest's own failure
	collected int   // different cases

	numbered      []*testCase // as the plugin numbers them
	mine          []*testCase // what is heard of here, collected first
	running       []*testCase
	overdue       []*testCase       // for which it was stopped: they took longer than they may
	stacks        map[string]string // of all threads then, by pytest's ids of cases
	finished      time.Time         // when the end was told; zero = it was not
	outstayed     bool              // the process was stopped, long after that
	uncollected   []string          // cases that ran although nobody collected them
	deselected    int
	unsuited      int      // cases of suites that are not to run
	elsewhere     int      // cases for other containers
	uncollectable []string // what could not be collected
	moduleSkips   int
	fallen        []*testCase // those running when it all ended
}

// line takes one line of the file of facts. A line that is no fact was torn by
// a signal and comes again; if it does not, the numbers show it, or that
// nothing comes after it.
func (s *session) line(data []byte) {
	if len(data) == 0 || s.overdue != nil { // after the stop nothing is the tests' own doing
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
	case factDebugger:
		if s.debugger != nil {
			s.emit(s.debugger())
		}
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
		s.uncollectable = append(s.uncollectable, s.place(f.ID))
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
		s.finish, s.finished = &f, time.Now()
		if f.Lines != f.Number {
			s.damage(fmt.Sprintf("says that it has %d lines on line %d", f.Lines, f.Number))
		}
	}
}

func (s *session) start(f fact) {
	if f.Version != factsVersion {
		s.damage(fmt.Sprintf("has version %d", f.Version))
	}
	s.started, s.single, s.over, s.maxFail = true, f.Single, f.Single, f.MaxFail
	s.paths.rootdir, s.repeater = f.RootDir, f.Repeats
	s.emit(event.Event{Type: event.SessionStarted, Text: fmt.Sprintf("pytest %s, Python %s", f.Pytest, f.Python)})
}

// collect notes cases. Asked to, pytest collects a case twice; it stays one
// case, which then has several attempts.
func (s *session) collect(cases []collectedCase) {
	var ids []string
	for _, one := range cases {
		c := s.cases[one.id]
		if c == nil {
			c = s.note(one)
			ids = append(ids, c.id)
		}
		if s.enter(c) {
			s.collected++
		}
		s.numbered = append(s.numbered, c)
	}
	if len(ids) > 0 {
		s.emit(event.Event{Type: event.Collected, Cases: ids})
	}
}

func (s *session) note(c collectedCase) *testCase {
	added := &testCase{id: s.paths.nodeID(c.id), nodeID: c.id, file: s.paths.file(c.file, c.id), line: c.line, suites: s.named(c.suites)}
	s.cases[c.id] = added
	s.order = append(s.order, added)
	return added
}

// enter makes c one of those of s, and reports whether it was not.
func (s *session) enter(c *testCase) bool {
	if c.in == s {
		return false
	}
	c.in, c.first = s, c.attempts+1
	c.running, c.open, c.ran = false, false, false
	s.mine = append(s.mine, c)
	return true
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
		s.emit(unasked(suited(event.Event{
			Case: s.paths.nodeID(c.id), File: s.paths.file(c.file, c.id), Line: c.line,
		}, s.named(c.suites))))
	}
}

// unasked tells that the case of e is in no suite that is to run.
func unasked(e event.Event) event.Event {
	e.Type, e.Text = event.CaseDeselected, "it is in no suite"
	if e.Suite != "" {
		e.Text = "suite " + e.Suite + " was not asked for"
	}
	return e
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
	for _, c := range cases {
		switch c.text {
		case deselected:
			s.deselected++
		case notAsked:
			s.unsuited++
		default:
			s.elsewhere++
		}
		s.emit(suited(event.Event{
			Type: event.CaseElsewhere, Case: s.paths.nodeID(c.id), File: s.paths.file(c.file, c.id), Line: c.line, Belongs: c.container, Text: c.text,
		}, s.named(c.suites)))
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
// skipped case: what is in it can never be known, but it must not vanish. If it
// was one of files that are collected again, its cases tell.
func (s *session) skipModule(f fact) {
	if s.only != nil {
		return
	}
	s.moduleSkips++
	s.collect([]collectedCase{{id: f.ID}})
	s.numbered = s.numbered[:len(s.numbered)-1] // the plugin does not count it
	c := s.cases[f.ID]
	s.add(c, phase{when: "setup", outcome: "skipped", text: f.Text})
	c.ran, c.worst = true, c.now
	s.close(c, c.now.text)
}

func (s *session) startCase(f fact) {
	c := s.find(f)
	c.running, c.since = true, time.Now()
	c.open = c.open && !c.ran
	s.running = append(s.running, c)
	s.emit(suited(event.Event{Type: event.CaseStarted, Case: c.id, File: c.file, Line: c.line}, c.suites))
}

func (s *session) addPhases(f fact) *testCase {
	c := s.find(f)
	for _, p := range phasesOf(f) {
		s.add(c, p)
	}
	return c
}

func (s *session) finishCase(f fact) {
	c := s.addPhases(f)
	s.running = slices.DeleteFunc(s.running, func(other *testCase) bool { return other == c })
	if !c.open {
		c.running = false // no phase was reported: it has not run
		return
	}
	s.end(c)
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
		s.enter(known)
		return known
	}
	c := s.note(collectedCase{id: id, file: f.File, line: f.Line})
	s.enter(c)
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
