package reporttest

import (
	"maps"
	"slices"
	"strings"
)

// Diff says where wr has something else than plain pytest, a line for each case;
// "" if nowhere. What wr has as not run, pytest does not report at all.
func Diff(plain, wr []Case) string {
	p, w := outcomes(plain), outcomes(slices.DeleteFunc(slices.Clone(wr), func(c Case) bool { return c.Outcome == notRun }))
	all := maps.Clone(p)
	maps.Copy(all, w)
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if !slices.Equal(p[id], w[id]) {
			b.WriteString(id + ": plain pytest has " + listed(p[id]) + ", wr has " + listed(w[id]) + "\n")
		}
	}
	return b.String()
}

// outcomes are those of each case, as often as they are told.
func outcomes(all []Case) map[string][]string {
	by := map[string][]string{}
	for _, c := range all {
		by[c.ID] = append(by[c.ID], c.Outcome)
	}
	for _, some := range by {
		slices.Sort(some)
	}
	return by
}

func listed(outcomes []string) string {
	if len(outcomes) == 0 {
		return "nothing"
	}
	return strings.Join(outcomes, " and ")
}
