package plan

import (
	"slices"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/suite"
)

// Debug says how a person looks into tests while they run. The zero value is
// that nobody does.
type Debug struct {
	Terminal bool `json:"terminal,omitempty"` // pytest has the caller's terminal
	Shell    bool `json:"shell,omitempty"`    // and where a case fails, a shell opens on it
	Port     int  `json:"port,omitempty"`     // tests wait until an editor attaches to this port, of the container and of this machine; 0 = they do not
}

// Debug is that of the tests of p.
func (p Plan) Debug() Debug {
	for _, a := range p.Actions {
		if a.Test != nil {
			return a.Test.Debug
		}
	}
	return Debug{}
}

// debugged is what to plan for a person who looks: nothing is too late, nothing
// runs again by itself or in several processes.
func (o Options) debugged(projects []Selected) ([]Selected, Options) {
	if o.Debug == (Debug{}) {
		return projects, o
	}
	o.Limits.Timeout, o.Cases = new(config.Duration), CaseLimits{}
	// Why: an isolated run in a kept container may have a loopback of its own,
	// which no port leads to.
	o.Fresh = o.Fresh || o.Debug.Port > 0
	projects = slices.Clone(projects)
	for i, s := range projects {
		projects[i].Suites = patient(s.Suites)
	}
	return projects, o
}

// patient are suites that wait for whoever debugs their cases.
func patient(suites []suite.Suite) []suite.Suite {
	all := slices.Clone(suites)
	for i := range all {
		all[i].Timeout, all[i].Reruns, all[i].Workers, all[i].Shards = 0, config.Reruns{}, config.Workers{}, 0
	}
	return all
}
