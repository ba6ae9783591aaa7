package ui

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
)

// Summary writes the table that closes a run, and where its JUnit report is; ""
// = it has none.
func Summary(w io.Writer, style Style, r *report.Run, junit string) error {
	total := r.Sums()
	cells, header := sums, []string{"PROJECT", "IMAGE", ">PASSED", ">FAILED", ">SKIPPED", ">ERRORS", ">TIME", "RESULT"}
	if total.NotRun > 0 { // a column for what is rare would only be in the way
		cells, header = sumsNotRun, slices.Insert(header, 6, ">NOT RUN")
	}
	var rows [][]string
	for _, p := range r.Projects {
		rows = append(rows, slices.Concat([]string{p.Name(), imageOf(p)}, cells(p.Sums()), []string{seconds(p.Elapsed), resultOf(p)}))
	}
	if len(r.Projects) > 1 {
		rows = append(rows, slices.Concat([]string{"total", ""}, cells(total), []string{seconds(r.Elapsed), ""}))
	}
	fmt.Fprintln(w)
	if err := Table(w, header, rows); err != nil {
		return err
	}
	if len(r.Personal) > 0 {
		fmt.Fprintf(w, "\n%s\n", style.paint(dim, "with settings of your own: "+personal(r.Personal)))
	}
	if text := left(r); text != "" {
		fmt.Fprintf(w, "\n%s\n", style.paint(dim, text))
	}
	if text := notHere(r); text != "" {
		fmt.Fprintf(w, "\n%s\n", style.paint(yellow, text))
	}
	if flaky := r.Flaky(); len(flaky) > 0 {
		fmt.Fprintln(w)
		for _, c := range flaky {
			fmt.Fprintf(w, "%s %s %s  %s\n", style.paint(yellow, "flaky:"), c.Project.Name(), printable(c.ID), style.paint(dim, attempts(c)))
		}
	}
	style.coverage(w, r, junit)
	_, err := fmt.Fprintf(w, "\n%s  %s\n", style.verdict(r), style.paint(dim, cmp.Or(junit, "no junit.xml")))
	return err
}

// notHere says what wr, which ran in the container of one project, left to others.
func notHere(r *report.Run) string {
	var words []string
	for _, n := range r.NotHere() {
		words = append(words, fmt.Sprintf("%d in the container of %s", n.Cases, n.Container))
	}
	if words == nil {
		return ""
	}
	return "not here, which is the container of " + r.Here + ": " + strings.Join(words, ", ")
}

// attempts lists how those of a case ended: "failed, errored, passed".
func attempts(c report.Placed) string {
	var words []string
	for _, o := range append(slices.Clone(c.Earlier), c.Outcome) {
		words = append(words, string(o))
	}
	return strings.Join(words, ", ")
}

// personal lists what one person alone has set.
func personal(settings []event.Setting) string {
	var words []string
	for _, s := range settings {
		words = append(words, s.Key+" = "+s.Text())
	}
	return strings.Join(words, ", ")
}

func sums(s report.Sums) []string {
	return []string{strconv.Itoa(s.Passed), strconv.Itoa(s.Failures), strconv.Itoa(s.Skipped), strconv.Itoa(s.Errors)}
}

func sumsNotRun(s report.Sums) []string { return append(sums(s), strconv.Itoa(s.NotRun)) }

// imageOf is the image that a project ran in, with a mark if it is not that of
// its inputs.
func imageOf(p *report.Project) string {
	if p.Wanted != "" {
		return shortImage(p.Image) + " OTHER INPUTS"
	}
	return shortImage(p.Image)
}

// shortImage is the start of the tag, enough to see whether two projects or
// two runs used the same image.
func shortImage(ref string) string {
	_, tag, tagged := strings.Cut(path.Base(ref), ":")
	if !tagged {
		return "-"
	}
	return tag[:min(12, len(tag))]
}

// resultOf is one word or two on how a project ended.
func resultOf(p *report.Project) string {
	switch {
	case p.Status == event.TimedOut:
		return string(p.Status)
	case p.Fault != nil:
		return p.Fault.Code
	case len(p.Checks) > 0:
		return p.Checks[0].Fault.Code
	case p.Status == event.None:
		return "none by declaration"
	case p.Status == "":
		return "not finished"
	case p.From != "":
		return string(p.Status) + ", cached"
	default:
		return string(p.Status)
	}
}

// cached says how many projects did not have to be tested.
func cached(r *report.Run) string {
	n := 0
	for _, p := range r.Projects {
		if p.From != "" {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of %d projects cached", n, len(r.Projects))
}

// verdict is the last line: what a tired person reads.
func (s Style) verdict(r *report.Run) string {
	bad, other, stopped := 0, 0, 0
	for _, p := range r.Projects {
		if p.Wanted != "" {
			other++
		}
		if len(p.Checks) > 0 {
			bad++
			continue
		}
		switch p.Status {
		case event.OK, event.None:
		case event.Stopped:
			stopped++
		default:
			bad++
		}
	}
	tests := fmt.Sprintf("%s in %s", Count(r.Total().Collected, "test"), seconds(r.Elapsed)) + cached(r)
	if stopped > 0 {
		tests += fmt.Sprintf(", %d stopped", stopped)
	}
	if other > 0 {
		tests += fmt.Sprintf(", %d of %d projects in an image of other inputs", other, len(r.Projects))
	}
	flaky := len(r.Flaky())
	if flaky > 0 {
		tests += fmt.Sprintf(", %d flaky", flaky)
	}
	if r.Shuffle != "" && r.Exit != 0 {
		tests += ", in the order of --shuffle " + r.Shuffle
	}
	switch {
	case !r.Finished:
		return s.paint(yellow, "not finished") + ": " + tests + " so far"
	case r.Interrupted:
		return s.paint(yellow, "interrupted") + " after " + tests
	case bad > 0:
		return s.paint(red, fmt.Sprintf("%d of %d projects failed", bad, len(r.Projects))) + ", " + tests
	case r.FailOnFlaky && flaky > 0:
		return s.paint(red, "flaky cases fail this run") + ", " + tests
	case r.CoverageFault != nil:
		return s.paint(red, "all passed, but not the coverage") + ", " + tests
	case r.Total().Passed+r.Total().XFailed+r.Total().XPassed == 0:
		return s.paint(yellow, "nothing was run") + ", " + tests
	default:
		return s.paint(green, "all passed") + ", " + tests
	}
}
