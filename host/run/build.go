package run

import (
	"context"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Images finds the images of build actions in the store, else in their
// registry, else makes them if that is allowed.
type Images struct {
	Builder spec.Builder
	Puller  spec.Puller // nil: no registry is asked
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
	i, err := m.ensure(ctx, a)
	e := event.Event{
		Type: event.BuildFinished, Project: a.Project, Image: a.Build.Ref, Digest: i.Digest, Cached: i.cached, Text: i.from, Elapsed: time.Since(began),
	}
	if err != nil {
		e.Fault = fault.Of(err)
	}
	m.Emit(e)
	return err
}

// ensured is an image and where it came from.
type ensured struct {
	spec.Image
	cached bool   // the store had it already
	from   string // what it was pulled from; "" = it was not
}

// ensure finds, pulls or builds the image of a.
func (m Images) ensure(ctx context.Context, a plan.Action) (ensured, error) {
	if !m.Force {
		if image, ok, err := m.Builder.Lookup(ctx, a.Build.Ref); err != nil || ok {
			return ensured{Image: image, cached: ok}, err
		}
	}
	m.Emit(event.Event{Type: event.BuildStarted, Project: a.Project, Image: a.Build.Ref})
	image, pulled, err := m.pull(ctx, a)
	if pulled {
		return ensured{Image: image, from: a.Remote}, nil
	}
	if err == nil {
		image, err = m.Builder.Build(ctx, *a.Build, m.steps(a))
	}
	return ensured{Image: image}, err
}

// pull reports whether the registry had the image. A registry that cannot be
// asked is an error only where nothing else gives the image.
func (m Images) pull(ctx context.Context, a plan.Action) (spec.Image, bool, error) {
	if a.Remote == "" || m.Puller == nil || m.Force && a.Denied == nil {
		return spec.Image{}, false, denied(a, nil)
	}
	from := spec.Copy{Local: a.Build.Ref, Remote: a.Remote, Labels: a.Build.Labels}
	image, found, err := m.Puller.Pull(ctx, from, m.steps(a))
	switch {
	case ctx.Err() != nil:
		return spec.Image{}, false, context.Cause(ctx)
	case found:
		return image, true, nil
	case a.Denied != nil:
		return spec.Image{}, false, denied(a, err)
	case err != nil:
		m.Emit(event.Event{Type: event.BuildStep, Project: a.Project, Text: "not pulled: " + fault.Of(err).Message})
	}
	return spec.Image{}, false, nil
}

// denied is why a cannot be built, nil when it can; asked is what the registry
// answered.
func denied(a plan.Action, asked error) error {
	if a.Denied == nil {
		return nil
	}
	f := *a.Denied
	if asked != nil {
		f.Err, f.Details = asked, strings.TrimPrefix(f.Details+"\n"+asked.Error(), "\n")
	}
	return &f
}

// steps tells of the progress of a.
func (m Images) steps(a plan.Action) func(spec.Step) {
	return func(s spec.Step) {
		if text := stepText(s); text != "" {
			m.Emit(event.Event{Type: event.BuildStep, Project: a.Project, Text: text})
		}
	}
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
