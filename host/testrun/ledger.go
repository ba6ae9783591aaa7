package testrun

import (
	"fmt"
	"slices"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// ledger has the cases of a unit, over all processes that run them. It says
// which are to be run again, and each ends once.
type ledger struct {
	emit   func(event.Event)
	policy func(*testCase) plan.Policy
	repeat int  // how many times each case is run, if more than once
	over   bool // no further process will be

	repeater string // the plugin that runs failures again in wr's place; "" = none does
	yielded  bool   // that has been said

	cases map[string]*testCase // by pytest's own node id
	order []*testCase          // collected, then those nobody collected
}

func newLedger(u Unit, emit func(event.Event)) *ledger {
	return &ledger{emit: emit, policy: u.policy, repeat: u.Repeat, cases: map[string]*testCase{}}
}

// add takes one more phase of c into account. A setup after other phases begins
// another attempt: plugins that retry report a case several times, and the last
// attempt is the one that counts.
func (l *ledger) add(c *testCase, p phase) {
	if !c.open || p.when == "setup" && c.now.called {
		l.begin(c)
	}
	c.now.add(p)
}

// begin begins another attempt of c.
func (l *ledger) begin(c *testCase) {
	if c.attempts > 0 {
		l.setAside(c)
		c.outcomes = append(c.outcomes, c.now.outcome)
	}
	c.attempts++
	c.before, c.now, c.open = c.now, attempt{number: c.attempts, outcome: event.Passed}, true
}

// setAside tells of the last attempt of c as one that another follows.
func (l *ledger) setAside(c *testCase) {
	if c.told < c.attempts {
		c.told = c.attempts
		l.emit(c.event(event.CaseRetried, c.now))
	}
}

// undo takes an attempt of c back that says nothing of c: everything ended in
// the middle of it.
func (c *testCase) undo() {
	if c.running = false; !c.open || c.ran {
		return
	}
	c.attempts--
	c.now, c.open = c.before, false
	c.outcomes = c.outcomes[:max(0, c.attempts-1)]
}

// end ends an attempt of c in its process, and c with it unless it is to be run
// again.
func (l *ledger) end(c *testCase) {
	c.running = false
	if !c.ran {
		c.ran, c.runs = true, c.runs+1
	}
	if !worse(c.worst.outcome, c.now.outcome) {
		c.worst = c.now
	}
	if l.again(c) {
		l.setAside(c)
		return
	}
	l.close(c, l.text(c))
}

// fail ends an attempt of c that its process did not come to the end of. What
// its phases told before stays.
func (l *ledger) fail(c *testCase, o event.Outcome, text string) {
	if !c.open {
		l.begin(c)
	}
	c.now.outcome, c.now.text = o, text
	l.end(c)
}

// expire ends an attempt of c that took longer than it may.
func (l *ledger) expire(c *testCase, stacks string) {
	if !c.open {
		l.begin(c)
	}
	if c.now.late = true; stacks != "" {
		c.now.details = append(c.now.details, stacks)
	}
	limit := l.policy(c).Timeout
	c.now.elapsed = max(c.now.elapsed, limit) // the phase that it hangs in was never told
	l.fail(c, event.Failed, "it took longer than "+limit.String())
}

// again reports whether c, an attempt of which has just ended, is to be run in
// a further process.
func (l *ledger) again(c *testCase) bool {
	switch reruns := l.policy(c).Reruns; {
	case l.over:
		return false
	case l.repeat > 1:
		return c.runs < l.repeat
	case !c.now.bad() || reruns == (plan.Reruns{}):
		return false
	case l.repeater != "":
		l.yield()
		return false
	default:
		return !c.repeated() && c.grant(reruns)
	}
}

// yield says once that a plugin runs failures again in wr's place.
func (l *ledger) yield() {
	if l.yielded {
		return
	}
	l.yielded = true
	f := &fault.Error{
		Code: "test.reruns_off", Class: fault.Failed, Message: l.repeater + " is set to run failures again in this project, so wr does not",
		Next: "keep one of the two",
	}
	l.emit(event.Event{Type: event.Warning, Text: f.Message, Fault: f})
}

// text is what is said of c in short as it ends.
func (l *ledger) text(c *testCase) string {
	switch {
	case l.repeat > 1:
		return c.often()
	case c.attempts > 1:
		return joinedBy(": ", fmt.Sprintf("attempt %d", c.attempts), c.now.text)
	default:
		return c.now.text
	}
}

// close ends c for good.
func (l *ledger) close(c *testCase, text string) {
	c.ended = true
	told := c.now
	if l.repeat > 1 {
		if told = c.worst; told.number < c.attempts {
			l.setAside(c)
		}
	}
	e := c.event(event.CaseFinished, told)
	e.Text, e.Earlier = text, slices.Clone(c.outcomes)
	if told.number < c.attempts {
		e.Earlier = append(slices.Delete(e.Earlier, told.number-1, told.number), c.now.outcome)
	}
	l.emit(e)
}

// settle ends the cases that no further process will run, for the reason why. Of
// those that have run the last attempt counts.
func (l *ledger) settle(why string) {
	l.over = true
	for _, c := range l.order {
		switch reason := c.reason(why); {
		case c.ended:
		case c.attempts == 0:
			c.now = attempt{outcome: event.NotRun}
			c.worst = c.now
			l.close(c, reason)
		default:
			l.close(c, joinedBy("; ", l.text(c), "not run again: "+reason))
		}
	}
}

// waiting are the cases that are still to be run.
func (l *ledger) waiting() []*testCase {
	var all []*testCase
	for _, c := range l.order {
		if !c.ended && c.gone == "" {
			all = append(all, c)
		}
	}
	return all
}

// well reports whether each case has ended, and none badly.
func (l *ledger) well() bool {
	return l.failures() == 0 && !slices.ContainsFunc(l.order, func(c *testCase) bool { return !c.ended || c.now.outcome == event.NotRun })
}

// failures is how many cases have failed for good.
func (l *ledger) failures() int {
	n := 0
	for _, c := range l.order {
		if c.ended && c.now.bad() || l.repeat > 1 && c.worst.bad() {
			n++
		}
	}
	return n
}
