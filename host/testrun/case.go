package testrun

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
)

// testCase is one collected case, over all processes of its unit.
type testCase struct {
	id     string   // relative to the project
	nodeID string   // as pytest has it
	file   string   // relative to the workspace
	suites []string // names; it runs in the first
	line   int

	in      *session  // the last one that has it
	first   int       // number of its first attempt in there
	running bool      // started in there, and its end is not told
	since   time.Time // when its start was read
	open    bool      // the next phase is one of the same attempt, unless it is another setup
	ran     bool      // an attempt has come to an end in there

	attempts    int
	now, before attempt         // the last one, and the one before it
	worst       attempt         // the last one of the worst outcome, of those that have come to an end
	outcomes    []event.Outcome // of all before the last one
	told        int             // of how many event.CaseRetried has told

	runs  int         // processes in which it has come to an end
	spent plan.Reruns // for what it is, or was, run again
	ended bool        // for good, unless a plugin starts it again
	gone  string      // why it cannot be run again; "" = it can
}

// event tells of an attempt of c.
func (c *testCase) event(t event.Type, a attempt) event.Event {
	e := event.Event{
		Type: t, Case: c.id, File: c.file, Line: c.line, Outcome: a.outcome, Elapsed: a.elapsed,
		Text: a.text, Details: strings.Join(a.details, "\n\n"), Stdout: a.stdout, Stderr: a.stderr,
	}
	if c.attempts > 1 || c.told > 0 {
		e.Attempt = a.number
	}
	return suited(e, c.suites)
}

// repeated reports whether c was run more than once in one process: by a plugin,
// or because it was asked for twice.
func (c *testCase) repeated() bool { return c.attempts > c.first }

// grant reports whether c may be run again for how it failed, and counts it.
func (c *testCase) grant(r plan.Reruns) bool {
	kind, own := &c.spent.Any, 0
	switch {
	case c.now.late:
		kind, own = &c.spent.Timeout, r.Timeout
	case c.now.outcome == event.Errored:
		kind, own = &c.spent.Error, r.Error
	}
	most, spent := own, *kind
	if own == 0 {
		most, spent = r.Any, c.spent.Timeout+c.spent.Error+c.spent.Any
	}
	if spent >= most {
		return false
	}
	*kind++
	return true
}

// often says how many of the attempts of c ended like the worst one.
func (c *testCase) often() string {
	n := 0
	for _, o := range append(slices.Clip(c.outcomes), c.now.outcome) {
		if o == c.worst.outcome {
			n++
		}
	}
	if n == c.attempts && !c.worst.bad() {
		return c.worst.text
	}
	return joinedBy(": ", fmt.Sprintf("%s in %d of %d", c.worst.outcome, n, c.attempts), c.worst.text)
}

// reason is why c is not run again: its own, else that of all.
func (c *testCase) reason(ofAll string) string { return cmp.Or(c.gone, ofAll) }

// joinedBy is what there is of head and tail.
func joinedBy(separator, head, tail string) string {
	if head == "" || tail == "" {
		return head + tail
	}
	return head + separator + tail
}
