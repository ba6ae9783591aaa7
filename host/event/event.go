// Package event holds the facts of a run. Everything a person or a report
// learns about a run is an Event; ui, report and cache are consumers of one
// stream. Written one JSON object a line, the stream is .wr/runs/ID/events.ndjson.
package event

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Type names a fact. The set is closed and documented in docs/events.md.
type Type string

// The facts of a run, in the order in which they usually come.
const (
	RunStarted      Type = "run_started"      // Run, Args, Version, Revision, Personal, Here, Shuffle, FailOnFlaky
	ProjectPlanned  Type = "project_planned"  // Project, Image, Key, Wanted, Rights, Text, Estimate, Cases: will be tested in this run
	BuildStarted    Type = "build_started"    // Project, Image
	BuildStep       Type = "build_step"       // Project, Text: one line of progress
	BuildFinished   Type = "build_finished"   // Project, Image, Digest, Cached, Elapsed, Fault, Text: what it was pulled from
	ResultMissed    Type = "result_missed"    // Project, Text: why its tests have to run: what is different since they were kept
	TestStarted     Type = "test_started"     // Project, Image, Log: the container starts; Cached: no container has to
	DebuggerWaits   Type = "debugger_waits"   // Project, Text: the address that an editor is to attach to, Details: how
	SessionStarted  Type = "session_started"  // Project, Text: pytest and Python versions
	Collected       Type = "collected"        // Project, Cases: node ids, in order
	CollectFailed   Type = "collect_failed"   // Project, Case: the file, Text: why
	CaseStarted     Type = "case_started"     // Project, Case
	CaseRetried     Type = "case_retried"     // as CaseFinished, of an attempt that is to be followed by another, or was
	CaseFinished    Type = "case_finished"    // Project, Case, Suite, AlsoIn, Outcome, Earlier, Attempt, Elapsed, Text, Details, Stdout, Stderr
	CaseDeselected  Type = "case_deselected"  // Project, Case; of a suite that is not to run also Suite, AlsoIn, File, Line, Text
	CaseElsewhere   Type = "case_elsewhere"   // Project, Case, Suite, AlsoIn, File, Line, Belongs, Text: collected here, to be run there
	Warning         Type = "warning"          // Project, or none of the whole run, Text, Fault: what may be behind failures
	SessionFinished Type = "session_finished" // Project, Exit, Count, Text: why cases were left out, CollectOnly
	ProjectFinished Type = "project_finished" // Project, Status, Image, Elapsed, Fault, Text: reason of none; of tests that did not have to run also Cached, Run: in which they ran
	ResultKept      Type = "result_kept"      // Project, Text: why what its tests gave is not kept; "" = it is
	CoverageMade    Type = "coverage"         // Coverage, Fault: what all tests together have covered
	Found           Type = "found"            // Project, Linter, Hook, File, Line, Column, Severity, Rule, Text: a linter has something to say
	Fixed           Type = "fixed"            // File: what linters found there was mended
	Checked         Type = "checked"          // Project, Linter: a plugin, Hook, Count: what it found, Elapsed, Fault: why it fails; of builds also Image
	LinterFinished  Type = "linter_finished"  // Project, Linter, Count, CachedCount: files, and those known from before; Elapsed, Fault
	RunFinished     Type = "run_finished"     // Exit, Elapsed, Interrupted
)

// Outcome is how a case ended: its worst phase.
type Outcome string

// The outcomes. NotRun carries its reason in Event.Text.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
	XFailed Outcome = "xfailed"
	XPassed Outcome = "xpassed"
	Errored Outcome = "errored" // setup or teardown failed, or its process died
	NotRun  Outcome = "not_run" // collected, never finished: pytest left it out, or everything ended before
)

// Status is how a project ended in a run.
type Status string

// The statuses of a project.
const (
	OK          Status = "ok"          // every case passed, skipped or xfailed
	Bad         Status = "failed"      // a case or collection failed, or nothing was collected
	Broken      Status = "broken"      // it could not be tested at all; Fault says why
	None        Status = "none"        // has no tests, by declaration
	Interrupted Status = "interrupted" // the run ended first
	Stopped     Status = "stopped"     // another project failed first, and --fail-fast was asked for
	TimedOut    Status = "timeout"     // its time was over first; Fault says which limit
)

