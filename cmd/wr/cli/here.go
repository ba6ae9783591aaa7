package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/local"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// inContainer reports whether wr itself runs in a container of wr's and ws is the
// workspace that this container is for. Others in it, such as those that tests
// of wr make, are tested as anywhere.
func (a *app) inContainer(ws *workspace.Workspace) bool {
	if a.Getenv("WR_PROJECT") == "" || ws.Root != spec.Workspace {
		return false
	}
	_, err := os.Lstat(spec.Agent)
	return err == nil
}

// orHere is err, with the other way there may be for a job of CI that has no engine.
func (a *app) orHere(err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || !a.inCI() || !strings.HasPrefix(f.Code, "engine.") {
		return err
	}
	out := *f
	out.Next = strings.TrimPrefix(f.Next+"; or, if the job runs in the project's own image, wr test --here", "; or, ")
	return &out
}

// prepareHere finds out what is to be tested in the container that wr runs in.
func (t *testPlan) prepareHere(ctx context.Context) (deed, error) {
	if err := t.cmd.impossibleHere(); err != nil {
		return deed{}, err
	}
	here, err := t.hereIn(t.ws, t.choice)
	if err != nil {
		return deed{}, err
	}
	var selected []plan.Selected
	for _, p := range t.projects {
		s := plan.Selected{Project: p, Broken: p.Fault}
		t.parts.add(&s, t.ws)
		selected = append(selected, s)
	}
	p := plan.Here(t.ws, selected, here, plan.Options{
		Args: t.args, Paths: t.paths, Suites: t.suites, AllowEmpty: t.cmd.AllowEmpty, Limits: t.limits, Cases: t.cmd.cases(), Repetition: t.order, Debug: t.debug,
	})
	return deed{
		show: func() error { return t.printPlan(p) },
		do:   func() error { return t.doHere(ctx, p) },
	}, nil
}

// doHere carries out a plan of prepareHere. Why one unit at a time unless asked
// for: nothing keeps them apart here, as containers do.
func (t *testPlan) doHere(ctx context.Context, p plan.Plan) error {
	t.sayDebug(t.debug)
	return t.test(ctx, p, testrun.Config{
		Runner: local.Runner{}, Jobs: max(1, t.Jobs),
		Revision: revision(ctx, t.ws.Root), Owner: t.caller, Shuffle: t.order.Shuffle, FailOnFlaky: t.cmd.FailOnFlaky, FailFast: t.cmd.FailFast,
	}, func(r *report.Run) error { return t.cmd.more(t.app, r) })
}

// hereIn is whose container wr runs in: a project, or an entry of [images].
func (a *app) hereIn(ws *workspace.Workspace, chosen choice) (workspace.Project, error) {
	path := a.Getenv("WR_PROJECT")
	if path == "" && len(chosen.projects) == 1 {
		return usable(chosen.projects[0])
	}
	all := ws.Containers()
	at := slices.IndexFunc(all, func(p workspace.Project) bool { return p.Path == path })
	switch {
	case path == "":
		return workspace.Project{}, &fault.Error{
			Code: "test.here_unknown", Class: fault.Usage,
			Message: fmt.Sprintf("nothing says whose container this is: %d projects are to be tested, and WR_PROJECT is not set", len(chosen.projects)),
			Next:    "name one project, or set WR_PROJECT to the path of the one whose container this is",
		}
	case at < 0:
		return workspace.Project{}, &fault.Error{
			Code: "test.here_unknown", Class: fault.Usage, Hint: fault.Closest(path, paths(all)),
			Message: fmt.Sprintf("WR_PROJECT says that this is the container of %q, which is neither a project nor an image of %s", path, ws.Root),
			Next:    "set WR_PROJECT to the path of the project whose container this is",
		}
	default:
		return usable(all[at])
	}
}

// usable is p, unless its configuration cannot be read.
func usable(p workspace.Project) (workspace.Project, error) {
	if p.Fault != nil {
		return p, p.Fault
	}
	return p, nil
}

// impossibleHere refuses what only whoever makes a container can do.
func (c *testCmd) impossibleHere() error {
	var flags []string
	for _, one := range []struct {
		flag  string
		given bool
	}{
		{"--fresh", c.Fresh},
		{"--use-last", c.UseLast},
		{"--cpus", c.CPUs != nil},
		{"--memory", c.Memory != nil},
		{"--pids", c.Pids != nil},
		{"--coverage", c.measured()},
		{"--debugpy", c.Debugpy > 0},
	} {
		if one.given {
			flags = append(flags, one.flag)
		}
	}
	if flags == nil {
		return nil
	}
	return &fault.Error{
		Code: "test.here_flag", Class: fault.Usage,
		Message: strings.Join(flags, ", ") + ": wr runs in the project's container here, and makes none",
		Next:    "leave it out, run pytest itself, or run wr test outside of the container",
	}
}
