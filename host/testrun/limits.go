package testrun

import (
	"context"
	"errors"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// limited bounds what runs with ctx by the time that u may take.
func (u Unit) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if u.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, u.Timeout, spec.TimedOut(u.Timeout))
}

// timedOut is the fault of a time that was over, if that is why ctx ended.
func timedOut(ctx context.Context) *fault.Error {
	if f, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok && f.Code == spec.LimitTimeout {
		return f
	}
	return nil
}

// tooLate is the fault of a unit whose time was over.
func tooLate(end ending) *fault.Error {
	f := *end.late
	f.Details = end.log
	return &f
}

// outOfMemory is the fault of a unit whose process was killed for memory.
func outOfMemory(end ending) *fault.Error {
	f := spec.OutOfMemory(end.container)
	f.Details = end.log
	return f
}
