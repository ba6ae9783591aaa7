package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/mark"
	"github.com/wr-build/wr/host/suite"
)

// Suite is a suite of a project, as pytest is told of it.
type Suite struct {
	Policy

	Name  string    `json:"name"`  // "" = of the cases that are in no other
	Marks mark.Expr `json:"marks"` // none: what is in no other
	Fate  Fate      `json:"fate"`
}

// Fate is what becomes of the cases of a suite.
type Fate string

// The fates. Where the suites of a run need several processes, each of those
// runs some, and one tells of those that are left.
const (
	Run     Fate = "run"
	Other   Fate = "other"   // another process runs them
	Left    Fate = "left"    // not asked for
	Unasked Fate = "unasked" // nor are these, and another process tells of it
)

// AllSuites are the suites of a project where every case runs, as long as it
// takes: for those who run pytest themselves.
func AllSuites(all []suite.Suite) []Suite {
	g := group{suites: all, stray: true}
	out := suites(Selected{Suites: all}, []group{g}, 0, CaseLimits{})
	for i := range out {
		out[i].Policy = Policy{}
	}
	return out
}

// group are suites whose cases can run in one process.
type group struct {
	suites []suite.Suite
	stray  bool // and the cases that are in none
}

// groups are the suites of s that are asked for, by how they have to run. It is
// never empty: what s lacks says without.
func (o Options) groups(s Selected) []group {
	chosen := o.chosen(s)
	var all []group
	for _, one := range s.Suites {
		if !chosen.Has(one.Name) {
			continue
		}
		i := slices.IndexFunc(all, func(g group) bool { return sameWay(g.way(), one.Suite) })
		if i < 0 {
			i, all = len(all), append(all, group{})
		}
		all[i].suites = append(all[i].suites, one)
	}
	if chosen.Has("") || len(all) == 0 {
		all = withStray(all)
	}
	return all
}

// chosen are the suites of s that are to run. A case that was named runs,
// whatever suite it is in.
func (o Options) chosen(s Selected) suite.Choice {
	named := slices.ContainsFunc(o.Paths[s.Path], func(asked string) bool { return strings.Contains(asked, "::") })
	if named && !o.Suites.Explicit() || len(s.Suites) == 0 {
		return suite.Everything
	}
	return o.Suites
}

// without says that s has none of the suites that are to run, or "".
func (o Options) without(s Selected) string {
	chosen := o.chosen(s)
	if chosen.Has("") || slices.ContainsFunc(s.Suites, func(one suite.Suite) bool { return chosen.Has(one.Name) }) {
		return ""
	}
	return "no suite " + strings.Join(chosen.Names(), ", ")
}

// withStray has a group also run the cases that are in no suite: one that runs
// in no special way.
func withStray(all []group) []group {
	i := slices.IndexFunc(all, func(g group) bool { return sameWay(g.way(), config.Suite{}) })
	if i < 0 {
		i, all = len(all), append(all, group{})
	}
	all[i].stray = true
	return all
}

// sameWay reports whether the cases of both can run in one process.
func sameWay(a, b config.Suite) bool {
	return a.Workers == b.Workers && a.Shards == b.Shards && a.Limits == b.Limits && sameEnv(a.Env, b.Env)
}

func sameEnv(a, b map[string]string) bool {
	return slices.Equal(variables(a), variables(b))
}

// way is how the cases of g run.
func (g group) way() config.Suite {
	if len(g.suites) == 0 {
		return config.Suite{}
	}
	return g.suites[0].Suite
}

// name tells g from the other groups: "" has the default suite.
func (g group) name() string {
	var names []string
	for _, s := range g.suites {
		if s.Name == suite.Default {
			return ""
		}
		names = append(names, s.Name)
	}
	return cmp.Or(strings.Join(names, "+"), "no suite")
}

// suites are all suites of s for the i-th of its groups.
func suites(s Selected, all []group, i int, limits CaseLimits) []Suite {
	fate := func(name string) Fate {
		for at, g := range all {
			if name == "" && g.stray || slices.ContainsFunc(g.suites, func(one suite.Suite) bool { return name != "" && one.Name == name }) {
				if at == i {
					return Run
				}
				return Other
			}
		}
		if i == 0 {
			return Left
		}
		return Unasked
	}
	var out []Suite
	for _, one := range s.Suites {
		out = append(out, Suite{Name: one.Name, Marks: one.Marks, Fate: fate(one.Name), Policy: limits.Over(policy(one.Suite))})
	}
	return append(out, Suite{Fate: fate(""), Policy: limits.Over(Policy{})})
}

func policy(c config.Suite) Policy {
	return Policy{
		Timeout: time.Duration(c.Timeout),
		Reruns:  Reruns{Any: int(c.Reruns.Any), Timeout: int(c.Reruns.Timeout), Error: int(c.Reruns.Error)},
	}
}
