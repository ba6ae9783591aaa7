package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/run"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// buildCmd is `wr build [PROJECT...]`.
type buildCmd struct {
	Projects  []string `arg:"" predictor:"container" optional:"" name:"project" help:"Projects, and entries of [images]; default: the nearest project above."`
	Recursive bool     `short:"r" help:"Also all projects below, and with the root what is in [images]."`
	Force     bool     `help:"Build even what is up to date."`
	NoCache   bool     `help:"Run every step of the Dockerfile again."`
	Update    bool     `help:"Find out anew what the bases stand for, and write it to wr.lock; make the bases of wr.toml anew."`
}

// buildsAtOnce bounds builds; BuildKit runs the steps of each in parallel.
const buildsAtOnce = 2

// Prepare finds out what is to be built.
func (c *buildCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	if c.Update && a.Locked {
		return deed{}, &fault.Error{Code: "cli.usage", Class: fault.Usage, Message: "--update changes wr.lock, and --locked keeps it as it is", Next: "leave one of them out"}
	}
	o, err := a.open(ctx, c.Projects, c.Recursive)
	if err != nil {
		return deed{}, err
	}
	o.update = c.Update
	draw := func(selected []plan.Selected) plan.Plan {
		return plan.Builds(o.ws, selected, plan.Options{NoCache: c.NoCache, NoBuild: !a.mayBuild(o.ws)})
	}
	return a.deedOn(ctx, o,
		func(selected []plan.Selected) error { return a.printPlan(draw(selected)) },
		func(selected []plan.Selected) error {
			return a.build(ctx, o.engine, draw(selected), c.Force || c.NoCache)
		},
	), nil
}

// built is one line of `wr build --json`.
type built struct {
	Project string            `json:"project"`
	Image   string            `json:"image,omitempty"`
	Bases   map[string]string `json:"bases,omitempty"` // what pinned bases stand for
	Cached  bool              `json:"cached"`
	From    string            `json:"from,omitempty"` // what it was pulled from
	Seconds float64           `json:"seconds"`
	Fault   any               `json:"fault,omitempty"`
}

// build carries out a plan of builds. All are tried; the error is that of all
// that failed.
func (a *app) build(ctx context.Context, engine Engine, p plan.Plan, force bool) error {
	var failed []error
	var results []built
	view := a.drawing(a.Err)
	tell := event.NewStream(time.Now, view, sinkFunc(func(e event.Event) {
		if e.Type != event.BuildFinished {
			return
		}
		result := built{Project: e.Project, Image: e.Image, Bases: p.Bases(e.Project), Cached: e.Cached, From: e.Text, Seconds: e.Elapsed.Seconds()}
		if e.Fault != nil {
			result.Fault = e.Fault
			failed = append(failed, e.Fault)
		}
		results = append(results, result)
	}))
	images := run.Images{Builder: engine, Puller: engine, Emit: tell.Emit, Force: force}
	executor := run.Executor{
		Handlers: map[plan.Kind]run.Handler{plan.Build: images.Do},
		Jobs:     map[plan.Kind]int{plan.Build: min(buildsAtOnce, a.jobs())},
	}
	err := firstError(executor.Do(ctx, p), view.Close())
	if err != nil {
		return err
	}
	if a.JSON {
		return firstError(a.printJSON(results), exitOn(failed))
	}
	for _, f := range failed {
		a.report(f)
	}
	return exitOn(failed)
}

// exitOn ends wr with 3 when something failed, all of which has been said.
func exitOn(failed []error) error {
	if len(failed) > 0 {
		return exit(3)
	}
	return nil
}

// printPlan shows a plan without doing anything.
func (a *app) printPlan(p plan.Plan) error {
	var rows [][]string
	var broken []error
	for _, action := range p.Actions {
		rows = append(rows, []string{action.ID, summary(action)})
		if action.Fault != nil {
			broken = append(broken, action.Fault)
		}
	}
	if a.JSON {
		return firstError(a.printJSON(p), exitOn(broken))
	}
	return errors.Join(append(broken, ui.Table(a.Out, []string{"ACTION", "WHAT"}, rows))...)
}

// summary is what an action does, in a line.
func summary(action plan.Action) string {
	switch {
	case action.Fault != nil:
		return "cannot be done: " + action.Fault.Message
	case action.None != "":
		return "no tests by declaration: " + action.None
	case action.Build != nil:
		return action.Build.Ref
	default:
		return fmt.Sprintf("%q in %s", append(action.Test.Command, action.Test.Args...), action.Test.Dir)
	}
}

// sinkFunc is a function as an event.Sink.
type sinkFunc func(event.Event)

func (f sinkFunc) Emit(e event.Event) { f(e) }
