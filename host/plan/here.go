package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Here plans those tests of projects that run in the container of the project
// here, for a wr that runs in it: nothing is made, and container paths are those
// of this machine. Cases of other containers are only told.
func Here(ws *workspace.Workspace, projects []Selected, here workspace.Project, o Options) Plan {
	p := Plan{Workspace: ws.Name, Root: ws.Root, Here: here.Path}
	o.Root = ws.Root
	projects, o = o.debugged(projects)
	for _, s := range projects {
		p.Actions = append(p.Actions, testsHere(ws, s, here, o)...)
	}
	return p
}

// testsHere plans the part of the tests of s that is for the container of here.
func testsHere(ws *workspace.Workspace, s Selected, here workspace.Project, o Options) []Action {
	none := Action{ID: string(Test) + ":" + s.Path, Kind: Test, Project: s.Path, Fault: cmp.Or(s.Broken, s.Untestable, notHere(s, here))}
	parts := s.parts()
	at := slices.IndexFunc(parts, func(part place.Part) bool { return part.Lender.Path == here.Path })
	if at < 0 {
		return []Action{none}
	}
	part, lender := parts[at], s.in(Selected{Project: here})
	if s.Path == here.Path {
		lender = s
	}
	there := o.asked(s, part)
	if len(o.Paths[s.Path]) > 0 && len(there.Paths[s.Path]) == 0 {
		return []Action{none}
	}
	all := testsIn(ws, s, lender, part, there)
	for i := range all {
		if tests := all[i].Test; tests != nil { // somebody else has made the container, but for its environment
			tests.Container = spec.Container{Mounts: tests.Container.Mounts, Env: tests.Container.Env, Labels: tests.Container.Labels}
		}
	}
	if all[0].Test != nil {
		all[0].Test.NotHere = others(s, parts, part)
	}
	return all
}

// others are the cases of parts in files that are not collected with the part
// here. Of those that are collected, pytest tells itself.
func others(s Selected, parts []place.Part, here place.Part) []Elsewhere {
	var all []Elsewhere
	for _, part := range parts {
		for _, c := range part.Cases {
			if part.Lender.Path == here.Lender.Path || here.Collects(c.File) {
				continue
			}
			id := strings.TrimPrefix(c.File, s.Path+"/") + "::" + c.ID
			all = append(all, Elsewhere{Case: id, File: c.File, Line: c.Line, Belongs: part.Lender.Path})
		}
	}
	return all
}

// notHere is the fault of tests that all need another container.
func notHere(s Selected, here workspace.Project) *fault.Error {
	return &fault.Error{
		Code: "test.not_here", Class: fault.Usage,
		Message: fmt.Sprintf("nothing that was asked for of %s runs here: wr runs in the container of %s, and starts no others from there", s.Path, here.Path),
		Next:    "run wr test " + s.Path + " outside, or in the container that it needs",
	}
}
