package testrun

import (
	"context"
	"errors"
	"fmt"

	"github.com/wr-build/wr/host/event"
)

// failFast ends a run with the first failure. It is an event.Sink.
type failFast struct {
	stop context.CancelCauseFunc
}

// failure is why a run ended that was to end with the first one.
type failure struct {
	unit event.Unit // what failed; it comes to its own end, as -x has it
	what string
}

func (f *failure) Error() string { return f.what + ", and --fail-fast was asked for" }

// unlessOwn is the context of a unit, which ends with outer, and with ctx unless
// that is because of a failure of the unit's own.
func unlessOwn(outer, ctx context.Context, unit event.Unit) (context.Context, context.CancelCauseFunc) {
	own, stop := context.WithCancelCause(outer)
	context.AfterFunc(ctx, func() {
		if f, ok := errors.AsType[*failure](context.Cause(ctx)); !ok || f.unit != unit {
			stop(context.Cause(ctx))
		}
	})
	return own, stop
}

// Emit ends the run if e is a failure.
func (f failFast) Emit(e event.Event) {
	unit := e.Unit().String()
	switch {
	case e.Type == event.CaseFinished && (e.Outcome == event.Failed || e.Outcome == event.Errored):
		f.stop(&failure{e.Unit(), fmt.Sprintf("%s of %s %s", e.Case, unit, e.Outcome)})
	case e.Type == event.CollectFailed:
		f.stop(&failure{e.Unit(), fmt.Sprintf("%s of %s could not be collected", e.Case, unit)})
	case e.Type == event.ProjectFinished && (e.Status == event.Bad || e.Status == event.Broken || e.Status == event.TimedOut):
		f.stop(&failure{e.Unit(), unit + " failed"})
	}
}

// stopped is e as it is when it tells of the end of ctx and that is because of a
// failure elsewhere.
func stopped(ctx context.Context, e event.Event) event.Event {
	why, ok := errors.AsType[*failure](context.Cause(ctx))
	switch {
	case !ok:
	case e.Type == event.ProjectFinished && e.Status == event.Interrupted:
		e.Status, e.Text = event.Stopped, why.Error()
	case e.Type == event.CaseFinished && e.Outcome == event.NotRun && e.Text == interrupted:
		e.Text = why.Error()
	}
	return e
}
