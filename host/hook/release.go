package hook

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Release returns the steps of a release: with names that are unique among them,
// and each with one thing to do.
func (p *Plugin) Release(ctx context.Context, params abi.ReleaseParams) ([]abi.Step, error) {
	var r abi.ReleaseResult
	if _, err := p.ask(ctx, question{method: abi.MethodRelease, project: params.Project, params: params}, &r); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, s := range r.Steps {
		if err := p.judgeStep(s); err != nil {
			return nil, err
		}
		if seen[s.Name] {
			return nil, p.lie("has two steps %q", s.Name)
		}
		seen[s.Name] = true
	}
	return r.Steps, nil
}

// judgeStep says what is wrong with a step.
func (p *Plugin) judgeStep(s abi.Step) error {
	tasks := make([]string, len(p.config.Manifest.Provides.Tasks))
	for i, t := range p.config.Manifest.Provides.Tasks {
		tasks[i] = t.Name
	}
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	switch {
	case strings.TrimSpace(s.Name) == "" || strings.ContainsFunc(s.Name+s.Help, hidden):
		return p.lie("has a step that is called %q, %q", s.Name, s.Help)
	case len(s.Argv) > 0 == (s.Task != ""):
		return p.lie("has a step %q that is not either a process or a task", s.Name)
	case s.Task != "" && !slices.Contains(tasks, s.Task):
		err := p.lie("has a step %q that is the task %q, which it does not have", s.Name, s.Task)
		err.Hint = fault.Closest(s.Task, tasks)
		return err
	case len(s.Argv) > 0 && s.Argv[0] == "" || len(s.Undo) > 0 && s.Undo[0] == "":
		return p.lie("has a step %q whose program has no name", s.Name)
	}
	return nil
}
