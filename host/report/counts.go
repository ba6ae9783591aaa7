package report

import "github.com/wr-build/wr/host/event"

// Counts are the numbers of a project or of a run. Collected is the sum of
// Passed to NotRun; what was deselected is not among the collected.
type Counts struct {
	Collected     int `json:"collected"`
	Passed        int `json:"passed"`
	Failed        int `json:"failed"`
	Skipped       int `json:"skipped"`
	XFailed       int `json:"xfailed"`
	XPassed       int `json:"xpassed"`
	Errored       int `json:"errored"`
	NotRun        int `json:"notRun"` // also a case whose outcome is still to come
	Deselected    int `json:"deselected"`
	CollectErrors int `json:"collectErrors"`
}

// Sums are the numbers of the closing table: what a person adds up. Tests is
// the sum of the others. In junit.xml, which has no such thing, NotRun is part
// of skipped.
type Sums struct {
	Tests    int `json:"tests"`    // all entries, those of Errors that are no cases included
	Passed   int `json:"passed"`   // also those that were expected to fail and did not
	Failures int `json:"failures"` //
	Errors   int `json:"errors"`   // cases without a result, files not collected, projects not tested, plugins that object after it
	Skipped  int `json:"skipped"`  // also those that failed as expected
	NotRun   int `json:"notRun"`   // cases that pytest left out, as -x makes it; others that have not run are Errors
}

// Counts counts the cases of p.
func (p *Project) Counts() Counts {
	n := Counts{Collected: len(p.Cases), Deselected: len(p.Deselected), CollectErrors: len(p.CollectErrors)}
	for _, c := range p.Cases {
		*n.of(c.Outcome)++
	}
	return n
}

// of is the field that counts cases with outcome o.
func (n *Counts) of(o event.Outcome) *int {
	switch o {
	case event.Passed:
		return &n.Passed
	case event.Failed:
		return &n.Failed
	case event.Skipped:
		return &n.Skipped
	case event.XFailed:
		return &n.XFailed
	case event.XPassed:
		return &n.XPassed
	case event.Errored:
		return &n.Errored
	default:
		return &n.NotRun
	}
}

// Add returns the sum of n and o.
func (n Counts) Add(o Counts) Counts {
	return Counts{
		Collected: n.Collected + o.Collected, Passed: n.Passed + o.Passed, Failed: n.Failed + o.Failed,
		Skipped: n.Skipped + o.Skipped, XFailed: n.XFailed + o.XFailed, XPassed: n.XPassed + o.XPassed,
		Errored: n.Errored + o.Errored, NotRun: n.NotRun + o.NotRun,
		Deselected: n.Deselected + o.Deselected, CollectErrors: n.CollectErrors + o.CollectErrors,
	}
}

// Total is the sum over all projects.
func (r *Run) Total() Counts {
	var n Counts
	for _, p := range r.Projects {
		n = n.Add(p.Counts())
	}
	return n
}

// Sums are the numbers of p for its row and its testsuite.
func (p *Project) Sums() Sums {
	n := p.Counts()
	s := Sums{
		Passed: n.Passed + n.XPassed, Failures: n.Failed,
		Errors: n.Errored + n.CollectErrors + len(p.Checks), Skipped: n.Skipped + n.XFailed,
	}
	if p.leftOut() {
		s.NotRun = n.NotRun
	} else {
		s.Errors += n.NotRun
	}
	if p.untold() != "" {
		s.Errors++
	}
	s.Tests = s.Passed + s.Failures + s.Errors + s.Skipped + s.NotRun
	return s
}

// Sums are the numbers of all projects together.
func (r *Run) Sums() Sums {
	var s Sums
	for _, p := range r.Projects {
		o := p.Sums()
		s.Tests += o.Tests
		s.Passed += o.Passed
		s.Failures += o.Failures
		s.Errors += o.Errors
		s.Skipped += o.Skipped
		s.NotRun += o.NotRun
	}
	return s
}

// leftOut reports whether pytest left the cases out that have not run, and came
// to an end in order. If it was interrupted or died, nobody knows how they
// would have ended, and nothing else may say that something is wrong.
func (p *Project) leftOut() bool {
	return p.Status == event.Stopped || p.Stopped != "" && (p.Status == event.OK || p.Status == event.Bad)
}

// untold says what is wrong with p beyond its cases and its collection, or "".
// Without it a project that could not be tested would look like one that has
// nothing to test.
func (p *Project) untold() string {
	n := p.Counts()
	told := n.Failed+n.Errored+n.CollectErrors > 0 || n.NotRun > 0 && !p.leftOut()
	switch {
	case p.Fault != nil:
		return p.Fault.Error()
	case p.Status == event.OK, p.Status == event.None, p.Status == event.Stopped, told:
		return ""
	case p.Status == event.Interrupted:
		return "interrupted before it was tested"
	case p.Status == "":
		return "the run ended before it was tested"
	default:
		return "not tested: " + string(p.Status)
	}
}
