package reporttest

import (
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
)

// OfWr are the cases of a run of wr, by where they ran: "infra", or "infra[web]"
// for those of infra in the container of web. junit is its junit.xml, which cannot
// tell what passed unexpectedly; r are its events, and the two have to agree. What
// is wrong with a project as a whole is none of its cases.
func OfWr(junit []byte, r *report.Run) (map[string][]Case, error) {
	suites, err := parse(junit)
	if err != nil {
		return nil, err
	}
	if len(suites) != len(r.Projects) {
		return nil, fmt.Errorf("%d testsuites in junit.xml, and events of %d projects", len(suites), len(r.Projects))
	}
	all := map[string][]Case{}
	for i, s := range suites {
		found, err := s.ofWr(r.Projects[i])
		if err != nil {
			return nil, err
		}
		all[s.Name] = append(all[s.Name], found...)
	}
	return all, nil
}

// ofWr are the cases of one testsuite. Before those that were collected come
// what is wrong with the project as a whole and files that were not collected.
func (s suite) ofWr(p *report.Project) ([]Case, error) {
	before := len(s.Cases) - len(p.Cases)
	if s.Name != p.Unit().Place().String() || before < len(p.CollectErrors) {
		return nil, fmt.Errorf("testsuite %s has %d cases, and the events of %s %d", s.Name, len(s.Cases), p.Name(), len(p.Cases))
	}
	var all []Case
	for i, e := range s.Cases {
		if i < before-len(p.CollectErrors) {
			continue
		}
		c, err := e.read(p.Path, ".")
		if err != nil {
			return nil, err
		}
		if i >= before {
			told := p.Cases[i-before]
			if !strings.HasSuffix(told.ID, e.Name) {
				return nil, fmt.Errorf("%s: %s %s in junit.xml is %s in the events", s.Name, e.Class, e.Name, told.ID)
			}
			if told.Outcome == event.XPassed && c.Outcome == passed {
				c.Outcome = xpassed
			}
		}
		all = append(all, c)
	}
	return all, nil
}
