// Package run carries out a plan: it walks the actions in the order of their
// needs, the longest first, as many at once as each kind allows, and never lets
// one failure stop what does not depend on it.
package run

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Handler carries out one action. Its error blocks the actions that need it.
type Handler func(ctx context.Context, a plan.Action) error

// Executor walks plans. Its fields must not change while Do runs.
type Executor struct {
	Handlers map[plan.Kind]Handler // one for each kind in the plan
	Jobs     map[plan.Kind]int     // how many at once; 0 = 1
	// Blocked is told of an action that is not carried out because an action
	// it needs failed with cause, or because ctx ended.
	Blocked func(a plan.Action, cause error)
}

// Do carries out p and returns when every action has ended or was blocked.
// Failures of actions go to whoever needs them; the error is about the plan
// itself, or context.Cause when ctx ended first.
func (x *Executor) Do(ctx context.Context, p plan.Plan) error {
	if err := x.check(p); err != nil {
		return err
	}
	w := &walk{Executor: x, waiting: byUrgency(p.Actions), ended: map[string]error{}, busy: map[plan.Kind]int{}, ends: make(chan end)}
	w.all(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// check refuses a plan that cannot be walked: it is a bug of wr, not of a user.
func (x *Executor) check(p plan.Plan) error {
	seen := map[string]bool{}
	for _, a := range p.Actions {
		if x.Handlers[a.Kind] == nil {
			return badPlan("action %s: nothing carries out %q", a.ID, a.Kind)
		}
		if seen[a.ID] {
			return badPlan("action %s comes twice", a.ID)
		}
		if i := slices.IndexFunc(a.Needs, func(id string) bool { return !seen[id] }); i >= 0 {
			return badPlan("action %s needs %s, which does not come before it", a.ID, a.Needs[i])
		}
		seen[a.ID] = true
	}
	return nil
}

func badPlan(format string, args ...any) error {
	return &fault.Error{Code: "plan.invalid", Class: fault.Bug, Message: fmt.Sprintf(format, args...)}
}

// byUrgency sorts actions: what takes longest, and what it needs, comes first,
// so that nothing long is left for the end. Equals stay in their order.
func byUrgency(actions []plan.Action) []plan.Action {
	urgency := map[string]time.Duration{}
	for _, a := range slices.Backward(actions) { // who needs something comes after it
		urgency[a.ID] = max(urgency[a.ID], a.Estimate)
		for _, id := range a.Needs {
			urgency[id] = max(urgency[id], urgency[a.ID])
		}
	}
	return slices.SortedStableFunc(slices.Values(actions), func(a, b plan.Action) int {
		return cmp.Compare(urgency[b.ID], urgency[a.ID])
	})
}

// walk is one run of Do. All of it belongs to the goroutine of Do.
type walk struct {
	*Executor
	waiting []plan.Action // most urgent first
	ended   map[string]error
	busy    map[plan.Kind]int // how many are at work
	ends    chan end          // of those at work
}

// end is how an action ended.
type end struct {
	plan.Action
	err error
}

// all carries out what is waiting, until all of it has ended or was blocked.
func (w *walk) all(ctx context.Context) {
	over := ctx.Done()
	for {
		for w.step(ctx) {
		}
		if len(w.waiting) == 0 && w.idle() {
			return
		}
		select {
		case e := <-w.ends:
			w.busy[e.Kind]--
			w.ended[e.ID] = e.err
		case <-over:
			over = nil // what is waiting is blocked, what is at work ends by itself
		}
	}
}

// step starts or blocks the most urgent action for which the time has come, and
// reports whether there was one.
func (w *walk) step(ctx context.Context) bool {
	for i, a := range w.waiting {
		ready, cause := w.ready(ctx, a)
		if !ready && cause == nil {
			continue
		}
		w.waiting = slices.Delete(w.waiting, i, i+1)
		if cause != nil {
			w.ended[a.ID] = cause
			w.block(a, cause)
			return true
		}
		w.busy[a.Kind]++
		go func() { w.ends <- end{a, w.Handlers[a.Kind](ctx, a)} }()
		return true
	}
	return false
}

// ready reports whether a may start now, or why it never may.
func (w *walk) ready(ctx context.Context, a plan.Action) (ready bool, cause error) {
	ready = w.busy[a.Kind] < max(1, w.Jobs[a.Kind])
	for _, id := range a.Needs {
		err, ended := w.ended[id]
		if err != nil {
			return false, err
		}
		ready = ready && ended
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return ready, nil
}

// idle reports whether nothing is at work.
func (w *walk) idle() bool {
	for _, n := range w.busy {
		if n > 0 {
			return false
		}
	}
	return true
}

func (w *walk) block(a plan.Action, cause error) {
	if w.Blocked != nil {
		w.Blocked(a, cause)
	}
}
