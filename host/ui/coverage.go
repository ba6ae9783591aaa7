package ui

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/wr-build/wr/host/report"
)

// coverage writes the line on what the tests of r have covered, and why it is not
// what was asked for. The pages of it lie with the JUnit report.
func (s Style) coverage(w io.Writer, r *report.Run, junit string) {
	c := r.Coverage
	if c == nil {
		return
	}
	fmt.Fprintf(w, "\n%s", covered(r))
	if c.Page != "" {
		page := c.Page
		if junit != "" {
			page = filepath.Join(filepath.Dir(junit), "coverage", "html", path.Base(page))
		}
		fmt.Fprintf(w, "  %s", s.paint(dim, page))
	}
	fmt.Fprintln(w)
	for _, lack := range c.Missing {
		fmt.Fprintf(w, "  %s\n", s.paint(yellow, printable("lacks "+partly(lack.Partly)+lack.Unit+": "+lack.Reason)))
	}
	for _, note := range c.Notes {
		fmt.Fprintf(w, "  %s\n", s.paint(dim, printable("coverage.py: "+note)))
	}
	if r.CoverageFault != nil {
		fmt.Fprint(w, s.Fault(r.CoverageFault))
	}
}

func partly(is bool) string {
	if is {
		return "some of "
	}
	return ""
}

// covered is "coverage 84.2% of 1,234 lines, 71.0% of branches".
func covered(r *report.Run) string {
	c := r.Coverage
	if c.Lines == 0 {
		return "coverage: nothing was measured"
	}
	text := fmt.Sprintf("coverage %s of %s lines", report.Percent(c.CoveredLines, c.Lines), thousands(c.Lines))
	if c.Branches > 0 {
		text += fmt.Sprintf(", %s of branches", report.Percent(c.CoveredBranches, c.Branches))
	}
	return text
}

// thousands is n as "1,234".
func thousands(n int) string {
	digits := strconv.Itoa(n)
	var b strings.Builder
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}
