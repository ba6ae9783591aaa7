// Package run carries out a plan: it walks the actions in the order of their
// needs, as many at once as each kind allows, and never lets one failure stop
// what does not depend on it.
package run

import (
	"context"
	"fmt"
	"slices"
	"sync"

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
	// it needs failed with cause, or because ctx ended. It may be called from
	// several goroutines at once.
	Blocked func(a plan.Action, cause error)
}

// Do carries out p and returns when every action has ended or was blocked.
// Failures of actions go to whoever needs them; the error is about the plan
// itself, or context.Cause when ctx ended first.
func (x *Executor) Do(ctx context.Context, p plan.Plan) error {
	if err := x.check(p); err != nil {
		return err
	}
	w := &walk{Executor: x, results: make(map[string]*result, len(p.Actions)), slots: map[plan.Kind]chan struct{}{}}
	for _, a := range p.Actions {
		w.results[a.ID] = &result{done: make(chan struct{})}
		if w.slots[a.Kind] == nil {
			w.slots[a.Kind] = make(chan struct{}, max(1, x.Jobs[a.Kind]))
		}
	}
	var all sync.WaitGroup
	for _, a := range p.Actions {
		all.Go(func() { w.settle(ctx, a) })
	}
	all.Wait()
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

// walk is one run of Do.
type walk struct {
	*Executor
	results map[string]*result
	slots   map[plan.Kind]chan struct{}
}

// result is how an action ended; err may be read once done is closed.
type result struct {
	done chan struct{}
	err  error
}

// settle waits for what a needs and for a free slot, carries a out, and
// publishes how it ended.
func (w *walk) settle(ctx context.Context, a plan.Action) {
	r := w.results[a.ID]
	defer close(r.done)
	if r.err = w.await(ctx, a); r.err != nil {
		w.block(a, r.err)
		return
	}
	defer func() { <-w.slots[a.Kind] }()
	r.err = w.Handlers[a.Kind](ctx, a)
}

// await returns nil once a may start, holding a slot of its kind.
func (w *walk) await(ctx context.Context, a plan.Action) error {
	for _, id := range a.Needs {
		need := w.results[id]
		<-need.done
		if need.err != nil {
			return need.err
		}
	}
	select {
	case w.slots[a.Kind] <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if ctx.Err() != nil {
		<-w.slots[a.Kind]
		return context.Cause(ctx)
	}
	return nil
}

func (w *walk) block(a plan.Action, cause error) {
	if w.Blocked != nil {
		w.Blocked(a, cause)
	}
}
