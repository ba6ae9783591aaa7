package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/event"
)

// NotHere is how many cases of a run another container has, which the run did
// not make.
type NotHere struct {
	Container string `json:"container"` // path of its project
	Cases     int    `json:"cases"`
}

// NotHere counts the cases of containers that r did not make, since wr itself ran
// in one; by container. What nobody can place is an error and not among them, nor
// are cases that were not to run there either.
func (r *Run) NotHere() []NotHere { return r.notHere(r.Projects...) }

// notHere is NotHere of some projects.
func (r *Run) notHere(projects ...*Project) []NotHere {
	if r.Here == "" {
		return nil
	}
	cases, seen := map[string]int{}, map[string]bool{}
	key := func(p *Project, e event.Event) string { return p.Path + "\x00" + e.Case }
	for _, p := range r.Projects {
		for _, e := range p.Deselected {
			seen[key(p, e)] = true
		}
	}
	for _, p := range projects {
		for _, e := range p.Elsewhere {
			id := key(p, e) // each of the processes that run a project's suites tells it
			if !strings.HasPrefix(e.Belongs, "?") && !seen[id] {
				cases[e.Belongs]++
				seen[id] = true
			}
		}
	}
	var all []NotHere
	for _, container := range slices.Sorted(maps.Keys(cases)) {
		all = append(all, NotHere{container, cases[container]})
	}
	return all
}
