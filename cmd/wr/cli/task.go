package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/task"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// taskCmd is `wr NAME [TARGET...]`, a task of plugins.
type taskCmd struct {
	Targets   []string `arg:"" predictor:"project" optional:"" name:"target" help:"Projects; default: the nearest project above."`
	Recursive bool     `short:"r" help:"Also all projects below."`
	taskFlags
}

// recursiveFlag is what the flag of taskCmd is called, which plugins cannot have.
const recursiveFlag = "recursive"

// Prepare finds out which plugin is asked for which projects.
func (c *taskCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	ws, chosen, err := a.chosen(ctx, words{names: c.Targets, recursive: c.Recursive})
	if err != nil {
		return deed{}, err
	}
	for _, p := range chosen.projects {
		if parts := chosen.paths[p.Path]; len(parts) > 0 {
			return deed{}, &fault.Error{
				Code: "task.no_part", Class: fault.Usage, Message: fmt.Sprintf("%s is a part of %s, and a task is of whole projects", parts[0], p.Path),
				Next: fmt.Sprintf("wr %s %s; what the task itself is to know goes behind --", c.task.Name, p.Path),
			}
		}
	}
	return c.on(ctx, a, ws, chosen.projects, c.Recursive)
}

// on is the deed of the task for projects. some says that those without it are passed
// over, if there are others.
func (f *taskFlags) on(ctx context.Context, a *app, ws *workspace.Workspace, projects []workspace.Project, some bool) (deed, error) {
	t := &tasking{app: a, ws: ws, task: f.task, flags: f.given(), words: a.rest}
	if len(t.words) > 0 && f.task.Args == "" {
		return deed{}, &fault.Error{
			Code: "task.bad_argument", Class: fault.Usage, Message: fmt.Sprintf("task %s takes no words, not %q", f.task.Name, t.words[0]),
			Next: "wr " + f.task.Name + " --help",
		}
	}
	return deed{show: t.show, do: func() error { return t.do(ctx) }}, t.plan(ctx, projects, some)
}

// tasking is one call of a task of plugins.
type tasking struct {
	*app
	ws    *workspace.Workspace
	task  pluginTask
	flags map[string][]string
	words []string
	calls []*calling
}

// calling is the task for one project.
type calling struct {
	taskReport
	project workspace.Project
	plugin  installation

	done hook.Done
}

// plan finds the plugin for each project.
func (t *tasking) plan(ctx context.Context, projects []workspace.Project, some bool) error {
	u, err := t.loadPlugins(ctx, t.ws)
	if err != nil {
		return err
	}
	var without error
	for _, p := range projects {
		c := &calling{project: p, taskReport: taskReport{Task: t.task.Name, Project: p.Path}}
		c.plugin, err = t.pluginFor(u, p)
		if fault.HasCode(err, taskDisabled) && some {
			without = err
			continue
		}
		if err != nil {
			c.Fault = fault.Of(err)
		} else {
			c.Plugin = c.plugin.name()
		}
		t.calls = append(t.calls, c)
	}
	if len(t.calls) == 0 {
		return without
	}
	return nil
}

// taskDisabled is the code of a task whose plugins are turned off.
const taskDisabled = "task.disabled"

// pluginFor is the plugin that has the task in a project.
func (t *tasking) pluginFor(u *loadedPlugins, p workspace.Project) (installation, error) {
	if p.Fault != nil {
		return installation{}, p.Fault
	}
	if own, err := task.Find(t.ws, p, t.task.Name); err == nil {
		return installation{}, &fault.Error{
			Code: "task.ambiguous", Class: fault.Usage, File: own.File, Line: own.Line(),
			Message: fmt.Sprintf("task %s is a table here, and one of plugin %s", t.task.Name, strings.Join(t.task.plugins, " and ")),
			Next:    fmt.Sprintf("give the table another name, or turn the plugin off: enabled = false in [plugins.%s]", t.task.plugins[0]),
		}
	}
	all, faults := u.of(p, t.has)
	for _, name := range t.task.plugins {
		if err := errors.Join(u.faults[name], faults[name]); err != nil {
			return installation{}, err
		}
	}
	switch len(all) {
	case 0:
		return installation{}, &fault.Error{
			Code: taskDisabled, Class: fault.Usage, Message: fmt.Sprintf("plugin %s, which has the task %s, is turned off for %s", strings.Join(t.task.plugins, " and "), t.task.Name, p.Path),
			Next: fmt.Sprintf("enabled = true in [plugins.%s] of %s", t.task.plugins[0], p.ConfigFile()),
		}
	case 1:
		return all[0], nil
	}
	return installation{}, &fault.Error{
		Code: "task.ambiguous", Class: fault.Usage, Message: fmt.Sprintf("plugins %s and %s both have a task %s", all[0].name(), all[1].name(), t.task.Name),
		Next: fmt.Sprintf("turn one off: enabled = false in [plugins.%s]", all[1].name()),
	}
}

// has reports whether a plugin has the task, as it was parsed.
func (t *tasking) has(provides abi.Provides) bool {
	return slices.ContainsFunc(provides.Tasks, func(one abi.Task) bool { return one.Name == t.task.Name })
}

// show prints what would be done.
func (t *tasking) show() error {
	if t.JSON {
		return t.printJSON(t.reports())
	}
	for _, c := range t.calls {
		if c.Fault != nil {
			t.report(c.Fault)
			continue
		}
		fmt.Fprintf(t.Out, "would run %s of plugin %s for %s, in its sandbox\n", c.Task, c.Plugin, c.Project)
	}
	return nil
}

// do has the plugins work, side by side, then takes over what they made, one after
// the other, and tells how it went.
func (t *tasking) do(ctx context.Context) error {
	store, err := cache.Open(filepath.Join(t.cacheDir(), "results"), cache.Options{})
	if err != nil {
		t.warnOf(fault.Of(err)) // what is known is worked out again
	}
	index := inputs.OpenIndex(t.cachePath(t.ws))
	asking, err := t.asking(t.ws, store, index)
	if err != nil {
		return err
	}
	asking.show()
	t.ask(ctx, asking)
	if ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), asking.Close(ctx), store.Close(), index.Close())
	}
	for _, c := range t.calls {
		t.apply(c)
	}
	if err := errors.Join(asking.Close(ctx), store.Close(), index.Close()); err != nil {
		t.warnOf(fault.Of(err))
	}
	return t.tell()
}

// ask asks for all projects at once, as far as jobs allow.
func (t *tasking) ask(ctx context.Context, asking *asking) {
	group := &errgroup.Group{}
	group.SetLimit(max(1, t.jobs()))
	for _, c := range t.calls {
		if c.Fault != nil {
			continue
		}
		group.Go(func() error {
			began := time.Now()
			if err := t.call(ctx, asking, c); err != nil {
				c.Fault = fault.Of(err)
			}
			c.Elapsed = time.Since(began)
			return nil
		})
	}
	_ = group.Wait() // each tells for itself
}

func (t *tasking) call(ctx context.Context, asking *asking, c *calling) error {
	plugin, err := asking.plugin(c.plugin)
	if err != nil {
		return err
	}
	c.done, err = plugin.Task(ctx, abi.TaskParams{Work: abi.Work{Project: c.Project}, Task: c.Task, Flags: t.flags, Args: t.words})
	c.TaskResult, c.Cached = c.done.TaskResult, c.done.Cached
	return err
}
