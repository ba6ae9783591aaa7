package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
)

// runStep is one thing that `wr run` does in a project.
type runStep struct {
	workspace.Project
	task    string        // "PROJECT:TASK"; "" when it is none
	process *spec.Process // nil: the image is all
}

// readyStep is what a runStep comes to.
type readyStep struct {
	Task      string          `json:"task,omitempty"`
	Build     plan.Action     `json:"build"`
	Container *spec.Container `json:"container,omitempty"`
	Process   *spec.Process   `json:"process,omitempty"`

	entered entered
}

// steps is the deed of doing steps one after the other.
func (c *runCmd) steps(ctx context.Context, a *app, ws *workspace.Workspace, steps []runStep) (deed, error) {
	caller, err := a.caller(ws)
	if err != nil {
		return deed{}, err
	}
	on := choice{paths: map[string][]string{}}
	for _, s := range steps {
		on.add(s.Project, "")
	}
	o, err := a.openAll(ctx, ws, on)
	if err != nil {
		return deed{}, err
	}
	o.useLast = c.UseLast
	with := func(use func([]readyStep) error) func([]plan.Selected) error {
		return func(selected []plan.Selected) error {
			var all []readyStep
			for _, s := range steps {
				at := slices.IndexFunc(selected, func(one plan.Selected) bool { return one.Path == s.Path })
				e, err := a.settle(ctx, ws, selected[at], entry{fresh: c.Fresh}, caller)
				if err != nil {
					return err
				}
				all = append(all, s.ready(e))
			}
			return use(all)
		}
	}
	return a.deedOn(ctx, o,
		with(func(all []readyStep) error { return a.printJSON(all) }),
		with(func(all []readyStep) error { return a.runSteps(ctx, o.engine, all) }),
	), nil
}

// ready is s with the image and container that e has for it.
func (s runStep) ready(e entered) readyStep {
	r := readyStep{Task: s.task, Build: e.Build}
	if s.process != nil {
		s.process.Ports = e.Process.Ports
		s.process.Env = withPytest(e.Container, s.process.Env)
		e.Process = *s.process
		r.Container, r.Process, r.entered = &e.Container, s.process, e
	}
	return r
}

// runSteps does steps until one fails, whose code is then that of wr.
func (a *app) runSteps(ctx context.Context, engine Engine, steps []readyStep) error {
	for i, s := range steps {
		if s.Process == nil {
			if err := a.ensure(ctx, engine, s.Build); err != nil {
				return err
			}
			continue
		}
		err := a.runIn(ctx, engine, s.entered)
		if code, ended := err.(exit); ended && code == 0 && i < len(steps)-1 { //nolint:errorlint // runIn ends with a bare exit
			continue
		} else if ended && i < len(steps)-1 {
			fmt.Fprintf(a.Err, "%s ended with %d, so %s was not run\n", s.Task, int(code), steps[len(steps)-1].Task)
		}
		return err
	}
	return nil
}
