package ui

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/wr-build/wr/host/report"
)

// Cases lists the cases of r that were only to be listed, as targets of `wr test`
// in the workspace's root, with the container and the suite in which each runs
// and where it is written.
func Cases(w io.Writer, r *report.Run) error {
	var rows [][]string
	for _, p := range r.Projects {
		for _, c := range p.Cases {
			if !p.CollectOnly {
				break
			}
			rows = append(rows, []string{
				printable(report.Target(p.Path, c.ID)), cmp.Or(p.Container, p.Path), cmp.Or(c.Suite, "-"), position(c.File, c.Line),
			})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	return Table(w, []string{"CASE", "CONTAINER", "SUITE", "AT"}, rows)
}

// Unsuited says which cases of r are not in exactly one suite, and how many.
func Unsuited(w io.Writer, style Style, r *report.Run) (int, error) {
	n := 0
	for _, p := range r.Projects {
		for _, c := range p.Cases {
			if c.Suite != "" && len(c.AlsoIn) == 0 {
				continue
			}
			problem := "is in no suite"
			if c.Suite != "" {
				problem = fmt.Sprintf("is in suite %s and also in %s", c.Suite, strings.Join(c.AlsoIn, ", "))
			}
			n++
			if _, err := fmt.Fprintf(w, "%s %s %s\n", style.paint(dim, position(c.File, c.Line)), printable(report.Target(p.Path, c.ID)), problem); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// left says how many cases are in suites that were not asked for, and how to
// run them.
func left(r *report.Run) string {
	var parts []string
	asked := []string{}
	for _, s := range r.LeftSuites() {
		name := "in suite " + s.Suite
		if s.Suite == "" {
			name, s.Suite = "in no suite", "all"
		}
		parts, asked = append(parts, fmt.Sprintf("%d %s", s.Cases, name)), append(asked, s.Suite)
	}
	if len(parts) == 0 {
		return ""
	}
	return "not asked for: " + strings.Join(parts, ", ") + "  (--suite " + strings.Join(asked, ",") + ")"
}
