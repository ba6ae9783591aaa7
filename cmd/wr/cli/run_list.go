package cli

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/task"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// tasksHere lists the tasks of the nearest project, then those that projects
// below the current directory have of their own.
func tasksHere(ws *workspace.Workspace) []task.Task {
	var all []task.Task
	here, err := ws.Here()
	if err == nil {
		all = task.Of(ws, here)
	}
	for _, p := range ws.Below(ws.Cwd, true) {
		if err == nil && p.Path == here.Path {
			continue
		}
		for _, t := range task.Of(ws, p) {
			if _, own := p.Config.Tasks[t.Name]; own {
				all = append(all, t)
			}
		}
	}
	return all
}

// typedTask is what to type for t after `wr run`.
func typedTask(ws *workspace.Workspace, t task.Task) string {
	if here, err := ws.Here(); err == nil && here.Path == t.Project.Path {
		return t.Name
	}
	return t.ID()
}

// listedTask is one line of `wr run --json`.
type listedTask struct {
	Task    string      `json:"task"`              // what to type
	Project string      `json:"project,omitempty"` // none: a plugin has it for all
	Plugin  string      `json:"plugin,omitempty"`
	Help    string      `json:"help,omitempty"`
	Needs   []string    `json:"needs,omitempty"`
	Args    []listedArg `json:"args"`
	File    string      `json:"file,omitempty"`
	Line    int         `json:"line,omitempty"`
}

// listedArg is one argument of a listedTask.
type listedArg struct {
	Name     string         `json:"name"`
	Flag     string         `json:"flag,omitempty"` // "" = it is a word
	Type     config.ArgType `json:"type"`
	Default  *string        `json:"default,omitempty"`
	Choices  []string       `json:"choices,omitempty"`
	Required bool           `json:"required,omitempty"`
	Help     string         `json:"help,omitempty"`
}

// listTasks prints tasks, and those of plugins after them.
func (a *app) listTasks(ctx context.Context, ws *workspace.Workspace, tasks []task.Task) error {
	plugged, lost := a.pluginTasks(ctx, ws.Root, true)
	if lost != nil {
		a.warnOf(fault.Of(lost))
	}
	if a.JSON {
		var list []listedTask
		for _, t := range tasks {
			list = append(list, listedTask{
				Task: typedTask(ws, t), Project: t.Project.Path, Help: t.Task.Help, Needs: t.Needs,
				Args: listedArgs(t.Args), File: t.File, Line: t.Line(),
			})
		}
		for _, t := range plugged {
			list = append(list, listedTask{Task: t.Name, Plugin: strings.Join(t.plugins, ", "), Help: t.Help, Args: listedArgs(argsOf(t.Flags))})
		}
		return a.printJSON(orEmpty(list))
	}
	a.warn(ws)
	var rows [][]string
	for _, t := range tasks {
		rows = append(rows, []string{typedTask(ws, t), t.Task.Help})
	}
	for _, t := range plugged {
		rows = append(rows, []string{t.Name, t.Help + " (plugin " + strings.Join(t.plugins, ", ") + ")"})
	}
	return ui.Table(a.Out, []string{"TASK", "WHAT"}, rows)
}

func listedArgs(args []config.Arg) []listedArg {
	list := []listedArg{}
	for _, arg := range args {
		one := listedArg{Name: arg.Name, Type: arg.Type, Choices: arg.Choices, Required: arg.Required, Help: arg.Help}
		if one.Type == "" {
			one.Type = config.ArgString
		}
		if !arg.Required {
			one.Flag = "--" + arg.Flag()
		}
		if arg.Default.Given {
			one.Default = &arg.Default.Text
		}
		list = append(list, one)
	}
	return list
}

// predictTasks lists what can follow `wr run`.
func (a *app) predictTasks(ctx context.Context, ws *workspace.Workspace) []string {
	names := map[string]bool{}
	plugged, _ := a.pluginTasks(ctx, ws.Root, false) // completion goes on without
	for _, t := range plugged {
		names[t.Name] = true
	}
	if here, err := ws.Here(); err == nil {
		for _, t := range task.Of(ws, here) {
			names[t.Name] = true
		}
	}
	for _, p := range ws.Projects {
		for _, t := range task.Of(ws, p) {
			names[t.ID()] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
