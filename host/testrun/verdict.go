package testrun

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// ending is all that the host itself saw of the end of a unit.
type ending struct {
	exit        spec.Exit
	err         error        // of the runner, not of the process
	interrupted bool         // err is there because the context ended
	attended    bool         // a person was at pytest's terminal
	late        *fault.Error // err is there because the time was over; nil = it was not
	container   spec.Container
	full        *fault.Error // why the facts end early: no more could be written; nil = that is not why
	log         string       // last lines of the output
	allowEmpty  bool
	others      func() bool // as in Unit
}

// Exit codes of pytest.
const (
	exitOK          = 0
	exitFailed      = 1
	exitInterrupted = 2
	exitInternal    = 3
	exitUsage       = 4
	exitEmpty       = 5
)

// conclude ends the cases that were running when the process did, and judges it
// by the cases that it had.
func (s *session) conclude(end ending) Verdict {
	if s.torn && s.started {
		s.damage("ends in a line that is no fact")
	}
	if s.outstayed && !end.interrupted && end.late == nil {
		end.exit = s.quitLate(end)
	}
	if s.finish != nil {
		s.emit(s.told(end))
	}
	s.settle(end)
	switch {
	case end.interrupted:
		return Verdict{Status: event.Interrupted}
	case end.late != nil:
		return Verdict{Status: event.TimedOut, Fault: tooLate(end)}
	case end.full != nil:
		return Verdict{Status: event.Broken, Fault: noSpace(end)}
	case end.exit.OOMKilled:
		return Verdict{Status: event.Bad, Fault: outOfMemory(end)}
	case s.damaged != "":
		return Verdict{Status: event.Bad, Fault: s.streamDamaged(end)}
	case !s.started:
		return Verdict{Status: event.Broken, Fault: noSession(end)}
	case end.err != nil:
		return Verdict{Status: event.Broken, Fault: fault.Of(end.err)}
	case s.overdue != nil:
		return Verdict{Status: event.Bad}
	case s.finish == nil:
		return Verdict{Status: event.Bad, Fault: s.died(end)}
	default:
		return s.judge(end)
	}
}

// told tells of the end that pytest itself has told of.
func (s *session) told(end ending) event.Event {
	e := event.Event{
		Type: event.SessionFinished, Count: s.collected, Exit: end.exit.Code, Text: s.stopped(), CollectOnly: s.finish.CollectOnly,
	}
	if end.late != nil {
		e.Text = end.late.Message
	}
	if s.finish.Exit != nil {
		e.Exit = *s.finish.Exit
	}
	return e
}

// settle ends the attempts that never finished, if that is their own doing.
func (s *session) settle(end ending) {
	s.over = s.over || end.interrupted || end.late != nil || s.finish == nil && !s.lost(end)
	for _, c := range s.mine {
		switch {
		case !c.running:
		case slices.Contains(s.overdue, c):
			s.expire(c, s.stacks[c.nodeID])
		case s.fellWith(end):
			s.fallen = append(s.fallen, c)
			s.fail(c, event.Errored, s.ranInto(end))
		case c.open && c.now.bad(): // its end was never told, as under xdist when a worker died
			s.end(c)
		default:
			c.undo()
		}
	}
}

// fellWith reports whether a case that was running when the session ended is
// to blame, or at least to be looked at.
func (s *session) fellWith(end ending) bool {
	return !end.interrupted && s.overdue == nil && (s.finish == nil || s.internal != nil || end.late != nil)
}

// ranInto says what happened in the middle of a case.
func (s *session) ranInto(end ending) string {
	switch {
	case end.late != nil:
		return "it was running when " + end.late.Message
	case s.internal != nil:
		return "pytest itself failed: " + s.internal.Text
	case end.full != nil:
		return "its end could not be written: " + end.full.Message
	case end.err != nil:
		return "its container was lost: " + end.err.Error()
	case end.exit.Signal == 0:
		return "its process died: " + howItEnded(end.exit) + " in the middle of the case"
	default:
		return "its process died: " + howItEnded(end.exit)
	}
}

// interrupted is why cases have not run that the end of the run has cut off.
const interrupted = "interrupted"

// whyNot is the reason of cases that never began, or were left by order.
func (s *session) whyNot(end ending) string {
	switch {
	case end.interrupted:
		return interrupted
	case end.late != nil:
		return end.late.Message
	case end.full != nil:
		return "nothing more could be written: " + end.full.Message
	case end.err != nil:
		return "the container was lost: " + end.err.Error()
	case s.internal != nil:
		return "pytest itself failed: " + s.internal.Text
	case s.overdue != nil:
		return s.overdue[0].id + " took too long"
	case s.finish == nil && len(s.fallen) > 0:
		return fmt.Sprintf("the process died in %s: %s", s.fallen[0].id, howItEnded(end.exit))
	case s.finish == nil:
		return "the process died before: " + howItEnded(end.exit)
	default:
		return cmp.Or(s.stopped(), "pytest ended before")
	}
}

