package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/wr-build/wr/host/task"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// runCmd is `wr run [PROJECT:]TASK [ARG...]`.
type runCmd struct {
	Fresh bool `help:"In containers that are used for nothing else."`
	lastFlag
	Words []string `arg:"" predictor:"task" optional:"" passthrough:"partial" name:"task" help:"[PROJECT:]TASK and the task's own arguments; default: list the tasks."`
}

// Help is the long form.
func (runCmd) Help() string {
	return "A task is a table [tasks.NAME] in wr.toml, or one of a plugin, which `wr NAME` runs too. The former runs in the container of its project, or of the nearest one, after all that it needs; what fails first ends it. All after the task's name is the task's own: `wr run TASK --help` tells its arguments, and words after -- go to its command as they are. Flags of wr come before the name. `wr run PROJECT:` runs the image's own command, and so does `wr run` where there are no tasks. Stdin, stdout, stderr, signals and the exit code are the command's own. wr's own failures exit with 125."
}

// Prepare finds out what runs where.
func (c *runCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return deed{}, err
	}
	if len(c.Words) == 0 {
		return c.bare(ctx, a, ws)
	}
	project, name := task.Split(c.Words[0])
	find := a.project
	if name == "" {
		find = a.container
	}
	p, err := find(ws, project)
	if err != nil {
		return deed{}, err
	}
	if name == "" {
		return c.own(ctx, a, ws, p, append(c.Words[1:], a.rest...))
	}
	found, err := task.Find(ws, p, name)
	if err != nil {
		return c.plugged(ctx, a, ws, p, err)
	}
	call, err := found.Parse(c.Words[1:], a.rest)
	if errors.Is(err, task.ErrHelp) {
		return a.text(found.Help()), nil
	}
	if err != nil {
		return deed{}, err
	}
	return c.call(ctx, a, ws, call)
}

// text is the deed of saying something.
func (a *app) text(text string) deed {
	say := func() error {
		_, err := fmt.Fprint(a.Out, text)
		return err
	}
	return deed{show: say, do: say}
}

// bare lists the tasks of this place, or runs the image's own command where
// there are none.
func (c *runCmd) bare(ctx context.Context, a *app, ws *workspace.Workspace) (deed, error) {
	if tasks := tasksHere(ws); len(tasks) > 0 {
		list := func() error { return a.listTasks(ctx, ws, tasks) }
		return deed{show: list, do: list}, nil
	}
	p, err := a.project(ws, "")
	if err != nil {
		return deed{}, err
	}
	return c.own(ctx, a, ws, p, a.rest)
}

// own is the deed of running the image's own command, which takes no words.
func (c *runCmd) own(ctx context.Context, a *app, ws *workspace.Workspace, p workspace.Project, words []string) (deed, error) {
	if len(words) > 0 {
		return deed{}, &fault.Error{
			Code: "run.no_task", Class: fault.Usage, Message: fmt.Sprintf("no task is named, and the image's own command takes no %q", words[0]),
			Next: fmt.Sprintf("wr run %s:TASK, or wr exec %s -- COMMAND", p.Path, p.Path),
		}
	}
	return c.steps(ctx, a, ws, []runStep{{Project: p, process: &spec.Process{Terminal: a.onTerminal()}}})
}

// call is the deed of a task and all that it needs.
func (c *runCmd) call(ctx context.Context, a *app, ws *workspace.Workspace, call task.Call) (deed, error) {
	needed, err := task.Steps(ws, call.Task)
	if err != nil {
		return deed{}, err
	}
	var steps []runStep
	for i, s := range needed {
		step := runStep{Project: s.Project}
		if s.Task != nil {
			one := call
			if i < len(needed)-1 {
				if one, err = s.Task.Parse(nil, nil); err != nil {
					return deed{}, err
				}
			}
			process := one.Process()
			process.Dir, process.Terminal = a.workdir(s.Project), a.onTerminal()
			step.task, step.process = s.Task.ID(), &process
		}
		steps = append(steps, step)
	}
	return c.steps(ctx, a, ws, steps)
}

// onTerminal reports whether a command gets a terminal, as its caller has one.
func (a *app) onTerminal() bool { return interactive(a.In) && interactive(a.Out) }
