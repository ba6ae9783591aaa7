package plan

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wr-build/wr/host/history"
	"github.com/wr-build/wr/runtime/spec"
)

// worthIt is how long tests must take for a further container, or a further
// process in it, to pay: each has pytest and all that is imported start again.
const worthIt = 5 * time.Second

// Pace is what decides how tests are spread over this machine. It has no part
// in what comes of them.
type Pace struct {
	History history.History
	Jobs    int // containers at once
	CPUs    int // processors of this machine
}

// files is what each file of a takes, as far as earlier runs have it.
func (p Pace) files(a Action) map[string]time.Duration {
	var names []string
	for _, s := range a.Test.Suites {
		if s.Fate == Run {
			names = append(names, s.Name)
		}
	}
	all := p.History.Files(a.Unit().Place().String(), names)
	for file := range all {
		if !a.Test.Places.Collect(path.Join(spec.Workspace, file)) || !named(a, file) {
			delete(all, file)
		}
	}
	return all
}

// named reports whether a file is among those that were asked for.
func named(a Action, file string) bool {
	if len(a.Test.Named) == 0 {
		return true
	}
	return slices.ContainsFunc(a.Test.Named, func(asked string) bool {
		asked, _, _ = strings.Cut(asked, "::")
		asked = path.Join(a.Project, asked)
		return asked == "." || file == asked || strings.HasPrefix(file, asked+"/")
	})
}

// estimate is how long the tests of a take; 0 is unknown.
func (p Pace) estimate(a Action) time.Duration {
	cases := sum(p.files(a))
	if cases == 0 {
		return 0
	}
	return cases + p.History.Start(a.Unit().Place().String())
}

// workers is in how many processes tests that take so long should run at once.
func (p Pace) workers(takes time.Duration, cpus float64) int {
	most := float64(p.CPUs)
	if cpus > 0 {
		most = min(most, cpus)
	}
	return int(min(math.Floor(most), math.Floor(float64(takes)/float64(worthIt))))
}

// shard parts those actions of plan whose suites allow it into several, where
// one of them would keep the whole run waiting.
func (p Pace) shard(actions []Action) []Action {
	var total time.Duration
	for _, a := range actions {
		total += a.Estimate
	}
	fair := max(worthIt, total/time.Duration(max(1, p.Jobs)))
	var all []Action
	for _, a := range actions {
		n := 1
		if a.Test != nil {
			n = min(a.Test.Shards, int((a.Estimate+fair-1)/fair))
		}
		if n < 2 {
			all = append(all, a)
			continue
		}
		all = append(all, p.split(a, n)...)
	}
	return all
}

// split is a in n parts, or fewer. All but the last have a list of files; the
// last has what is in no list, so that a file of which nobody knew runs as well.
func (p Pace) split(a Action, n int) []Action {
	files := p.files(a)
	shares, took := history.Split(files, n)
	if len(shares) < 2 {
		return []Action{a}
	}
	var all []Action
	var others []string
	for i, share := range shares {
		part, tests := a, *a.Test
		part.Test, part.Shard = &tests, fmt.Sprintf("%d/%d", i+1, len(shares))
		part.ID, part.Estimate = string(Test)+":"+part.Unit().String(), took[i]+a.Estimate-sum(files)
		share = ContainerPaths(share)
		switch take := a.Test.Places.Take; {
		case i < len(shares)-1:
			tests.Places.Take, others = share, append(others, share...)
		case take != nil:
			tests.Places.Take = slices.DeleteFunc(slices.Clone(take), func(file string) bool { return slices.Contains(others, file) })
		default:
			tests.Places.Leave = slices.Concat(a.Test.Places.Leave, others)
		}
		part.Key = digest([]any{a.Key, tests.Places})
		all = append(all, part)
	}
	return all
}

func sum(files map[string]time.Duration) (total time.Duration) {
	for _, took := range files {
		total += took
	}
	return total
}

// spread has the tests of a run in as many processes as its suites say, or as
// pay.
func (p Pace) spread(a *Action, g group) {
	way := g.way()
	n := int(way.Workers.Count)
	if way.Workers.Auto {
		n = p.workers(a.Estimate, a.Test.Container.CPUs)
	}
	if n > 1 {
		a.Test.Args = slices.Concat([]string{"-n", strconv.Itoa(n)}, a.Test.Args)
	}
}
