package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Lint is what came of one run of linters.
type Lint struct {
	Version     string        `json:"version"` // of wr
	Started     time.Time     `json:"started"`
	Elapsed     time.Duration `json:"elapsed"` // nanoseconds
	Interrupted bool          `json:"interrupted,omitempty"`
	Linters     []Linted      `json:"linters"`         // by project, then by name
	Files       int           `json:"files"`           // that linters were to look at, each counted once
	Fixed       []string      `json:"fixed,omitempty"` // workspace paths of files that were written, sorted
	Fault       *fault.Error  `json:"fault,omitempty"` // why all of it counts as failed; nil = each tells for itself
	Exit        int           `json:"exit"`            // of wr
}

// Linted is what one linter said of one project.
type Linted struct {
	Linter      string           `json:"linter"`
	Project     string           `json:"project"` // its path
	Files       int              `json:"files"`   // that it was to look at
	Cached      int              `json:"cached"`  // of these: known from before
	Elapsed     time.Duration    `json:"elapsed"` // nanoseconds, of its processes
	Diagnostics []abi.Diagnostic `json:"diagnostics"`
	Fault       *fault.Error     `json:"fault,omitempty"` // why it did not work; nil = it did
}

// Finding is a diagnostic and who said it.
type Finding struct {
	*Linted
	abi.Diagnostic
}

// Findings are all diagnostics, by file and place, each once.
func (l *Lint) Findings() []Finding {
	var all []Finding
	for i := range l.Linters {
		for _, d := range l.Linters[i].Diagnostics {
			all = append(all, Finding{&l.Linters[i], d})
		}
	}
	slices.SortStableFunc(all, compareFindings)
	return slices.CompactFunc(all, func(a, b Finding) bool { return compareFindings(a, b) == 0 && a.Severity == b.Severity })
}

func compareFindings(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.File, b.File), cmp.Compare(a.Range.Start.Line, b.Range.Start.Line), cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
		cmp.Compare(a.Linter, b.Linter), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message),
	)
}

// LintSums are findings by severity, those that --fix mends, linters that did not
// work, and files, each counted for every linter that was to look at it.
type LintSums struct {
	Errors, Warnings, Infos, Fixable, Broken, Files, Cached int
}

// Sums counts.
func (l *Lint) Sums() LintSums {
	var s LintSums
	for _, one := range l.Linters {
		s.Files += one.Files
		s.Cached += one.Cached
		if one.Fault != nil {
			s.Broken++
		}
	}
	for _, f := range l.Findings() {
		switch f.Severity {
		case abi.SeverityError:
			s.Errors++
		case abi.SeverityWarning:
			s.Warnings++
		case abi.SeverityInfo:
			s.Infos++
		}
		if f.Fixable() {
			s.Fixable++
		}
	}
	return s
}

// Fixable reports whether --fix mends it.
func (f Finding) Fixable() bool {
	return slices.ContainsFunc(f.Fixes, func(fix abi.Fix) bool { return fix.Safe })
}

// rank orders severities.
func rank(s abi.Severity) int {
	return slices.Index([]abi.Severity{abi.SeverityInfo, abi.SeverityWarning, abi.SeverityError}, s)
}

// LintExitCode is the exit code of l, where findings of a severity and of worse
// ones fail it: 130 > 4 > 3 > 2 > 1 > 0.
func LintExitCode(l *Lint, failing abi.Severity) int {
	causes := map[int]bool{exitInterrupted: l.Interrupted}
	if l.Fault != nil {
		causes[faultCode(l.Fault)] = true
	}
	for _, one := range l.Linters {
		if one.Fault != nil {
			causes[faultCode(one.Fault)] = true
		}
		for _, d := range one.Diagnostics {
			if rank(d.Severity) < 0 || rank(d.Severity) >= rank(failing) { // a severity that is none fails
				causes[exitFailed] = true
			}
		}
	}
	for _, code := range exitOrder {
		if causes[code] {
			return code
		}
	}
	return exitOK
}
