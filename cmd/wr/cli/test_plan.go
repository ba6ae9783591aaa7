package cli

import (
	"context"
	"errors"
	"runtime"
	"slices"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/history"
	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/suite"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
)

// testPlan is what tests are planned from, those that are found late included.
type testPlan struct {
	*app
	*opened
	cmd     *testCmd
	args    []string // of pytest
	suites  suite.Choice
	parts   parts
	limits  plan.Limits
	caller  spec.Owner
	mine    config.Personal
	plugins *consultation   // that check builds and tests
	debug   plan.Debug      // how a person looks into the tests
	order   plan.Repetition // how many times, and in which order, cases run
}

// testPlan finds out what c asks for. It has no engine before open.
func (c *testCmd) testPlan(ctx context.Context, a *app, args []string) (*testPlan, error) {
	t := &testPlan{app: a, cmd: c, args: args, order: c.repetition()}
	var wrong error
	t.debug, wrong = c.debug(a)
	var err error
	t.limits, err = c.limits()
	if err = firstError(err, wrong, c.attemptFlags.check(a.rest), c.coverageFlags.check(c.CollectOnly)); err != nil {
		return nil, err
	}
	ws, chosen, err := a.chosen(ctx, words{names: c.Targets, recursive: c.Recursive})
	if err != nil {
		return nil, err
	}
	if t.suites, err = c.suites(ws, chosen.projects, a.rest); err != nil {
		return nil, err
	}
	if t.parts, err = a.placeTests(ctx, ws, &chosen, args); err != nil {
		return nil, err
	}
	t.opened = &opened{choice: chosen, ws: ws}
	t.caller, err = a.caller(ws)
	return t, err
}

// open connects to the engine, whose containers lack what parts has lost. The
// caller closes it.
func (t *testPlan) open(ctx context.Context) error {
	for _, f := range t.parts.lost {
		t.warnOf(f)
	}
	o, err := t.openAll(ctx, t.ws, t.choice)
	if err != nil {
		return err
	}
	o.useLast = t.cmd.UseLast
	if t.mine, err = t.personal(ctx, t.ws); err != nil {
		return errors.Join(err, o.engine.Close())
	}
	t.opened = o
	return nil
}

// draw plans the tests of the chosen projects, of which selected is known, as it
// is of all whose containers they need.
func (t *testPlan) draw(selected []plan.Selected) plan.Plan {
	t.grantAll(t.ws, selected)
	for i := range t.projects {
		t.parts.add(&selected[i], t.ws)
	}
	return t.plan(selected[:len(t.projects)], selected)
}

// plan plans tests in the containers of lenders.
func (t *testPlan) plan(tested, lenders []plan.Selected) plan.Plan {
	projects := make([]workspace.Project, len(lenders))
	for i, s := range lenders {
		projects[i] = s.Project
	}
	options := plan.Options{
		Args: t.args, Paths: t.paths, Suites: t.suites, AllowEmpty: t.cmd.AllowEmpty, Coverage: t.cmd.measured(), Debug: t.debug, HostEnv: t.hostEnv(projects...), Caller: t.caller, Fresh: t.cmd.Fresh,
		Pace:   plan.Pace{History: history.Load(t.ws.Root), Jobs: t.jobs(), CPUs: runtime.NumCPU()},
		Limits: t.limits, NoBuild: !t.mayBuild(t.ws), Lenders: byPath(lenders), Cases: t.cmd.cases(), Repetition: t.order,
	}
	t.addPersonal(&options, t.mine)
	return plan.TestRun(t.ws, tested, options)
}

// show prints the plan.
func (t *testPlan) show(selected []plan.Selected) error { return t.printPlan(t.draw(selected)) }

// do carries the plan out.
func (t *testPlan) do(ctx context.Context, selected []plan.Selected) error {
	var err error
	if t.plugins, err = t.consult(ctx, t.ws); err != nil {
		return err
	}
	defer t.plugins.Close(ctx)
	made, checks := newBuilds(), t.before(ctx, selected)
	listening := t.plugins.listeners(ctx, t.projects)
	defer listening.close()
	kept, done := t.testCache()
	defer done()
	p := t.draw(selected)
	t.sayDebug(t.debug)
	for _, s := range selected {
		t.sayTestRights(s)
	}
	return t.test(ctx, p, testrun.Config{
		Builder: t.engine, Puller: t.engine, Runner: t.engine, Jobs: t.jobs(),
		Revision: revision(ctx, t.ws.Root), Owner: t.caller, Personal: recorded(t.mine), Shuffle: t.order.Shuffle, FailFast: t.cmd.FailFast, FailOnFlaky: t.cmd.FailOnFlaky,
		CoverageMin: t.cmd.minimum(), Cache: kept,
		Sinks:  []event.Sink{made, listening},
		Before: eventsOf(checks),
		After: func(ctx context.Context, r *report.Run) []event.Event {
			return eventsOf(append(t.plugins.afterBuilds(ctx, made), t.after(ctx, r)...))
		},
		More: func(ctx context.Context, moved []testrun.Moved) (plan.Plan, error) {
			return t.more(ctx, selected, moved)
		},
	}, func(r *report.Run) error { return t.cmd.more(t.app, r) })
}

// more plans tests of which only Python could tell where they belong. What is
// known of projects stays as it was.
func (t *testPlan) more(ctx context.Context, selected []plan.Selected, moved []testrun.Moved) (plan.Plan, error) {
	further := *t.opened
	further.projects, further.lenders = nil, nil
	known := byPath(selected)
	for _, m := range moved {
		if _, old := known[m.Container]; old {
			continue
		}
		lender, err := t.ws.Container(m.Container)
		if err != nil {
			return plan.Plan{}, err
		}
		further.addLender(lender)
	}
	found, err := t.selectFurther(ctx, &further)
	if err != nil {
		return plan.Plan{}, err
	}
	selected = slices.Concat(selected, found)
	tested, err := t.parting(byPath(selected), moved)
	return t.plan(tested, selected), err
}

// selectFurther finds what decides the images of o's projects, whose sources
// nobody has read.
func (t *testPlan) selectFurther(ctx context.Context, o *opened) ([]plan.Selected, error) {
	if len(o.lenders) == 0 {
		return nil, nil
	}
	all := makers(o.ws, o.lenders)
	made, err := t.made(ctx, o.ws, all)
	if err != nil {
		return nil, err
	}
	o.sources = readSources(o.engine, o.ws, all, made)
	o.sources.pins = t.sources.pins
	found, err := t.selectMaking(ctx, o)
	if err != nil {
		return nil, err
	}
	t.grantAll(t.ws, found)
	t.plugins.beforeBuilds(ctx, found, t.missing(ctx))
	for _, s := range found {
		t.sayTestRights(s)
	}
	return found, nil
}

// parting are the projects of which something has moved, with that as their parts.
func (t *testPlan) parting(known map[string]plan.Selected, moved []testrun.Moved) ([]plan.Selected, error) {
	var all []plan.Selected
	at := map[string]int{}
	for _, m := range moved {
		part, err := place.More(t.ws, known[m.Project].Project, known[m.Container].Project, m.Files)
		if err != nil {
			return nil, err
		}
		i, seen := at[m.Project]
		if !seen {
			i = len(all)
			at[m.Project], all = i, append(all, known[m.Project])
			all[i].Parts = nil
		}
		all[i].Parts = append(all[i].Parts, part)
	}
	return all, nil
}

// byPath are selected projects by their paths.
func byPath(selected []plan.Selected) map[string]plan.Selected {
	all := map[string]plan.Selected{}
	for _, s := range selected {
		all[s.Path] = s
	}
	return all
}
