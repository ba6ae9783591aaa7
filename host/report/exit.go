package report

import (
	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// The exit codes of design section 10.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitEnvironment = 3
	exitBug         = 4
	exitTimedOut    = 124
	exitInterrupted = 130
)

// exitOrder says which of several causes decides: the first one.
var exitOrder = []int{exitInterrupted, exitBug, exitEnvironment, exitUsage, exitTimedOut, exitFailed}

// ExitCode is the exit code of r: 130 > 4 > 3 > 2 > 124 > 1 > 0. A run without
// projects has found none, which is 3. A project that never finished is 3 too. A
// flaky case is 1 where that was asked for.
func ExitCode(r *Run) int {
	causes := map[int]bool{
		exitInterrupted: r.Interrupted, exitEnvironment: len(r.Projects) == 0, exitFailed: r.FailOnFlaky && len(r.Flaky()) > 0,
	}
	for _, p := range r.Projects {
		causes[p.exitCode()] = true
		for _, c := range p.Checks {
			causes[faultCode(c.Fault)] = true
		}
	}
	if r.CoverageFault != nil {
		causes[faultCode(r.CoverageFault)] = true
	}
	for _, code := range exitOrder {
		if causes[code] {
			return code
		}
	}
	return exitOK
}

// exitCode is the code that p alone would give its run.
func (p *Project) exitCode() int {
	if p.Status == event.TimedOut {
		return exitTimedOut
	}
	if p.Fault != nil {
		return faultCode(p.Fault)
	}
	switch p.Status {
	case event.Interrupted:
		return exitInterrupted
	case event.OK, event.None, event.Stopped:
		// Why not trust the status alone: it is one word, the cases are many.
		if s := p.Sums(); s.Failures+s.Errors > 0 {
			return exitFailed
		}
		return exitOK
	case event.Bad:
		return exitFailed
	default: // Broken without a fault, or never finished
		return exitEnvironment
	}
}

func faultCode(f *fault.Error) int {
	switch f.Class {
	case fault.Failed:
		return exitFailed
	case fault.Usage:
		return exitUsage
	case fault.Bug:
		return exitBug
	case fault.Environment:
	}
	return exitEnvironment
}
