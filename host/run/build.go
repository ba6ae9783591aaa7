package run

import (
	"context"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Images makes the images of build actions, unless the store has them.
type Images struct {
	Builder spec.Builder
	Emit    func(event.Event)
	Force   bool // build even what the store has
}

// Do is the Handler of plan.Build.
func (m Images) Do(ctx context.Context, a plan.Action) error {
	if a.Fault != nil {
		m.Emit(event.Event{Type: event.BuildFinished, Project: a.Project, Fault: a.Fault})
		return a.Fault
	}
	began := time.Now()
	cached, err := m.ensure(ctx, a)
	e := event.Event{Type: event.BuildFinished, Project: a.Project, Image: a.Build.Ref, Cached: cached, Elapsed: time.Since(began)}
	if err != nil {
		e.Fault = fault.Of(err)
	}
	m.Emit(e)
	return err
}

// ensure reports whether the store had the image already.
func (m Images) ensure(ctx context.Context, a plan.Action) (cached bool, err error) {
	if !m.Force {
		if _, ok, err := m.Builder.Lookup(ctx, a.Build.Ref); err != nil || ok {
			return ok, err
		}
	}
	m.Emit(event.Event{Type: event.BuildStarted, Project: a.Project, Image: a.Build.Ref})
	_, err = m.Builder.Build(ctx, *a.Build, func(s spec.Step) {
		if text := stepText(s); text != "" {
			m.Emit(event.Event{Type: event.BuildStep, Project: a.Project, Text: text})
		}
	})
	return false, err
}

// stepText is the line of progress that s is worth, or "".
func stepText(s spec.Step) string {
	switch {
	case s.Log != "":
		return s.Log
	case s.Error != "":
		return s.Name + ": " + s.Error
	case s.Cached:
		return s.Name + " (cached)"
	case s.Done:
		return ""
	default:
		return s.Name
	}
}
