package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/suite"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// pytestFlags are those of pytest's own that are typed most, and mean what they
// mean there. All others come after "--".
type pytestFlags struct {
	Keyword     string `short:"k" name:"keyword" placeholder:"EXPRESSION" help:"As in pytest: only cases whose names match."`
	Marks       string `short:"m" name:"marks" placeholder:"EXPRESSION" help:"As in pytest: only cases whose marks match."`
	Exitfirst   bool   `short:"x" name:"exitfirst" help:"As in pytest: stop at the first failure, in each container."`
	NoCapture   bool   `short:"s" name:"no-capture" help:"As in pytest: what tests print goes right to the log."`
	LastFailed  bool   `name:"lf" aliases:"last-failed" help:"As in pytest: only what failed last, or all."`
	FailedFirst bool   `name:"ff" aliases:"failed-first" help:"As in pytest: what failed last comes first."`
	CollectOnly bool   `name:"co" aliases:"collect-only" help:"As in pytest: list the cases and run none."`
	FailFast    bool   `name:"fail-fast" help:"The first failure ends the whole run: -x, and no other container goes on."`
	Continue    bool   `help:"Run what can be collected, though some files cannot."`
	Durations   *int   `name:"durations" placeholder:"N" help:"List the N slowest cases of all containers; 0: all."`
}

// args are the arguments for pytest. Durations are wr's own: pytest knows those
// of one container.
func (f pytestFlags) args(verbose int) []string {
	var args []string
	for _, one := range []struct {
		flag  string
		given bool
	}{
		{"-x", f.Exitfirst || f.FailFast},
		{"--continue-on-collection-errors", f.Continue},
		{"-s", f.NoCapture},
		{"--lf", f.LastFailed},
		{"--ff", f.FailedFirst},
		{"--co", f.CollectOnly},
		{"-" + strings.Repeat("v", verbose), verbose > 0},
	} {
		if one.given {
			args = append(args, one.flag)
		}
	}
	if f.Keyword != "" {
		args = append(args, "-k", f.Keyword)
	}
	if f.Marks != "" {
		args = append(args, "-m", f.Marks)
	}
	return args
}

// suites are those that are to run. Where marks say what runs, suites do not.
func (c *testCmd) suites(ws *workspace.Workspace, projects []workspace.Project, rest []string) (suite.Choice, error) {
	marks := c.Marks != "" || slices.ContainsFunc(rest, func(arg string) bool { return strings.HasPrefix(arg, "-m") })
	switch {
	case c.Check && !c.CollectOnly:
		return suite.Choice{}, &fault.Error{Code: "cli.usage", Class: fault.Usage, Message: "--check goes with --co", Next: "wr test --co --check"}
	case c.Check || marks && len(c.Suite) == 0:
		return suite.Everything, nil
	default:
		return suite.Chosen(ws, projects, c.Suite)
	}
}

// predictSuites are the words that name suites.
func predictSuites(ws *workspace.Workspace) []string {
	return append(suite.Names(ws, ws.Projects), config.AllSuites)
}

// more says what was asked for besides the result. It fails if --check does.
func (c *testCmd) more(a *app, r *report.Run) error {
	if a.JSON { // the events hold it all
		return c.checkSuites(a.Err, a, r)
	}
	return errors.Join(c.slowest(a.Out, r), c.checkSuites(a.Out, a, r))
}

// checkSuites is --check.
func (c *testCmd) checkSuites(w *os.File, a *app, r *report.Run) error {
	if !c.Check {
		return nil
	}
	fmt.Fprintln(w)
	n, err := ui.Unsuited(w, a.style(w), r)
	if err == nil && n > 0 {
		err = &fault.Error{
			Code: "suite.unclear", Class: fault.Failed, Message: fmt.Sprintf("%d cases are not in exactly one suite", n),
			Next: "have the marks expressions of [suites] in wr.toml tell them apart",
		}
	}
	return err
}

// slowest lists the slowest cases, if that is asked for.
func (f pytestFlags) slowest(w io.Writer, r *report.Run) error {
	if f.Durations == nil {
		return nil
	}
	n := *f.Durations
	if n <= 0 {
		n = r.Total().Collected
	}
	var rows [][]string
	for _, c := range r.Slowest(n) {
		rows = append(rows, []string{strconv.FormatFloat(c.Elapsed.Seconds(), 'f', 2, 64) + "s", c.Project.Name(), c.ID})
	}
	fmt.Fprintln(w)
	return ui.Table(w, []string{">TIME", "PROJECT", "SLOWEST CASES"}, rows)
}
