package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/task"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// plugged is the deed of a task that no wr.toml has and a plugin may. unknown is the
// fault that it is, if none does.
func (c *runCmd) plugged(ctx context.Context, a *app, ws *workspace.Workspace, p workspace.Project, unknown error) (deed, error) {
	_, name := task.Split(c.Words[0])
	tasks, lost := a.pluginTasks(ctx, ws.Root, true)
	at := slices.IndexFunc(tasks, func(t pluginTask) bool { return t.Name == name })
	if at < 0 {
		a.warn(ws)
		f := *fault.Of(unknown)
		f.Hint = cmp.Or(f.Hint, fault.Closest(name, taskNames(tasks)))
		return deed{}, errors.Join(&f, lost)
	}
	flags, help, err := parseTask(tasks[at], c.Words[1:])
	switch {
	case err != nil:
		return deed{}, err
	case help != "":
		return a.text(help), nil
	}
	return flags.on(ctx, a, ws, []workspace.Project{p}, false)
}

// parseTask parses what follows `wr run NAME`; help is what was asked for instead.
func parseTask(t pluginTask, words []string) (flags *taskFlags, help string, err error) {
	made := newTaskFlags(t)
	helped := false
	var told bytes.Buffer
	parser, err := kong.New(&struct{}{},
		kong.Name("wr run"), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Writers(&told, &told), kong.Exit(func(int) { helped = true }),
		kong.DefaultEnvars("WR"), // which leaves those out that are to have none
		kong.DynamicCommand(t.Name, escaped(t.Help), "", &made))
	if err != nil {
		return nil, "", wrongGrammar(err)
	}
	_, err = parser.Parse(append([]string{t.Name}, words...))
	if helped {
		return nil, told.String(), nil
	}
	if err != nil {
		return nil, "", &fault.Error{
			Code: "task.bad_argument", Class: fault.Usage, Message: fmt.Sprintf("task %s: %v", t.Name, err), Err: err,
			Next: "wr run " + t.Name + " --help",
		}
	}
	return &made, "", nil
}

// taskNames are the names of tasks of plugins.
func taskNames(tasks []pluginTask) []string {
	names := make([]string, len(tasks))
	for i, t := range tasks {
		names[i] = t.Name
	}
	return names
}

// argsOf are the flags of a task of plugins, as arguments of tasks in wr.toml are told.
func argsOf(flags []abi.Flag) []config.Arg {
	var args []config.Arg
	for _, flag := range flags {
		arg := config.Arg{Name: flag.Name, Type: config.ArgType(flag.Type), Choices: flag.Choices, Help: flag.Help}
		arg.Default.Text, arg.Default.Given = flag.Default, flag.Default != ""
		args = append(args, arg)
	}
	return args
}
