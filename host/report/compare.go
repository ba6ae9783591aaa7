package report

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// What it takes for a duration to have changed much: a factor, and a time that
// somebody would notice.
const (
	muchFactor = 2
	muchTime   = 500 * time.Millisecond
)

// Difference is what differs between two runs. Every list is sorted as the
// events of the run after, what is only in the one before comes last.
type Difference struct {
	Before       Side         `json:"before"`
	After        Side         `json:"after"`
	Changes      []Change     `json:"changes"`      // of what the tests ran with
	NewlyFailing []CaseChange `json:"newlyFailing"` // also new cases that fail
	Fixed        []CaseChange `json:"fixed"`
	Changed      []CaseChange `json:"changed"` // any other outcome
	Added        []CaseChange `json:"added"`   // those that do not fail
	Removed      []CaseChange `json:"removed"`
	Slower       []CaseChange `json:"slower"` // twice as slow and half a second, or more
	Faster       []CaseChange `json:"faster"`
}

// Side is one of two runs.
type Side struct {
	Run      string    `json:"run"`
	Started  time.Time `json:"started"`
	Finished bool      `json:"finished"` // false: it was cut off, and so what it lacks may only be missing here
	Exit     int       `json:"exit"`
	Sums     Sums      `json:"sums"`
}

// Change is one thing that the tests of a project, or the whole run, ran with.
type Change struct {
	Project string `json:"project,omitempty"` // "" = the whole run
	What    string `json:"what"`              // "image", "personal.limits.cpus", ...
	Before  string `json:"before"`            // "" = was not there
	After   string `json:"after"`             // "" = is not there any more
}

// CaseChange is one entry in both runs.
type CaseChange struct {
	Project string `json:"project"`
	Title   string `json:"title"`  // as Entry's
	Before  string `json:"before"` // outcome; "" = was not there
	After   string `json:"after"`  // outcome; "" = is not there any more
	// ElapsedBefore and ElapsedAfter are in nanoseconds.
	ElapsedBefore time.Duration `json:"elapsedBefore"`
	ElapsedAfter  time.Duration `json:"elapsedAfter"`
}

// Compare tells what differs in after from before.
func Compare(before, after *Run) Difference {
	d := Difference{
		Before: before.side(), After: after.side(), Changes: changes("", before.facts(), after.facts()),
		NewlyFailing: []CaseChange{}, Fixed: []CaseChange{}, Changed: []CaseChange{}, Added: []CaseChange{},
		Removed: []CaseChange{}, Slower: []CaseChange{}, Faster: []CaseChange{},
	}
	for _, p := range allProjects(before, after) {
		d.Changes = append(d.Changes, p.changes()...)
		d.compareCases(p)
	}
	return d
}

// Nothing reports whether d is empty.
func (d Difference) Nothing() bool {
	return len(d.Changes)+len(d.NewlyFailing)+len(d.Fixed)+len(d.Changed)+len(d.Added)+len(d.Removed)+len(d.Slower)+len(d.Faster) == 0
}

func (r *Run) side() Side {
	return Side{Run: r.ID, Started: r.Started, Finished: r.Finished, Exit: r.Exit, Sums: r.Sums()}
}

// both is a project in two runs; nil where it is not in one.
type both struct {
	name          string
	before, after *Project
}

// allProjects pairs the projects of two runs by name.
func allProjects(before, after *Run) []both {
	var all []both
	place := map[string]int{}
	at := func(p *Project) *both {
		i, known := place[p.Name()]
		if !known {
			i = len(all)
			place[p.Name()] = i
			all = append(all, both{name: p.Name()})
		}
		return &all[i]
	}
	for _, p := range after.Projects {
		at(p).after = p
	}
	for _, p := range before.Projects {
		at(p).before = p
	}
	return all
}

// fact is a name and a value.
type fact struct{ name, value string }

