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

	Image  string   // reference of the image that it had, in the local store
	Remote string   // where a registry may have that image, by its digest; "" = nowhere
	Order  []string // node ids of its cases, as they ran
}

// Join adds what a tested of the same unit, in the second round of its run: other
// files, which only Python could tell to be for that container.
func (r *Recording) Join(a Action) {
	tests := *r.Test
	fixed := tests.Args[:len(tests.Args)-len(tests.Named)]
	for _, name := range a.Test.Named {
		if !slices.Contains(tests.Named, name) {
			tests.Named = append(slices.Clone(tests.Named), name)
		}
	}
	tests.Args = slices.Concat(fixed, tests.Named)
	tests.Places = tests.Places.and(a.Test.Places)
	tests.Suites = slices.Clone(tests.Suites)
	for i, s := range tests.Suites { // a case that is named runs, whatever its suite
		if slices.ContainsFunc(a.Test.Suites, func(other Suite) bool { return other.Name == s.Name && other.Fate == Run }) {
			tests.Suites[i].Fate = Run
		}
	}
	r.Test = &tests
}

// and are the places that collect what either of both does.
func (p Places) and(other Places) Places {
	p.Mixed = slices.Concat(p.Mixed, other.Mixed)
	switch {
	case p.Take == nil:
		p.Leave = slices.DeleteFunc(slices.Clone(p.Leave), other.Collect)
	case other.Take == nil:
		p.Leave = slices.DeleteFunc(slices.Clone(other.Leave), p.Collect)
		p.Take = nil
	default:
		files := append(append([]string{}, p.Take...), other.Take...) // never nil, which is all
		p.Take, p.Leave = slices.DeleteFunc(files, func(file string) bool { return !p.Collect(file) && !other.Collect(file) }), nil
	}
	return p
}

// looking are the flags by which a person looks into tests, who need not be there
// when they run again.
var looking = []string{"--pdb", "--trace"}

// Stepwise are the flags by which pytest stops at a failure, and begins with it
// the next time.
var Stepwise = []string{"--sw", "--stepwise", "--sw-skip", "--stepwise-skip", "--sw-reset", "--stepwise-reset"}

// choosing are the flags by which pytest chooses anew, by what it remembers.
var choosing = slices.Concat([]string{"--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first"}, Stepwise)

// Replay plans what recordings tell once more, in the containers of lenders: with
// the same images, arguments, cases, order, user, limits, network and variables.
// Those of the caller have the values that they have now.
func Replay(ws *workspace.Workspace, recordings []Recording, lenders map[string]Selected, o Options) Plan {
	p := Plan{Workspace: ws.Name, Root: ws.Root}
	for _, r := range recordings {
		lender := lenders[r.Project].in(lenders[r.Lender()])
		b := Action{
			ID: string(Build) + ":" + lender.Path, Kind: Build, Project: lender.Path, Build: &spec.Build{Project: lender.Path, Folder: lender.Folder(), Ref: r.Image, Labels: r.Labels()},
			Remote: r.Remote, Denied: &fault.Error{Code: "replay.image_gone", Message: "the image of that run was removed just now: " + r.Image},
		}
		p.addBuild(b)
		a := r.Action
		a.ID, a.Needs, a.Key, a.Estimate, a.Wanted = string(Test)+":"+a.Unit().String(), []string{b.ID}, "", 0, ""
		tests := *r.Test
		tests.Order = r.Order
		tests.Args = slices.DeleteFunc(slices.Clone(tests.Args), func(arg string) bool { return slices.Contains(choosing, arg) || slices.Contains(looking, arg) })
		tests.Debug = Debug{}
		tests.Container = again(tests.Container, lender.Grant.In(lentTo(Container(ws, lender.Project, r.Image, tests.Container.Network, o), lenders[r.Project], lender), false), o.HostEnv)
		a.Test = &tests
		p.Actions = append(p.Actions, a)
	}
	return p
}

// Lender is the path of the project, or of [images], whose container r had.
func (r Recording) Lender() string { return cmp.Or(r.Container, r.Project) }

// Labels say whose image it is that r had.
func (r Recording) Labels() map[string]string { return map[string]string{"wr.project": r.Lender()} }

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
