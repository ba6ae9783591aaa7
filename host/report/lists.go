package report

import (
	"cmp"
	"maps"
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

// SuiteCount is how many cases of a run are in a suite.
type SuiteCount struct {
	Suite string `json:"suite"` // "" = of those that are in none
	Cases int    `json:"cases"`
}

// LeftSuites are the suites of the cases that were not asked for, by name.
func (r *Run) LeftSuites() []SuiteCount {
	count := map[string]int{}
	for _, p := range r.Projects {
		for name, n := range p.leftSuites() {
			count[name] += n
		}
	}
	var all []SuiteCount
	for _, name := range slices.Sorted(maps.Keys(count)) {
		all = append(all, SuiteCount{name, count[name]})
	}
	return all
}

// leftSuites counts the cases of p that are in suites which were not asked for.
func (p *Project) leftSuites() map[string]int {
	count := map[string]int{}
	for _, e := range p.Deselected {
		if e.Text != "" { // others were left by -k and the like
			count[e.Suite]++
		}
	}
	return count
}

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
