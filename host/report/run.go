// Package report makes results of a run's events: counts for the table, one
// JUnit file, the exit code. All of them are folds of the same events, so they
// cannot disagree. A Run is not safe for concurrent use.
package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Run is what the events of one run have said so far. The zero value is a run
// of which nothing is known. It is an event.Sink.
type Run struct {
	ID          string
	Version     string // of wr
	Args        []string
	Revision    *event.Revision // of what was tested; nil = it was in no repository
	Warnings    []event.Event   // of the run as a whole
	Shuffle     string          // seed of the order of the cases; "" = as collected
	FailOnFlaky bool
	Personal    []event.Setting // of the caller alone
	Here        string          // whose container wr itself ran in; "" = it made containers
	Started     time.Time
	Elapsed     time.Duration // from the first to the last event, until it is Finished
	Exit        int           // of wr, once Finished
	Interrupted bool
	Finished    bool       // its last event is there; a run that is not was cut off
	Projects    []*Project // in the order in which they were planned

	Coverage      *event.Coverage // of all tests together; nil = it was not measured, or is not known yet
	CoverageFault *fault.Error    // why it is not what was asked for

	Events int       // so far
	Last   time.Time // of the last event

	byUnit map[string]*Project
}

// Project is one project of a run, or those of its cases that need the container
// of another one, or run apart from the others.
type Project struct {
	Path          string
	Container     string // whose container it is; "" = its own
	Slice         string // which of its cases there, if not all that are to run
	Shard         string // which part of those, as "2/3"; "" = all
	Image         string
	Digest        string        // of the image, where the events say it
	Key           string        // sha256 of all that decides how the tests run, short of the files that they read
	Wanted        string        // image of the present inputs, when Image ran in its place; see --use-last
	Rights        []event.Right // what its container may do besides the usual
	RightsReason  string        // why it may
	Status        event.Status  // "" until it finished
	Reason        string        // why there are none, with event.None
	Fault         *fault.Error
	Elapsed       time.Duration
	Log           string // workspace path of its output
	Session       string // versions of pytest and Python
	Stopped       string // why pytest left cases out; "" = it did not, as far as is known
	CollectOnly   bool   // its cases were only to be listed
	Cases         []*Case
	CollectErrors []event.Event // of type event.CollectFailed
	Deselected    []event.Event // of type event.CaseDeselected
	Elsewhere     []event.Event // of type event.CaseElsewhere
	Warnings      []event.Event
	Checks        []event.Event // of type event.Checked, that fail it though it was tested
	Cached        bool          // the image was in the store
	Pulled        string        // what the image was pulled from; "" = it was not
	From          string        // id of the run in which its tests ran, where that was an earlier one; "" = they ran in this one
	Missed        string        // what was different since its tests were kept; "" = they never were, or nobody asked
	Unkept        string        // why what they gave is not kept; "" = it is, or nobody asked
	Build         Span          // of finding or making the image
	Test          Span          // of its container

	byID    map[string]*Case
	running map[string]bool // cases that have started and not finished
}

// Case is one case with its last outcome; "" until it has one.
type Case struct {
	ID      string
	File    string
	Line    int
	Suite   string   // "" = it is in none
	AlsoIn  []string // suites, by its marks
	Outcome event.Outcome
	Earlier []event.Outcome // of the other attempts, in order
	Elapsed time.Duration
	Ended   time.Time // when it became known that it had, some 0.1 s late; zero until it has
	Text    string
	Details string
	Stdout  string
	Stderr  string

	Attempts []Attempt // the others, in order: those before the one that counts, with --repeat also those after it
}

// Emit is Apply, for event.Stream.
func (r *Run) Emit(e event.Event) { r.Apply(e) }

// Apply takes one more event into account. Of several outcomes of one case the
// last one counts.
func (r *Run) Apply(e event.Event) {
	r.Events, r.Last = r.Events+1, e.Time
	if !r.Started.IsZero() {
		r.Elapsed = e.Time.Sub(r.Started)
	}
	switch e.Type {
	case event.RunStarted:
		r.ID, r.Version, r.Args, r.Personal, r.Here, r.Started = e.Run, e.Version, e.Args, e.Personal, e.Here, e.Time
		r.Revision, r.Shuffle, r.FailOnFlaky = e.Revision, e.Shuffle, e.FailOnFlaky
	case event.RunFinished:
		r.Finished, r.Exit, r.Elapsed, r.Interrupted = true, e.Exit, e.Elapsed, e.Interrupted
	case event.CoverageMade:
		r.Coverage, r.CoverageFault = e.Coverage, e.Fault
	case event.Found: // is told as it comes
	case event.Checked:
		r.check(e)
	case event.BuildStarted, event.BuildStep, event.BuildFinished:
		for _, p := range r.Projects { // of whoever waits for its image
			if p.waitsFor(e) && p.Status == "" && p.Test.From.IsZero() {
				p.apply(e)
			}
		}
	default:
		switch {
		case e.Project != "":
			r.unit(e).apply(e)
		case e.Type == event.Warning:
			r.Warnings = append(r.Warnings, e)
		}
	}
}

