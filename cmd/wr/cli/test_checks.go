package cli

import (
	"context"
	"slices"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/workspace"
)

// before asks plugins before tests, and before the builds that these need, and marks
// what is not to be tested or built. Where cases are only listed, no tests are run
// that could be kept from it.
func (t *testPlan) before(ctx context.Context, selected []plan.Selected) []report.Check {
	checks := t.plugins.beforeBuilds(ctx, selected, t.missing(ctx))
	if t.cmd.CollectOnly || !t.plugins.wants(beforeTest) {
		return checks
	}
	var asked []workspace.Project
	for _, s := range selected[:len(t.projects)] {
		if s.Broken == nil && s.Config.Test.None == "" && t.parts.faults[s.Path] == nil {
			asked = append(asked, s.Project)
		}
	}
	said := t.plugins.check(ctx, beforeTest, asked)
	for _, p := range asked {
		if refusal := report.Refusal(of(said, p.Path)); refusal != nil {
			t.parts.faults[p.Path] = refusal
		}
	}
	return append(checks, said...)
}

// missing says which images are not in the store.
func (t *testPlan) missing(ctx context.Context) func(s plan.Selected) bool {
	return func(s plan.Selected) bool {
		_, there, err := t.engine.Lookup(ctx, plan.Ref(t.ws, s))
		return err == nil && !there
	}
}

// after asks plugins after tests, of the projects that were tested.
func (t *testPlan) after(ctx context.Context, r *report.Run) []report.Check {
	if t.cmd.CollectOnly || !t.plugins.wants(afterTest) {
		return nil
	}
	var asked []workspace.Project
	for _, p := range t.projects {
		if slices.ContainsFunc(r.Projects, func(ran *report.Project) bool { return ran.Path == p.Path && tested(ran.Status) }) {
			asked = append(asked, p)
		}
	}
	t.plugins.forget()
	return t.plugins.check(ctx, afterTest, asked)
}

// tested reports whether tests of a project with that status have run, whatever
// came of them.
func tested(s event.Status) bool {
	return s == event.OK || s == event.Bad || s == event.TimedOut
}
