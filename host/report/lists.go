package report

import (
	"cmp"
	"slices"
)

// Placed is a case and the project that it is of.
type Placed struct {
	Project *Project
	*Case
}

// Slowest are the n cases of r that took longest, the slowest first, without
// those that took no time worth a line.
func (r *Run) Slowest(n int) []Placed {
	all := r.those(func(c *Case) bool { return c.Elapsed.Milliseconds() > 0 })
	slices.SortStableFunc(all, func(a, b Placed) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
	return all[:min(n, len(all))]
}

// Flaky are the cases of r that passed after an attempt that had not.
func (r *Run) Flaky() []Placed { return r.those((*Case).Flaky) }

// those are the cases that chosen chooses, in the order of the events.
func (r *Run) those(chosen func(*Case) bool) []Placed {
	var all []Placed
	for _, p := range r.Projects {
		for _, c := range p.Cases {
			if chosen(c) {
				all = append(all, Placed{p, c})
			}
		}
	}
	return all
}
