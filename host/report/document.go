package report

import (
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// listed is how many of the slowest cases a document names.
const listed = 10

// Document is a run as one JSON document, without what has passed. It is
// described in docs/reports.md; fields are only ever added.
type Document struct {
	Run         string            `json:"run"`
	Version     string            `json:"version"` // of wr
	Args        []string          `json:"args"`
	Revision    *event.Revision   `json:"revision,omitempty"` // what git said of the files; nil: they were in no repository
	Started     time.Time         `json:"started"`
	Elapsed     time.Duration     `json:"elapsed"`  // nanoseconds
	Finished    bool              `json:"finished"` // false: it was cut off, or is running
	Interrupted bool              `json:"interrupted"`
	Exit        int               `json:"exit"` // of a run that is not finished: what it would be now
	Sums        Sums              `json:"sums"`
	Shuffle     string            `json:"shuffle,omitempty"` // seed of the order of the cases
	FailOnFlaky bool              `json:"failOnFlaky,omitempty"`
	Warnings    []*fault.Error    `json:"warnings,omitempty"` // of the run as a whole
	Personal    []event.Setting   `json:"personal"`
	Coverage    *CoverageDocument `json:"coverage,omitempty"` // of runs with --coverage
	Here        string            `json:"here,omitempty"`     // whose container wr itself ran in
	NotHere     []NotHere         `json:"notHere,omitempty"`  // cases that another container has, and that did not run
	Projects    []ProjectDocument `json:"projects"`
	Flaky       []CaseDocument    `json:"flaky"`   // passed after an attempt that had not
	Slowest     []CaseDocument    `json:"slowest"` // at most ten
}

// ProjectDocument is one project in a Document.
type ProjectDocument struct {
	Project      string        `json:"project"`
	Status       event.Status  `json:"status"` // "" = it never ended
	Reason       string        `json:"reason,omitempty"`
	Fault        *fault.Error  `json:"fault,omitempty"`
	Image        string        `json:"image,omitempty"`
	Digest       string        `json:"digest,omitempty"`
	Wanted       string        `json:"wanted,omitempty"` // see --use-last
	Session      string        `json:"session,omitempty"`
	Rights       []event.Right `json:"rights,omitempty"`
	RightsReason string        `json:"rightsReason,omitempty"`
	Elapsed      time.Duration `json:"elapsed"`
	From         string        `json:"from,omitempty"` // run in which its tests ran, where that was an earlier one; see --cache
	Log          string        `json:"log,omitempty"`
	Sums         Sums          `json:"sums"`
	Bad          []Entry       `json:"bad"`               // failures and errors
	Running      []string      `json:"running,omitempty"` // cases that were cut off
}

// CoverageDocument is what the tests have covered, in a Document.
type CoverageDocument struct {
	event.Coverage

	Fault *fault.Error `json:"fault,omitempty"` // why it is not what was asked for
}

// CaseDocument is a case in one of the lists of a Document.
type CaseDocument struct {
	Project string          `json:"project"`
	Case    string          `json:"case"`
	Outcome event.Outcome   `json:"outcome"`
	Elapsed time.Duration   `json:"elapsed"`
	Earlier []event.Outcome `json:"earlier,omitempty"`

	Attempts []Attempt `json:"attempts,omitempty"` // of flaky cases: those besides the one that counts
}

// Document makes the document of r.
func (r *Run) Document() Document {
	d := Document{
		Run: r.ID, Version: r.Version, Args: list(r.Args), Revision: r.Revision, Started: r.Started, Elapsed: r.Elapsed, Finished: r.Finished,
		Interrupted: r.Interrupted, Exit: r.Exit, Sums: r.Sums(), Personal: list(r.Personal),
		Shuffle: r.Shuffle, FailOnFlaky: r.FailOnFlaky, Here: r.Here, NotHere: r.NotHere(),
		Flaky: caseDocuments(r.Flaky()), Slowest: caseDocuments(r.Slowest(listed)), Projects: []ProjectDocument{},
	}
	for i, c := range r.Flaky() {
		d.Flaky[i].Attempts = c.Attempts
	}
	if r.Coverage != nil {
		d.Coverage = &CoverageDocument{*r.Coverage, r.CoverageFault}
	}
	for _, e := range r.Warnings {
		d.Warnings = append(d.Warnings, e.Fault)
	}
	if !r.Finished {
		d.Exit = ExitCode(r)
	}
	for _, p := range r.Projects {
		d.Projects = append(d.Projects, p.document())
	}
	return d
}

func (p *Project) document() ProjectDocument {
	return ProjectDocument{
		Project: p.Name(), Status: p.Status, Reason: p.Reason, Fault: p.Fault, Image: p.Image, Digest: p.Digest, Wanted: p.Wanted,
		Session: p.Session, Rights: p.Rights, RightsReason: p.RightsReason, Elapsed: p.Elapsed, From: p.From, Log: p.Log, Sums: p.Sums(),
		Bad: list(p.Bad()), Running: p.Running(),
	}
}

// list is l, and never null in JSON.
func list[T any](l []T) []T { return append([]T{}, l...) }

func caseDocuments(cases []Placed) []CaseDocument {
	all := []CaseDocument{}
	for _, c := range cases {
		all = append(all, CaseDocument{Project: c.Project.Name(), Case: c.ID, Outcome: c.Outcome, Elapsed: c.Elapsed, Earlier: c.Earlier})
	}
	return all
}