// check takes what a plugin said of a project into account. What it said before is
// what became of the project; what it says after belongs to the project, to one that
// uses its image, or else to the first.
func (r *Run) check(e event.Event) {
	if e.Fault == nil || !strings.HasPrefix(e.Hook, "after ") {
		return
	}
	for _, mine := range []func(p *Project) bool{
		func(p *Project) bool { return p.Path == e.Project },
		func(p *Project) bool { return p.waitsFor(e) },
		func(*Project) bool { return true },
	} {
		if i := slices.IndexFunc(r.Projects, mine); i >= 0 {
			r.Projects[i].Checks = append(r.Projects[i].Checks, e)
			return
		}
	}
}

// Project returns the project with that path, in its own container, or nil.
func (r *Run) Project(path string) *Project { return r.byUnit[path] }

// In returns all that ran of a project in the container of another, or its own.
func (r *Run) In(path, container string) []*Project {
	var all []*Project
	for _, p := range r.Projects {
		if p.Path == path && p.Unit().Place().String() == (event.Unit{Project: path, Container: container}).String() {
			all = append(all, p)
		}
	}
	return all
}

// unit returns what e is about.
func (r *Run) unit(e event.Event) *Project {
	name := e.Unit().String()
	if p := r.byUnit[name]; p != nil {
		return p
	}
	if r.byUnit == nil {
		r.byUnit = map[string]*Project{}
	}
	p := &Project{Path: e.Project, Container: e.Container, Slice: e.Slice, Shard: e.Shard, byID: map[string]*Case{}}
	r.byUnit[name] = p
	r.Projects = append(r.Projects, p)
	return p
}

// Unit is what p tells of.
func (p *Project) Unit() event.Unit {
	return event.Unit{Project: p.Path, Container: p.Container, Slice: p.Slice, Shard: p.Shard}
}

// waitsFor reports whether e tells of the image that p needs. Several may use the
// image of one.
func (p *Project) waitsFor(e event.Event) bool {
	return cmp.Or(p.Container, p.Path) == e.Project || e.Image != "" && p.Image == e.Image
}

// Name is "infra", or as event.Unit says it.
func (p *Project) Name() string { return p.Unit().String() }

func (p *Project) apply(e event.Event) {
	if e.Image != "" {
		p.Image = e.Image
	}
	p.time(e)
	switch e.Type {
	case event.BuildFinished:
		p.Digest, p.Cached, p.Pulled = e.Digest, e.Cached, e.Text
	case event.ProjectPlanned:
		p.Status = "" // also in the second round
		p.Key, p.Wanted, p.Rights, p.RightsReason = e.Key, e.Wanted, e.Rights, e.Text
	case event.ResultMissed:
		p.Missed = e.Text
	case event.ResultKept:
		p.Unkept = e.Text
	case event.TestStarted:
		p.Log = e.Log
	case event.SessionStarted:
		p.Session, p.Stopped = e.Text, "" // of its processes the last one says what was left out
	case event.SessionFinished:
		p.Stopped, p.CollectOnly = cmp.Or(e.Text, p.Stopped), e.CollectOnly
	case event.Collected:
		for _, id := range e.Cases {
			p.find(id)
		}
	case event.CollectFailed:
		p.CollectErrors = append(p.CollectErrors, e)
	case event.CaseDeselected:
		p.Deselected = append(p.Deselected, e)
	case event.CaseElsewhere:
		p.Elsewhere = append(p.Elsewhere, e)
	case event.Warning:
		p.Warnings = append(p.Warnings, e)
	case event.CaseRetried:
		p.find(e.Case).retry(e)
	case event.CaseFinished:
		p.find(e.Case).finish(e)
	case event.ProjectFinished:
		p.Status, p.Fault, p.Elapsed, p.Reason, p.From = e.Status, e.Fault, e.Elapsed, e.Text, e.Run
	}
}

// Case returns the case with that node id, or nil.
func (p *Project) Case(id string) *Case { return p.byID[id] }

// find returns the case with that node id. One that nobody collected counts
// from the moment it is heard of.
func (p *Project) find(id string) *Case {
	c := p.byID[id]
	if c == nil {
		c = &Case{ID: id}
		p.byID[id] = c
		p.Cases = append(p.Cases, c)
	}
	return c
}

func (c *Case) finish(e event.Event) {
	*c = Case{
		ID: c.ID, File: e.File, Line: e.Line, Suite: e.Suite, AlsoIn: e.AlsoIn, Outcome: e.Outcome, Earlier: e.Earlier, Elapsed: e.Elapsed, Ended: e.Time,
		Text: e.Text, Details: e.Details, Stdout: e.Stdout, Stderr: e.Stderr,
		Attempts: slices.DeleteFunc(c.Attempts, func(a Attempt) bool { return a.Number == e.Attempt }),
	}
}