// facts are what the whole run ran with.
func (r *Run) facts() []fact {
	all := []fact{{"wr", r.Version}, {"args", strings.Join(r.Args, " ")}, {"here", r.Here}, {"revision", r.Revision.Text()}, {"shuffle", r.Shuffle}}
	for _, s := range r.Personal {
		all = append(all, fact{"personal." + s.Key, s.Text()})
	}
	if r.Coverage != nil {
		all = append(all, fact{"coverage", Percent(r.Coverage.CoveredLines, r.Coverage.Lines)})
	}
	return all
}

// facts are what p was tested with, and how it ended.
func (p *Project) facts() []fact {
	all := []fact{{"image", p.Image}, {"digest", p.Digest}, {"image.wanted", p.Wanted}, {"session", p.Session}}
	for _, right := range p.Rights {
		all = append(all, fact{"rights." + right.Kind, cmp.Or(strings.Join(right.Names, " "), "yes")})
	}
	return append(all, fact{"status", cmp.Or(string(p.Status), "not finished")})
}

// changes are the facts of p that differ; of a project that is not in both, only that.
func (p both) changes() []Change {
	switch {
	case p.before == nil:
		return []Change{{p.name, "project", "", "tested"}}
	case p.after == nil:
		return []Change{{p.name, "project", "tested", ""}}
	default:
		return changes(p.name, p.before.facts(), p.after.facts())
	}
}

// changes are the facts that differ.
func changes(project string, before, after []fact) []Change {
	all := []Change{}
	value := func(of []fact, name string) string {
		i := slices.IndexFunc(of, func(f fact) bool { return f.name == name })
		if i < 0 {
			return ""
		}
		return of[i].value
	}
	for _, f := range after {
		if old := value(before, f.name); old != f.value {
			all = append(all, Change{project, f.name, old, f.value})
		}
	}
	for _, f := range before {
		if !slices.ContainsFunc(after, func(g fact) bool { return g.name == f.name }) && f.value != "" {
			all = append(all, Change{project, f.name, f.value, ""})
		}
	}
	return all
}

// compareCases adds what differs between the entries of p.
func (d *Difference) compareCases(p both) {
	old := map[string]Entry{}
	for _, e := range p.before.titled() {
		old[e.Title] = e
	}
	for _, e := range p.after.titled() {
		was, known := old[e.Title]
		delete(old, e.Title)
		c := CaseChange{p.name, e.Title, was.Outcome, e.Outcome, was.Elapsed, e.Elapsed}
		if list := d.listOf(c, was, e, known); list != nil {
			*list = append(*list, c)
		}
		if list := d.listOfTime(c); list != nil && known {
			*list = append(*list, c)
		}
	}
	for _, e := range p.before.titled() {
		if _, gone := old[e.Title]; gone {
			list := &d.Removed
			if !e.Case && p.after != nil { // what was wrong is so no more
				list = &d.Fixed
			}
			*list = append(*list, CaseChange{p.name, e.Title, e.Outcome, "", e.Elapsed, 0})
		}
	}
}

// titled are the entries of p, one of each title: a file can fail to be collected
// in several ways. A project that is not in its run has none.
func (p *Project) titled() []Entry {
	if p == nil {
		return nil
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(p.Entries(), func(e Entry) bool {
		again := seen[e.Title]
		seen[e.Title] = true
		return again
	})
}

// listOf is where a change of outcome belongs; nil = there is none.
func (d *Difference) listOf(c CaseChange, was, is Entry, known bool) *[]CaseChange {
	switch {
	case is.Bad() && !was.Bad():
		return &d.NewlyFailing
	case was.Bad() && !is.Bad():
		return &d.Fixed
	case !known:
		return &d.Added
	case c.Before != c.After:
		return &d.Changed
	default:
		return nil
	}
}

// listOfTime is where a change of duration belongs; nil = it is not much.
func (d *Difference) listOfTime(c CaseChange) *[]CaseChange {
	switch b, a := c.ElapsedBefore, c.ElapsedAfter; {
	case c.Before != c.After || b == 0 || a == 0:
		return nil
	case a >= b*muchFactor && a-b >= muchTime:
		return &d.Slower
	case b >= a*muchFactor && b-a >= muchTime:
		return &d.Faster
	default:
		return nil
	}
}
