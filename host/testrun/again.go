package testrun

import (
	"slices"

	"github.com/wr-build/wr/host/event"
)

// lost reports whether the process of s ended in the middle of its cases although
// nothing outside of it did: it died, or was ended for a case that took too long.
func (s *session) lost(end ending) bool {
	outside := end.err != nil || end.interrupted || end.late != nil || end.full != nil || s.damaged != "" || s.internal != nil
	return s.started && !outside && (s.overdue != nil || s.finish == nil)
}

// inOrder reports whether the process of s, with verdict v, came to its end and
// nothing but its cases is wrong.
func (s *session) inOrder(v Verdict) bool {
	return v.Fault == nil && (v.Status == event.OK || v.Status == event.Bad) && s.internal == nil
}

// progress reports whether a case needs to be run once less because of s, which
// is what a further process has to be worth. It notes which of those that s was
// for pytest no longer finds.
func (s *session) progress() bool {
	if s.only == nil {
		return slices.ContainsFunc(s.mine, func(c *testCase) bool { return c.ran })
	}
	progress, collected := false, s.collected > 0 || s.finish != nil
	for _, id := range s.only {
		c := s.cases[id]
		if c.in != s && collected {
			c.gone = s.missing(c)
		}
		progress = progress || c.gone != "" || c.in == s && c.ran
	}
	return progress
}

// enough reports whether pytest stopped s for failures, as -x or --maxfail has it.
// All of them may turn out to be none, when they are run again.
func (s *session) enough() bool { return s.finish != nil && maxFail.MatchString(s.finish.Stopped) }

// missing says why a case that was collected before is not among those of s.
func (s *session) missing(c *testCase) string {
	if slices.Contains(s.uncollectable, fileOf(c.id)) {
		return "its file could not be collected again"
	}
	return "another process did not collect it again, as when ids change from process to process"
}
