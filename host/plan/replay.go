package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Recorded is p as it is kept with a run: without the values that variables have
// for the caller alone, which may be secrets.
func (p Plan) Recorded() Plan {
	p.Actions = slices.Clone(p.Actions)
	for i, a := range p.Actions {
		if a.Test == nil {
			continue
		}
		tests := *a.Test
		tests.Container.Env = slices.Clone(tests.Container.Env)
		for j, variable := range tests.Container.Env {
			if name, _, _ := strings.Cut(variable, "="); slices.Contains(tests.Taken, name) {
				tests.Container.Env[j] = name
			}
		}
		p.Actions[i].Test = &tests
	}
	return p
}

// Recording is what a run says of one of its units, for another run that repeats it.
type Recording struct {
	Action

	Image string   // reference of the image that it had, in the local store
	Order []string // node ids of its cases, as they ran
}

// choosing are the flags by which pytest chooses anew, by what it remembers.
var choosing = []string{"--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first", "--sw", "--stepwise", "--sw-skip", "--stepwise-skip"}

// Replay plans what recordings tell once more, in the containers of lenders: with
// the same images, arguments, cases, order, user, limits, network and variables.
// Those of the caller have the values that they have now.
func Replay(ws *workspace.Workspace, recordings []Recording, lenders map[string]Selected, o Options) Plan {
	p := Plan{Workspace: ws.Name, Root: ws.Root}
	for _, r := range recordings {
		lender := lenders[r.Project].in(lenders[r.Lender()])
		b := Action{
			ID: string(Build) + ":" + lender.Path, Kind: Build, Project: lender.Path, Build: &spec.Build{Project: lender.Path, Folder: lender.Folder(), Ref: r.Image},
			Denied: &fault.Error{Code: "replay.image_gone", Message: "the image of that run was removed just now: " + r.Image},
		}
		p.addBuild(b)
		a := r.Action
		a.ID, a.Needs, a.Key, a.Estimate, a.Wanted = string(Test)+":"+a.Unit().String(), []string{b.ID}, "", 0, ""
		tests := *r.Test
		tests.Order = r.Order
		tests.Args = slices.DeleteFunc(slices.Clone(tests.Args), func(arg string) bool { return slices.Contains(choosing, arg) })
		tests.Container = again(tests.Container, lender.Grant.In(lentTo(Container(ws, lender.Project, r.Image, tests.Container.Network, o), lenders[r.Project], lender), false), o.HostEnv)
		a.Test = &tests
		p.Actions = append(p.Actions, a)
	}
	return p
}

// Lender is the path of the project, or of [images], whose container r had.
func (r Recording) Lender() string { return cmp.Or(r.Container, r.Project) }

// again is a container as it would be made now, with what a recorded one had.
func again(recorded, now spec.Container, host map[string]string) spec.Container {
	now.Env = nil
	for _, variable := range recorded.Env {
		if strings.Contains(variable, "=") {
			now.Env = append(now.Env, variable)
		} else if value, ok := host[variable]; ok {
			now.Env = append(now.Env, variable+"="+value)
		}
	}
	now.User, now.Entrypoint, now.Hostname = recorded.User, recorded.Entrypoint, recorded.Hostname
	now.CPUs, now.Memory, now.Pids = recorded.CPUs, recorded.Memory, recorded.Pids
	if now.Rights.None() {
		now.Role = recorded.Role
	}
	return now
}

// Taken are the names of the variables that recordings have of the caller.
func Taken(recordings []Recording) []string {
	var names []string
	for _, r := range recordings {
		names = append(names, r.Test.Taken...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
