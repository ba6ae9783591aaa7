package testrun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// maxLost is how many processes of a unit may be lost before no further one is
// started.
const maxLost = 20

// trial is the run of a unit: process after process, until each case has come
// to its end. The first is pytest as it was asked for. Those after it are for
// some of the cases: those that the ones before did not come to, and those that
// are to be run again.
type trial struct {
	Unit

	dir    *unitDir
	runner spec.Runner
	ledger *ledger

	lost          int          // processes that died, or were ended for a case that was late
	died          *fault.Error // what was wrong with the first of them beyond its cases
	between       bool         // and it died outside of them
	collectErrors int          // in all processes
	held          bool         // cases that have not run wait for those that run again
}

func (t *trial) run(ctx context.Context) Verdict {
	var only []string
	for n := 1; ; n++ {
		s := &session{ledger: t.ledger, number: n, paths: paths{root: t.root(), dir: t.Dir}, mixed: t.Places.Mixed, suites: t.Suites, only: only}
		if t.Debug.Port > 0 {
			s.debugger = t.debuggerWaits
		}
		if n == 1 {
			s.notHere(t.NotHere)
		}
		end, err := t.process(ctx, s)
		if err != nil {
			t.ledger.settle(err.Error())
			return t.unwritable(err)
		}
		v := s.conclude(end)
		next, why := t.next(s, end, v)
		if len(next) == 0 {
			t.ledger.settle(why)
			t.lonelyDebugger(s)
			return t.judge(s, v)
		}
		only = next
	}
}

// process runs the process of s.
func (t *trial) process(ctx context.Context, s *session) (ending, error) {
	config := t.pluginConfig(t.dir, s.number)
	config.Only = s.only
	facts, err := t.dir.ready(s.number, config)
	if err != nil {
		return ending{}, err
	}
	defer facts.Close()
	end := t.follow(ctx, s, &tail{file: facts})
	end.interrupted = end.interrupted || end.attended && s.quit(end.exit)
	end.log, end.allowEmpty, end.others = t.dir.logTail(), t.AllowEmpty, t.Others
	if !s.whole() {
		end.full = t.dir.full()
	}
	return end, nil
}

// next says which cases the process after that of s is for, as pytest calls
// them, and if there is none why those that are left are not run.
func (t *trial) next(s *session, end ending, v Verdict) (only []string, why string) {
	t.collectErrors += len(s.uncollectable)
	lost := s.lost(end)
	if lost {
		t.lose(s, v)
	}
	progress := s.progress()
	switch why = s.whyNot(end); {
	case s.single, !lost && !s.inOrder(v), s.finish != nil && s.finish.Stopped != "" && !s.enough():
		return nil, why
	case t.lost >= maxLost:
		return nil, fmt.Sprintf("%d processes were lost before", t.lost)
	case !progress:
		return nil, why
	case s.enough() && s.maxFail == 0 && t.ledger.failures() > 0:
		return nil, why
	case s.maxFail > 0 && t.ledger.failures() >= s.maxFail:
		return nil, cmp.Or(s.stopped(), fmt.Sprintf("stopping after %d failures", s.maxFail))
	}
	t.held = t.held || s.enough()
	for _, c := range t.due() {
		only = append(only, c.nodeID)
	}
	return only, why
}

// due are the cases of the next process: of those that are still to be run, those
// that were run least. So each has its turn before any has another, except
// where failures have stopped pytest: they may turn out to be none.
func (t *trial) due() []*testCase {
	waiting := t.ledger.waiting()
	if t.held {
		failed := slices.DeleteFunc(slices.Clone(waiting), func(c *testCase) bool { return c.runs == 0 })
		if len(failed) > 0 {
			return failed
		}
		t.held = false
	}
	if len(waiting) == 0 {
		return nil
	}
	least := slices.MinFunc(waiting, func(a, b *testCase) int { return cmp.Compare(a.runs, b.runs) }).runs
	return slices.DeleteFunc(waiting, func(c *testCase) bool { return c.runs > least })
}

// lose counts a process that was lost.
func (t *trial) lose(s *session, v Verdict) {
	t.lost++
	if t.died == nil && v.Fault != nil {
		t.died, t.between = v.Fault, len(s.fallen) == 0
	}
}

// judge is the verdict on all processes, the last of which was s with v.
func (t *trial) judge(s *session, v Verdict) Verdict {
	if s.only == nil || v.Status == event.Interrupted || !s.inOrder(v) && v.Fault != t.died {
		return v
	}
	well := t.collectErrors == 0 && t.ledger.well()
	switch {
	case well && t.died == nil:
		return Verdict{Status: event.OK}
	case well && !t.between: // the case that it happened to has told, and passed when it was run again
		s.emit(event.Event{Type: event.Warning, Text: t.died.Message, Fault: t.died})
		return Verdict{Status: event.OK}
	default:
		return Verdict{Status: event.Bad, Fault: t.died}
	}
}

// follow runs the container and hands s each fact soon after it was written. It
// ends the process of a case that takes longer than it may.
func (t *trial) follow(ctx context.Context, s *session, facts *tail) ending {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make(chan ending, 1)
	go func() { done <- t.start(ctx, running) }()
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	for {
		select {
		case now := <-ticks.C:
			_ = facts.read(s.line) // what is wrong shows at the end as well
			if s.stop(now) {
				s.stacks = t.dir.stacks(s.number) // before it goes on to other cases, as it may
				stop(errOverdue)
			}
			if s.outstays(now) {
				stop(errOutstayed)
			}
		case end := <-done:
			if err := facts.read(s.line); err != nil {
				s.damage("cannot be read: " + err.Error())
			}
			return end
		}
	}
}

// start runs a process until it ends or running does, which ends with ctx.
func (t *trial) start(ctx, running context.Context) ending {
	exit, err := t.attach(running, t.runner, t.dir)
	stopped := err != nil || exit.Code == exitInterrupted || exit.Signal != 0
	if errors.Is(err, errOverdue) || errors.Is(err, errOutstayed) {
		err = nil // it was meant
	}
	e := ending{exit: exit, err: err, container: t.Container, attended: t.Debug.Terminal}
	if e.late = timedOut(ctx); e.late != nil && !stopped {
		e.late = nil // it ended by itself in the last moment
	}
	e.interrupted = ctx.Err() != nil && e.late == nil && stopped
	return e
}
