package place

import (
	"fmt"
	"maps"
	"slices"

	"github.com/wr-build/wr/host/suite"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// contradiction is the code of two that say different things of one case.
const contradiction = "test.contradiction"

// agree is the fault of the first contradiction: of two plugins none of which goes
// before the other, or of a plugin and a mark.
func (h *hearing) agree() error {
	said := map[Case]Assigned{}
	for _, a := range h.told.sorted() {
		key := Case{ID: a.ID, File: a.File}
		first, twice := said[key]
		if !twice {
			said[key] = a
			continue
		}
		if h.priority[first.Plugin] == h.priority[a.Plugin] && (differ(first.Suite, a.Suite) || differ(first.Container, a.Container)) {
			return a.contradicts(first)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(h.own)) {
		for _, c := range h.own[file].cases {
			if err := h.marksAgree(c); err != nil {
				return err
			}
		}
	}
	return nil
}

func differ(a, b string) bool { return a != "" && b != "" && a != b }

// contradicts is the fault of two plugins.
func (a Assigned) contradicts(first Assigned) error {
	return &fault.Error{
		Code: contradiction, Class: fault.Usage, File: a.Said.File, Line: a.Said.Line,
		Message: fmt.Sprintf("%s is %s for plugin %s, and %s for plugin %s at %s", a.name(), a.where(), a.Plugin, first.where(), first.Plugin, first.At()),
		Next:    "say one of the two, or give the plugin that is right a priority in [plugins.NAME]",
	}
}

// where is what a says.
func (a Assigned) where() string {
	switch {
	case a.Container == "":
		return fmt.Sprintf("in suite %q", a.Suite)
	case a.Suite == "":
		return fmt.Sprintf("in container %q", a.Container)
	}
	return fmt.Sprintf("in suite %q and container %q", a.Suite, a.Container)
}

// At is where a is said.
func (a Assigned) At() string {
	if a.Said.Line == 0 {
		return a.Said.File
	}
	return fmt.Sprintf("%s:%d", a.Said.File, a.Said.Line)
}

// marksAgree is the fault of marks that say something else of a case than a plugin.
func (h *hearing) marksAgree(c instance) error {
	if a := h.told.first(c.File, c.ID, Assigned.container); a.Container != "" && c.name != "" {
		at, err := h.called(c.name)
		if err != nil {
			return unknown(c, fault.Of(err))
		}
		if at != a.Container {
			return c.contradicts(a, c.lineOf(c.name), fmt.Sprintf("its mark wants the container %q, and %s says %q", c.name, a.At(), a.Container))
		}
	}
	a := h.told.first(c.File, c.ID, Assigned.suite)
	if by := claimed(h.suites, c.markNames()); a.Suite != "" && len(by) > 0 && !slices.Contains(by, a.Suite) {
		return c.contradicts(a, c.Line, fmt.Sprintf("its marks put it into the suite %q, and %s into %q", by[0], a.At(), a.Suite))
	}
	return nil
}

func (c instance) contradicts(a Assigned, line int, how string) error {
	return &fault.Error{
		Code: contradiction, Class: fault.Usage, File: c.File, Line: line,
		Message: fmt.Sprintf("%s: %s (plugin %s)", c.ID, how, a.Plugin), Next: "remove one of the two",
	}
}

func (c instance) markNames() []string {
	names := make([]string, len(c.marks))
	for i, m := range c.marks {
		names[i] = m.Name
	}
	return names
}

// claimed are the suites that a case is in because of its marks, and not because
// it lacks some.
func claimed(all []suite.Suite, marks []string) []string {
	var names []string
	for _, s := range all {
		if s.Marks.Match(marks) && !s.Marks.Match(nil) {
			names = append(names, s.Name)
		}
	}
	return names
}
