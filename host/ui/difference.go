package ui

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/wr-build/wr/host/report"
)

// mostListed is how many cases of one kind a difference lists.
const mostListed = 20

// Difference writes what differs between two runs, what matters most first.
func Difference(w io.Writer, style Style, d report.Difference) error {
	rows := [][]string{side("before", d.Before), side("after", d.After)}
	if err := Table(w, []string{"", "RUN", "STARTED", ">PASSED", ">FAILED", ">SKIPPED", ">ERRORS", ">NOT RUN", ""}, rows); err != nil {
		return err
	}
	if d.Nothing() {
		_, err := fmt.Fprintf(w, "\n%s\n", style.paint(green, "nothing differs"))
		return err
	}
	for _, l := range []struct {
		title, sgr string
		cases      []report.CaseChange
		timed      bool
	}{
		{"newly failing", red, d.NewlyFailing, false},
		{"fixed", green, d.Fixed, false},
		{"changed", yellow, d.Changed, false},
		{"removed", yellow, d.Removed, false},
		{"added", "", d.Added, false},
		{"slower", yellow, d.Slower, true},
		{"faster", green, d.Faster, true},
	} {
		if len(l.cases) > 0 {
			fmt.Fprintf(w, "\n%s\n", style.paint(l.sgr, fmt.Sprintf("%s: %d", l.title, len(l.cases))))
		}
		for i, c := range l.cases {
			if i == mostListed {
				fmt.Fprintf(w, "  and %d more, see --json\n", len(l.cases)-i)
				break
			}
			fmt.Fprintf(w, "  %s  %s  %s\n", style.paint(bold, printable(c.Project)), oneLine(c.Title, 0), style.paint(dim, transition(c, l.timed)))
		}
	}
	return changes(w, d.Changes)
}

// side is a row of the table of both runs.
func side(name string, s report.Side) []string {
	row := append([]string{name, cmp.Or(printable(s.Run), "-"), Moment(s.Started)}, sumsNotRun(s.Sums)...)
	if !s.Finished {
		return append(row, "not finished")
	}
	return append(row, "")
}

// Moment is a time in words, "-" if it is not known.
func Moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// transition is "passed → failed", or how long it took.
func transition(c report.CaseChange, timed bool) string {
	before, after := cmp.Or(c.Before, "new"), cmp.Or(c.After, "gone")
	if timed {
		before, after = seconds(c.ElapsedBefore), seconds(c.ElapsedAfter)
	}
	return printable(before) + " → " + printable(after)
}

// changes writes what the tests ran with that is not the same.
func changes(w io.Writer, all []report.Change) error {
	if len(all) == 0 {
		return nil
	}
	rows := make([][]string, len(all))
	for i, c := range all {
		rows[i] = []string{cmp.Or(oneLine(c.Project, 0), "run"), oneLine(c.What, 0), cmp.Or(oneLine(c.Before, 0), "-"), cmp.Or(oneLine(c.After, 0), "-")}
	}
	fmt.Fprintln(w)
	return Table(w, []string{"OF", "WHAT", "BEFORE", "AFTER"}, rows)
}
