package task

import (
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Step is one thing to do: a task, or only the image of a project.
type Step struct {
	Project workspace.Project
	Task    *Task // nil: make the image
}

// Steps lists what doing t takes, each once and after what it needs; t is the
// last. Its errors name the line of the need that is wrong.
func Steps(ws *workspace.Workspace, t Task) ([]Step, error) {
	// Why: what a file names does not depend on where wr was started.
	rooted := *ws
	rooted.Cwd = "."
	o := ordering{ws: &rooted, state: map[string]state{}}
	if err := o.add(t); err != nil {
		return nil, err
	}
	return o.steps, nil
}

// state is how far an ordering is with a step.
type state int

const (
	open state = iota + 1
	done
)

// ordering is a walk from a task along what it needs.
type ordering struct {
	ws    *workspace.Workspace
	state map[string]state
	path  []string // ids of the tasks that are open
	steps []Step
}

// add adds what t needs, then t.
func (o *ordering) add(t Task) error {
	id := t.ID()
	o.state[id] = open
	o.path = append(o.path, id)
	for i, need := range t.Needs {
		if err := o.need(t, i, need); err != nil {
			return err
		}
	}
	o.path = o.path[:len(o.path)-1]
	o.state[id] = done
	o.steps = append(o.steps, Step{t.Project, &t})
	return nil
}

// need adds the i-th need of t.
func (o *ordering) need(t Task, i int, need string) error {
	wrong := func(f fault.Error) error {
		f.Class, f.File, f.Line = fault.Usage, t.File, t.line(fmt.Sprintf(".needs[%d]", i))
		return &f
	}
	project, name := Split(need)
	p := t.Project
	if project != "" {
		var err error
		if p, err = o.ws.Find(project); err != nil {
			f := *fault.Of(err)
			f.Message = fmt.Sprintf("task %s needs %s: %s", t.Name, need, f.Message)
			return wrong(f)
		}
	}
	if name == config.BuildTask {
		o.build(p)
		return nil
	}
	needed, names := find(o.ws, p, name)
	switch {
	case needed == nil:
		return wrong(fault.Error{
			Code: "task.unknown", Message: fmt.Sprintf("task %s needs %s, and %s has no such task", t.Name, need, p.Path),
			Hint: fault.Closest(name, append(names, config.BuildTask)),
		})
	case o.state[needed.ID()] == done:
		return nil
	case o.state[needed.ID()] == open:
		return wrong(fault.Error{
			Code: "task.cycle", Message: "tasks need each other in a circle: " + o.circle(needed.ID()), Next: "take one of the needs out",
		})
	}
	if missing := needed.required(); len(missing) > 0 {
		return wrong(fault.Error{
			Code: "task.needs_arguments", Message: fmt.Sprintf("task %s needs %s, which must be given %s", t.Name, need, strings.Join(missing, " and ")),
			Next: "give these arguments a default in " + needed.File,
		})
	}
	return o.add(*needed)
}

// build adds the image of p.
func (o *ordering) build(p workspace.Project) {
	if id := p.Path + ":" + config.BuildTask; o.state[id] == 0 {
		o.state[id] = done
		o.steps = append(o.steps, Step{Project: p})
	}
}

// circle words the way from the open task id back to itself.
func (o *ordering) circle(id string) string {
	from := 0
	for o.path[from] != id {
		from++
	}
	return strings.Join(append(append([]string{}, o.path[from:]...), id), " -> ")
}

// required names the arguments that must be given.
func (t Task) required() []string {
	var names []string
	for _, arg := range t.Args {
		if arg.Required {
			names = append(names, arg.Name)
		}
	}
	return names
}
