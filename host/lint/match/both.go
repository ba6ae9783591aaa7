package match

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Both reads a program that says in one way what it found in files, and in another
// of which it could not work on: those in which the syntax is wrong.
type Both struct {
	Findings *Matcher
	Failures *Matcher // nil = it says no such thing
}

// NewBoth makes what reads both; failures nil = the program says no such thing.
func NewBoth(findings abi.Matcher, failures *abi.Matcher) (Both, error) {
	var b Both
	var err error
	if b.Findings, err = New(findings); err != nil || failures == nil {
		return b, err
	}
	b.Failures, err = New(*failures)
	return b, err
}

// Single reports whether the output may name no files, as of a Matcher.
func (b Both) Single() bool {
	return b.Findings.Single() || b.Failures != nil && b.Failures.Single()
}

// Stderr reports whether what is printed on stderr is read.
func (b Both) Stderr() bool {
	return b.Findings.Stream == stderr || b.Failures != nil && b.Failures.Stream == stderr
}

// Read returns the failures in o and then the findings. Failures are read whatever
// the exit code: a program that passes over a file has not found it clean.
func (b Both) Read(o Output) ([]abi.Diagnostic, error) {
	if b.Failures == nil {
		return b.Findings.Read(o)
	}
	clean, found, failed := b.Findings.Clean, b.Findings.Found, b.Failures.Found
	if !slices.Contains(slices.Concat(clean, found, failed), o.Exit) {
		return nil, fmt.Errorf("exited with %d, which is none of clean %v, found %v and failure %v", o.Exit, clean, found, failed)
	}
	all, err := b.Failures.reading(o).read(slices.Contains(failed, o.Exit))
	if err != nil {
		return nil, err
	}
	findings, err := b.Findings.reading(o).read(slices.Contains(found, o.Exit))
	if err != nil && (len(all) == 0 || !b.excuses(o, err)) {
		return nil, err
	}
	if all = append(all, findings...); len(all) == 0 && !slices.Contains(clean, o.Exit) {
		return nil, b.unreadable(o)
	}
	return all, nil
}

// excuses reports whether a program that told failures need not have told findings
// that can be read: it failed, and has printed none, or only half of a document.
func (b Both) excuses(o Output, err error) bool {
	worked := slices.Contains(slices.Concat(b.Findings.Clean, b.Findings.Found), o.Exit)
	return slices.Contains(b.Failures.Found, o.Exit) && (!worked || errors.Is(err, errEmpty))
}

// unreadable is that nothing was said of what the exit code means.
func (b Both) unreadable(o Output) error {
	if slices.Contains(b.Findings.Found, o.Exit) {
		return b.Findings.unreadable(o)
	}
	return b.Failures.unreadable(o)
}
