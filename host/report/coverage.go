package report

import (
	"fmt"

	"github.com/wr-build/wr/host/event"
)

// Percent is part of whole as "84.2%", never rounded up: what falls short of a
// limit must not look as if it reached it.
func Percent(part, whole int) string {
	if whole == 0 {
		return "none"
	}
	permille := part * 1000 / whole
	return fmt.Sprintf("%d.%d%%", permille/10, permille%10)
}

// covered are the properties of a testsuite that say what the tests of all the
// run have covered: of the files of its project, why the coverage lacks what ran
// in it, and of all files. A run that did not measure has none.
func (p *Project) covered(r *Run) []propertyXML {
	if r.Coverage == nil {
		return nil
	}
	var all []propertyXML
	for _, one := range r.Coverage.Projects {
		if one.Project == p.Path {
			all = append(all, percents("coverage", one.Covered)...)
		}
	}
	for _, m := range r.Coverage.Missing {
		if m.Unit == p.Name() {
			all = append(all, propertyXML{"coverage.missing", m.Reason})
		}
	}
	all = append(all, percents("run.coverage", r.Coverage.Covered)...)
	if f := r.CoverageFault; f != nil {
		all = append(all, propertyXML{"run.coverage.fault", f.Error()})
	}
	return all
}

// percents are two properties; the value of what there is nothing of is "".
func percents(of string, c event.Covered) []propertyXML {
	percent := func(part, whole int) string {
		if whole == 0 {
			return ""
		}
		return Percent(part, whole)
	}
	return []propertyXML{{of + ".lines", percent(c.CoveredLines, c.Lines)}, {of + ".branches", percent(c.CoveredBranches, c.Branches)}}
}
