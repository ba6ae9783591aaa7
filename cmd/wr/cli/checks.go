package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/sdk/go/abi"
)

// The hooks at which plugins are asked, as manifests name them.
const (
	beforeBuild   = "before build"
	afterBuild    = "after build"
	beforeTest    = "before test"
	afterTest     = "after test"
	beforeRelease = "before release"
)

// check asks the plugins of each project at a hook, those of one project one after
// the other, and returns what they said, in the order of the projects.
func (c *consultation) check(ctx context.Context, hook string, projects []workspace.Project) []report.Check {
	said := make([][]report.Check, len(projects))
	var all errgroup.Group
	all.SetLimit(c.jobs())
	for i, p := range projects {
		if p.Fault == nil && !p.Entry {
			all.Go(func() error {
				said[i] = c.checkOne(ctx, hook, p)
				return nil
			})
		}
	}
	_ = all.Wait() // what went wrong is in said
	return slices.Concat(said...)
}

// checkOne asks the plugins of one project.
func (c *consultation) checkOne(ctx context.Context, hook string, p workspace.Project) []report.Check {
	plugins, faults := c.of(p, func(provides abi.Provides) bool { return slices.Contains(provides.Checks, hook) })
	var all []report.Check
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		all = append(all, report.NewCheck(report.Check{Plugin: name, Project: p.Path, Hook: hook}, faults[name]))
	}
	for _, one := range plugins {
		began := time.Now()
		said := report.Check{Plugin: one.name(), Project: p.Path, Hook: hook}
		plugin, err := c.plugin(one)
		if err == nil {
			said.Diagnostics, err = plugin.Check(ctx, abi.CheckParams{Work: abi.Work{Project: p.Path}, Hook: hook})
		}
		said.Elapsed = time.Since(began)
		all = append(all, report.NewCheck(said, err))
	}
	return all
}

// beforeBuilds asks at the hook before the builds of images, and marks those that
// are not to be built. Projects that share an image are asked for as the one that
// makes it; needed says which images are to be built, as far as is known.
func (c *consultation) beforeBuilds(ctx context.Context, selected []plan.Selected, needed func(s plan.Selected) bool) []report.Check {
	if !c.wants(beforeBuild) {
		return nil
	}
	var asked []workspace.Project
	for _, s := range selected {
		known := slices.ContainsFunc(asked, func(p workspace.Project) bool { return p.Path == s.Maker.Path })
		if s.Broken == nil && s.Ref == "" && !known && needed(s) {
			asked = append(asked, s.Maker)
		}
	}
	checks := c.check(ctx, beforeBuild, asked)
	for i, s := range selected {
		if s.Broken == nil {
			selected[i].Broken = report.Refusal(of(checks, s.Maker.Path))
		}
	}
	return checks
}

// afterBuilds asks at the hook after the builds of the images that were built.
func (c *consultation) afterBuilds(ctx context.Context, b *builds) []report.Check {
	if !c.wants(afterBuild) {
		return nil
	}
	c.forget()
	checks := c.check(ctx, afterBuild, slices.DeleteFunc(slices.Clone(c.ws.Projects), func(p workspace.Project) bool { return b.done[p.Path] == "" }))
	for i, one := range checks {
		checks[i].Image = b.done[one.Project]
	}
	return checks
}

// of are those of the checks that are about a project.
func of(checks []report.Check, project string) []report.Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c report.Check) bool { return c.Project != project })
}

// eventsOf are the events of checks.
func eventsOf(checks []report.Check) []event.Event {
	var all []event.Event
	for _, c := range checks {
		all = append(all, c.Events()...)
	}
	return all
}

// builds are the images that were really built, by the path of their project. It is
// an event.Sink.
type builds struct{ done map[string]string }

func newBuilds() *builds { return &builds{map[string]string{}} }

// Emit takes note of a build that succeeded.
func (b *builds) Emit(e event.Event) {
	if e.Type == event.BuildFinished && e.Fault == nil && !e.Cached && e.Text == "" {
		b.done[e.Project] = e.Image
	}
}