// stopped is why pytest itself, in order, left cases out. "" is that it did
// not, or that it is not to be believed: then a case that has not run is an
// error. What stopped it is told elsewhere, by the case that failed or by a
// fault, unless the user asked for it.
func (s *session) stopped() string {
	switch {
	case !s.whole():
		return ""
	case s.finish.CollectOnly:
		return "only collected, as asked"
	case s.finish.Stopped != "":
		return s.finish.Stopped
	case len(s.uncollectable) > 0:
		return "not everything could be collected"
	default:
		return ""
	}
}

// maxFail matches what pytest says when -x or --maxfail stopped it. With 1 it
// exits by itself, under xdist with 2.
var maxFail = regexp.MustCompile(`stopping after \d+ failures$`)

// judge reads the exit code of a session that ended in order against what its
// cases say: both must agree.
func (s *session) judge(end ending) Verdict {
	if s.finish.Exit != nil && *s.finish.Exit != end.exit.Code {
		return bad("test.exit_mismatch", end, "pytest ended with %d but its process with %s", *s.finish.Exit, howItEnded(end.exit))
	}
	if len(s.uncollected) > 0 {
		return bad("test.unaccounted", end, "%d cases ran that were never collected, the first is %s", len(s.uncollected), s.uncollected[0])
	}
	troubles := s.troubles()
	switch code := end.exit.Code; {
	case s.empty() && (code == exitOK || code == exitEmpty):
		return s.judgeEmpty(end)
	case code == exitOK && troubles == "" && s.left() > 0 && !s.finish.CollectOnly:
		return bad("test.exit_mismatch", end, "pytest exited with 0 although it left out %d cases: %s", s.left(), s.stopped())
	case code == exitOK && troubles == "":
		return Verdict{Status: event.OK}
	case code == exitOK:
		return bad("test.exit_mismatch", end, "pytest exited with 0 although there are %s", troubles)
	case code == exitFailed && troubles == "":
		v := bad("test.exit_mismatch", end, "pytest exited with 1 although no case failed")
		v.Fault.Next = "look at the output: a plugin, such as a coverage threshold, may have failed the session"
		return v
	case code == exitFailed:
		s.explain(end)
		return Verdict{Status: event.Bad}
	case code == exitInterrupted && (len(s.uncollectable) > 0 || troubles != "" && maxFail.MatchString(s.finish.Stopped)):
		return Verdict{Status: event.Bad}
	case code == exitInterrupted:
		return bad("test.stopped", end, "pytest was stopped: %s", cmp.Or(s.finish.Stopped, "no reason given"))
	case code == exitInternal:
		return s.internalError(end)
	case code == exitUsage:
		return Verdict{Status: event.Broken, Fault: usageFault(end)}
	default:
		return bad("test.exit_code", end, "pytest ended with the unknown exit code %d: %s", code, cmp.Or(s.finish.Stopped, "no reason given"))
	}
}

// empty reports whether no case was there to run.
func (s *session) empty() bool { return s.collected == s.moduleSkips && len(s.uncollectable) == 0 }

func (s *session) judgeEmpty(end ending) Verdict {
	if s.only != nil || end.allowEmpty || s.unsuited > 0 && s.deselected == 0 || end.others != nil && end.others() {
		return Verdict{Status: event.OK}
	}
	v := bad("test.none_collected", end, "no tests were collected")
	switch {
	case s.deselected > 0:
		v.Fault.Message = fmt.Sprintf("no tests are left: all %d collected were deselected", s.deselected)
		v.Fault.Next = "choose other tests, or pass --allow-empty"
	case s.elsewhere > 0:
		v.Fault.Message = fmt.Sprintf("no tests are left: all %d collected belong in other containers", s.elsewhere)
	case s.moduleSkips > 0:
		v.Fault.Message = fmt.Sprintf("no tests were collected: all %d files skipped themselves", s.moduleSkips)
		v.Fault.Next = "pass --allow-empty if that is meant"
	default:
		v.Fault.Next = `add a test, set [test] none = "reason" in wr.toml if there is nothing to test, or pass --allow-empty`
	}
	return v
}

// troubles counts the outcomes that fail a unit, in words; "" = there are none.
func (s *session) troubles() string {
	counts := s.counts()
	if s.stopped() != "" {
		counts[event.NotRun] = 0
	}
	var parts []string
	for _, o := range []event.Outcome{event.Failed, event.Errored, event.NotRun} {
		if n := counts[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(string(o), "_", " ")))
		}
	}
	if len(s.uncollectable) > 0 {
		parts = append(parts, fmt.Sprintf("%d collection errors", len(s.uncollectable)))
	}
	return strings.Join(parts, ", ")
}

// left is how many cases have not run.
func (s *session) left() int { return s.counts()[event.NotRun] }

// counts are the outcomes of the cases as this process leaves them.
func (s *session) counts() map[event.Outcome]int {
	counts := map[event.Outcome]int{}
	for _, c := range s.mine {
		if c.ran {
			counts[c.now.outcome]++
		} else {
			counts[event.NotRun]++
		}
	}
	return counts
}
