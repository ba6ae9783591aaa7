// Package task finds the tasks of a workspace, puts what a task needs before
// it, and reads its arguments. It runs nothing.
package task

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Task is a named thing that one project can do.
type Task struct {
	config.Task
	Name    string
	Project workspace.Project // in whose container it runs
	File    string            // workspace path of the wr.toml that has it

	source *config.File // what File holds
}

// ID names the task in its whole workspace: "infra:migrate".
func (t Task) ID() string { return t.Project.Path + ":" + t.Name }

// Line is where File has the task.
func (t Task) Line() int { return t.line("") }

// line is where File has key of the task, or the nearest around it.
func (t Task) line(key string) int {
	for at := config.Key("tasks", t.Name) + key; at != "tasks"; at = at[:strings.LastIndexAny(at, ".[")] {
		if line := t.source.Line(at); line > 0 {
			return line
		}
	}
	return 0
}

// Of lists the tasks of p by name: its own, and those of the workspace's root
// that it has none of the same name for.
func Of(ws *workspace.Workspace, p workspace.Project) []Task {
	found := map[string]Task{}
	for _, from := range []struct {
		file *config.File
		path string
	}{{ws.Config, "."}, {p.Config, p.Path}} {
		for name, t := range from.file.Tasks {
			found[name] = Task{Task: t, Name: name, Project: p, File: path.Join(from.path, config.Name), source: from.file}
		}
	}
	var all []Task
	for _, name := range slices.Sorted(maps.Keys(found)) {
		all = append(all, found[name])
	}
	return all
}

// Find returns the task of p called name.
func Find(ws *workspace.Workspace, p workspace.Project, name string) (Task, error) {
	t, names := find(ws, p, name)
	if t != nil {
		return *t, nil
	}
	f := &fault.Error{
		Code: "task.unknown", Class: fault.Usage, Message: fmt.Sprintf("%s has no task %q", p.Path, name),
		Hint: fault.Closest(name, names), Next: "wr run lists the tasks",
	}
	if at, err := ws.Find(name); err == nil && f.Hint == "" {
		f.Next = fmt.Sprintf("%s is a project: wr run %s: runs its image's own command", name, at.Path)
	}
	return Task{}, f
}

// find returns the task, or nil and the names that there are.
func find(ws *workspace.Workspace, p workspace.Project, name string) (*Task, []string) {
	var names []string
	for _, t := range Of(ws, p) {
		if t.Name == name {
			return &t, nil
		}
		names = append(names, t.Name)
	}
	return nil, names
}

// Split cuts "PROJECT:TASK". Without a colon all of it is the task.
func Split(text string) (project, name string) {
	if i := strings.LastIndex(text, ":"); i >= 0 {
		return text[:i], text[i+1:]
	}
	return "", text
}