// Event is one fact. Which fields are set follows from Type.
type Event struct {
	Seq         int64         `json:"seq"`                   // 1, 2, 3, ... within a run
	Time        time.Time     `json:"time"`                  // UTC
	Type        Type          `json:"type"`                  //
	Run         string        `json:"run,omitempty"`         // run id
	Version     string        `json:"version,omitempty"`     // of wr
	Args        []string      `json:"args,omitempty"`        // command line
	Revision    *Revision     `json:"revision,omitempty"`    // of what is tested; nil = it is in no repository
	Project     string        `json:"project,omitempty"`     // project path
	Container   string        `json:"container,omitempty"`   // whose container it is, if not its own: path of a project, or name of an entry of [images]
	Slice       string        `json:"slice,omitempty"`       // which of the project's cases there, if not all that are to run: names of suites
	Shard       string        `json:"shard,omitempty"`       // which part of those, as "2/3"
	Suite       string        `json:"suite,omitempty"`       // of the case; "" = it is in none
	AlsoIn      []string      `json:"alsoIn,omitempty"`      // other suites that the case is in, by its marks
	Here        string        `json:"here,omitempty"`        // whose container wr runs in, as Container: it tests there and makes no others
	Belongs     string        `json:"belongs,omitempty"`     // in whose container the case belongs, as Container
	Image       string        `json:"image,omitempty"`       // reference
	Digest      string        `json:"digest,omitempty"`      // of the image
	Wanted      string        `json:"wanted,omitempty"`      // image of the present inputs, which is missing: Image runs in its place
	Key         string        `json:"key,omitempty"`         // sha256 of all that decides how the tests run, short of the files that they read
	Case        string        `json:"case,omitempty"`        // pytest node id, relative to the project
	Cases       []string      `json:"cases,omitempty"`       // node ids
	File        string        `json:"file,omitempty"`        // workspace path of the case's file
	Line        int           `json:"line,omitempty"`        // 1-based
	Column      int           `json:"column,omitempty"`      // 1-based, in bytes
	Linter      string        `json:"linter,omitempty"`      // its name, or that of a plugin
	Rule        string        `json:"rule,omitempty"`        // of a linter
	Hook        string        `json:"hook,omitempty"`        // "before test": when a plugin was asked
	Severity    string        `json:"severity,omitempty"`    // error, warning or info
	Outcome     Outcome       `json:"outcome,omitempty"`     //
	Earlier     []Outcome     `json:"earlier,omitempty"`     // of the other attempts of the case, in order
	Attempt     int           `json:"attempt,omitempty"`     // which one this tells of: 1, 2, ...; 0 = there is no other
	Status      Status        `json:"status,omitempty"`      //
	Elapsed     time.Duration `json:"elapsed,omitempty"`     // nanoseconds
	Estimate    time.Duration `json:"estimate,omitempty"`    // nanoseconds that it takes, as earlier runs have it
	Text        string        `json:"text,omitempty"`        // short: a message, a reason, a line
	Details     string        `json:"details,omitempty"`     // long: a traceback
	Stdout      string        `json:"stdout,omitempty"`      // captured, bounded
	Stderr      string        `json:"stderr,omitempty"`      // captured, bounded
	Log         string        `json:"log,omitempty"`         // workspace path of the unit's output
	Count       int           `json:"count,omitempty"`       // cases collected
	CachedCount int           `json:"cachedCount,omitempty"` // files known from before
	Exit        int           `json:"exit,omitempty"`        // exit code
	Cached      bool          `json:"cached,omitempty"`      // nothing had to be done
	Interrupted bool          `json:"interrupted,omitempty"` //
	CollectOnly bool          `json:"collectOnly,omitempty"` // the cases were only to be listed
	Shuffle     string        `json:"shuffle,omitempty"`     // seed of the order of the cases
	FailOnFlaky bool          `json:"failOnFlaky,omitempty"` // a case that passed only in a later attempt fails the run
	Coverage    *Coverage     `json:"coverage,omitempty"`    //
	Fault       *fault.Error  `json:"fault,omitempty"`       //
	Personal    []Setting     `json:"personal,omitempty"`    // what the caller has set for themselves
	Rights      []Right       `json:"rights,omitempty"`      // what the container may do besides the usual; Text: why
}

// Unit is what runs as one: a project's cases in one container, or a slice of
// them. Events of a unit have its fields.
type Unit struct {
	Project   string // path
	Container string // whose container it is: path of a project, or name of an entry of [images]; "" = its own
	Slice     string // which of the cases there, by their suites; "" = all that are to run
	Shard     string // which part of those, as "2/3"; "" = all
}

// Unit is the unit that e is about.
func (e Event) Unit() Unit { return Unit{e.Project, e.Container, e.Slice, e.Shard} }

// Of is e about u.
func (e Event) Of(u Unit) Event {
	e.Project, e.Container, e.Slice, e.Shard = u.Project, u.Container, u.Slice, u.Shard
	return e
}

// Place is u without its slice and shard: all of the project's cases in that container.
func (u Unit) Place() Unit { return Unit{Project: u.Project, Container: u.Container} }

// String is "infra", in the container of another project or image "infra[optimizer]", and
// of a slice "infra:slow", of a shard "infra:2/3" or "infra:slow:2/3".
func (u Unit) String() string {
	var name strings.Builder
	name.WriteString(u.Project)
	if u.Container != "" && u.Container != u.Project {
		name.WriteString("[" + u.Container + "]")
	}
	for _, part := range []string{u.Slice, u.Shard} {
		if part != "" {
			name.WriteString(":" + part)
		}
	}
	return name.String()
}

// Setting is one value of a configuration and where it comes from.
type Setting struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
	File  string `json:"file"`
	Line  int    `json:"line"`
}

// Text is the value on one line.
func (s Setting) Text() string {
	text, err := json.Marshal(s.Value)
	if err != nil {
		return fmt.Sprint(s.Value)
	}
	return string(text)
}

// Right is one kind of what a container may do besides the usual.
type Right struct {
	Kind  string   `json:"kind"`            // its key in [rights]
	Names []string `json:"names,omitempty"` // of capabilities and devices; of mounts SOURCE:TARGET
}

// Sink consumes events. Emit is called from one goroutine at a time.
type Sink interface {
	Emit(e Event)
}
