package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
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
	Print     bool     `help:"Print the Dockerfile that the image is built from, also one that a plugin makes, and build nothing."`
	Update    bool     `help:"Find out anew what the bases stand for, and write it to wr.lock; make the bases of wr.toml anew."`
}

// buildsAtOnce bounds builds; BuildKit runs the steps of each in parallel.
const buildsAtOnce = 2

// Prepare finds out what is to be built.
func (c *buildCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	if c.Update && a.Locked {
		return deed{}, &fault.Error{Code: "cli.usage", Class: fault.Usage, Message: "--update changes wr.lock, and --locked keeps it as it is", Next: "leave one of them out"}
	}
	if c.Print {
		return c.print(ctx, a)
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
			plugins, err := a.consult(ctx, o.ws)
			if err != nil {
				return err
			}
			defer plugins.Close(ctx)
			b := building{app: a, plugins: plugins, engine: o.engine, force: c.Force || c.NoCache}
			b.checks = plugins.beforeBuilds(ctx, selected, func(plan.Selected) bool { return true })
			return b.do(ctx, selected, draw(selected))
		},
	), nil
}

// print is the deed of --print, for which nothing is built.
func (c *buildCmd) print(ctx context.Context, a *app) (deed, error) {
	ws, chosen, err := a.chosen(ctx, words{c.Projects, c.Recursive, true})
	if err != nil {
		return deed{}, err
	}
	o, err := a.openWith(ctx, &lazy{connect: a.connect}, ws, chosen)
	if err != nil {
		return deed{}, err
	}
	show := func() error { return a.printDockerfiles(o) }
	return deed{show: show, do: show, end: o.engine.Close}, nil
}

// built is one line of `wr build --json`.
type built struct {
	Project string            `json:"project"`
	Image   string            `json:"image,omitempty"`
	Bases   map[string]string `json:"bases,omitempty"` // what pinned bases stand for
	Cached  bool              `json:"cached"`
	From    string            `json:"from,omitempty"` // what it was pulled from
	Seconds float64           `json:"seconds"`
	Checks  []report.Check    `json:"checks,omitempty"` // what plugins said before and after
	Fault   any               `json:"fault,omitempty"`
}

// building is one `wr build`.
type building struct {
	*app
	plugins *consultation
	engine  Engine
	force   bool

	checks  []report.Check
	results []built
	failed  []error
}

// do carries out a plan of builds. All are tried; the error is that of all that
// failed.
func (b *building) do(ctx context.Context, selected []plan.Selected, p plan.Plan) error {
	view, made := b.drawing(b.Err), newBuilds()
	tell := event.NewStream(time.Now, view, made, sinkFunc(func(e event.Event) {
		if e.Type == event.BuildFinished {
			b.finished(e, p)
		}
	}))
	say := func(checks []report.Check) {
		for _, e := range eventsOf(checks) {
			tell.Emit(e)
		}
	}
	say(b.checks)
	images := run.Images{Builder: b.engine, Puller: b.engine, Emit: tell.Emit, Force: b.force}
	executor := run.Executor{
		Handlers: map[plan.Kind]run.Handler{plan.Build: images.Do},
		Jobs:     map[plan.Kind]int{plan.Build: min(buildsAtOnce, b.jobs())},
	}
	err := executor.Do(ctx, p)
	var after []report.Check
	if err == nil {
		after = b.plugins.afterBuilds(ctx, made)
		say(after)
	}
	if err = firstError(err, view.Close()); err != nil {
		return err
	}
	return b.end(selected, after)
}

// finished takes note of the end of one build.
func (b *building) finished(e event.Event, p plan.Plan) {
	result := built{Project: e.Project, Image: e.Image, Bases: p.Bases(e.Project), Cached: e.Cached, From: e.Text, Seconds: e.Elapsed.Seconds()}
	if e.Fault != nil {
		result.Fault = e.Fault
		b.failed = append(b.failed, e.Fault)
	}
	b.results = append(b.results, result)
}

// end says what failed, and all of it as JSON. What plugins found after a build has
// been said.
func (b *building) end(selected []plan.Selected, after []report.Check) error {
	b.checks = append(b.checks, after...)
	failed := slices.Clone(b.failed)
	for _, c := range after {
		if c.Fault != nil {
			failed = append(failed, c.Fault)
		}
	}
	if b.JSON {
		makers := map[string]string{}
		for _, s := range selected {
			makers[s.Path] = s.Maker.Path
		}
		for i, r := range b.results {
			b.results[i].Checks = of(b.checks, cmp.Or(makers[r.Project], r.Project))
		}
		return firstError(b.printJSON(b.results), exitOn(failed))
	}
	for _, f := range b.failed {
		b.report(f)
	}
	return exitOn(failed)
}

// exitOn ends wr with 3 when something failed, all of which has been said; with 1 if
// wr did its part, and the plugins that check things are against it.
func exitOn(failed []error) error {
	code := 0
	for _, err := range failed {
		if fault.HasCode(err, report.CodeChecked) {
			code = max(code, 1)
		} else {
			code = 3
		}
	}
	if code == 0 {
		return nil
	}
	return exit(code)
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
