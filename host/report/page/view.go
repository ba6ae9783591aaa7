package page

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
)

// slowest is how many of the slowest cases are listed.
const slowest = 10

// view is what the template shows.
type view struct {
	Policy   string
	Style    template.CSS
	Script   template.JS
	Run      *report.Run
	Command  string
	Verdict  verdict
	Filters  []filter
	Units    []*unit
	Timeline timeline
	Flaky    []link
	Slowest  []link
}

// verdict is the first line.
type verdict struct{ Class, Text string }

// filter shows or hides the entries of one kind.
type filter struct {
	Kind  report.Kind
	Count int
	Label string
}

// unit is one project of the run.
type unit struct {
	*report.Project
	ID     string
	Result string
	Sums   report.Sums
	Bad    []*entry // failures and errors
	Rest   []*entry
}

// entry is one line of the list of a unit.
type entry struct {
	report.Entry
	ID      string
	Again   string // the command that runs it again; "" = none does
	Details []block
	Stdout  []block
	Stderr  []block
	Cut     bool // its texts are left out

	Failed []failed // attempts besides the one that counts
}

// failed is an attempt that failed.
type failed struct {
	report.Attempt

	Details []block
	Stdout  []block
	Stderr  []block
}

// Long reports whether e has more to show than its line.
func (e *entry) Long() bool {
	return e.Text != "" || e.Next != "" || e.Cut || len(e.Details)+len(e.Stdout)+len(e.Stderr)+len(e.Failed) > 0
}

// Others are the outcomes of the other attempts: one by one, or how many of each.
func (e *entry) Others() []string { return others(e.Earlier) }

// Others are as those of an entry.
func (l link) Others() []string { return others(l.Earlier) }

// manyAttempts is from how many on attempts are counted and not listed.
const manyAttempts = 5

func others(outcomes []event.Outcome) []string {
	count, words := map[event.Outcome]int{}, []string{}
	for _, o := range outcomes {
		if count[o]++; len(outcomes) < manyAttempts {
			words = append(words, string(o))
		}
	}
	if len(outcomes) < manyAttempts {
		return words
	}
	for _, o := range slices.Sorted(maps.Keys(count)) {
		words = append(words, fmt.Sprintf("%d %s", count[o], o))
	}
	return words
}

// link leads to an entry.
type link struct {
	To, Unit, Title string
	Elapsed         time.Duration
	Earlier         []event.Outcome
	Outcome         event.Outcome
}

func show(r *report.Run) view {
	v := view{
		Policy: policy(), Style: template.CSS(style), Script: template.JS(script), //nolint:gosec // files of this package
		Run: r, Command: strings.Join(append([]string{"wr"}, r.Args...), " "), Verdict: judge(r), Timeline: draw(r),
	}
	ids := map[string]string{}
	for i, p := range r.Projects {
		v.Units = append(v.Units, showUnit(p, fmt.Sprintf("u%d", i+1), ids))
	}
	v.fill()
	sums := r.Sums()
	for _, k := range report.Kinds {
		v.Filters = append(v.Filters, filter{k, sums.Of(k), map[bool]string{true: "errors", false: string(k)}[k == report.Error]})
	}
	v.Flaky, v.Slowest = links(r.Flaky(), ids), links(r.Slowest(slowest), ids)
	return v
}

func showUnit(p *report.Project, id string, ids map[string]string) *unit {
	u := &unit{Project: p, ID: id, Result: result(p), Sums: p.Sums()}
	for i, one := range p.Entries() {
		e := &entry{Entry: one, ID: fmt.Sprintf("%s-%d", id, i+1)}
		ids[p.Name()+" "+one.Title] = e.ID
		if one.Bad() {
			u.Bad, e.Again = append(u.Bad, e), again(p, one)
		} else {
			u.Rest = append(u.Rest, e)
		}
	}
	return u
}

// fill gives entries their texts, first those that matter.
func (v *view) fill() {
	left := maxTexts
	for _, u := range v.Units {
		for _, e := range u.Bad {
			e.fill(&left)
		}
	}
	for _, u := range v.Units {
		for _, e := range u.Rest {
			e.fill(&left)
		}
	}
}

// fill gives e its texts, as long as there is some left for them.
func (e *entry) fill(left *int) {
	details, stdout, stderr := bounded(e.Entry.Details), bounded(e.Entry.Stdout), bounded(e.Entry.Stderr)
	size := len(details) + len(stdout) + len(stderr)
	if e.Cut = size > *left; e.Cut {
		return
	}
	*left -= size
	e.Details, e.Stdout, e.Stderr = traceback(details), plain(stdout), plain(stderr)
	for _, a := range e.Attempts {
		if a.Bad() {
			e.Failed = append(e.Failed, showFailed(a, left))
		}
	}
}

// showFailed is a with its texts, as long as there is some left for them.
func showFailed(a report.Attempt, left *int) failed {
	details, stdout, stderr := bounded(a.Details), bounded(a.Stdout), bounded(a.Stderr)
	f := failed{Attempt: a}
	if size := len(details) + len(stdout) + len(stderr); size <= *left {
		*left -= size
		f.Details, f.Stdout, f.Stderr = traceback(details), plain(stdout), plain(stderr)
	}
	return f
}

func links(cases []report.Placed, ids map[string]string) []link {
	var all []link
	for _, c := range cases {
		all = append(all, link{ids[c.Project.Name()+" "+c.ID], c.Project.Name(), c.ID, c.Elapsed, c.Earlier, c.Outcome})
	}
	return all
}

// judge is the verdict on r.
func judge(r *report.Run) verdict {
	s := r.Sums()
	bad := s.Failures + s.Errors
	switch {
	case !r.Finished:
		return verdict{"error", fmt.Sprintf("Not finished: it was cut off, or is running still. %d of %d known tests failed so far.", bad, s.Tests)}
	case r.Interrupted:
		return verdict{"error", fmt.Sprintf("Interrupted. %d of %d tests failed or never ended.", bad, s.Tests)}
	case bad > 0:
		return verdict{"failed", fmt.Sprintf("%d of %d tests failed.", bad, s.Tests)}
	case r.Exit != 0:
		return verdict{"failed", fmt.Sprintf("Failed with exit code %d.", r.Exit)}
	case s.Passed == 0:
		return verdict{"skipped", "Nothing failed, and nothing passed."}
	default:
		return verdict{"passed", fmt.Sprintf("All passed: %d tests.", s.Tests)}
	}
}

// result is how p ended, in a word or two.
func result(p *report.Project) string {
	switch {
	case p.Fault != nil:
		return p.Fault.Code
	case p.From != "":
		return string(p.Status) + ", cached"
	case p.Status == event.None:
		return "none by declaration"
	default:
		return cmp.Or(string(p.Status), "not finished")
	}
}

// again is the command that runs e again.
func again(p *report.Project, e report.Entry) string {
	if e.Title == "wr" {
		return report.Again(p.Path, "")
	}
	return report.Again(p.Path, e.Title)
}
