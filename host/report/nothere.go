package report

import (
	"maps"
	"slices"
	"strings"
)

// NotHere is how many cases of a run another container has, which the run did
// not make.
type NotHere struct {
	Container string `json:"container"` // path of its project
	Cases     int    `json:"cases"`
}

// NotHere counts the cases of containers that r did not make, since wr itself ran
// in one; by container. What nobody can place is an error and not among them.
func (r *Run) NotHere() []NotHere { return r.notHere(r.Projects...) }

// notHere is NotHere of some projects.
func (r *Run) notHere(projects ...*Project) []NotHere {
	if r.Here == "" {
		return nil
	}
	cases, seen := map[string]int{}, map[string]bool{}
	for _, p := range projects {
		for _, e := range p.Elsewhere {
			id := p.Path + "\x00" + e.Case // each of the processes that run a project's suites tells it
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
