package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/report/page"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// reportCmd is `wr report`.
type reportCmd struct {
	Show reportShowCmd `cmd:"" default:"withargs" help:"Show how a run of tests ended: as text, as a page, as JUnit or JSON."`
	Ls   reportLsCmd   `cmd:"" help:"List the runs that are kept."`
	Diff reportDiffCmd `cmd:"" help:"What differs between two runs: images, settings, outcomes, durations."`
}

// reportShowCmd is `wr report [RUN]`.
type reportShowCmd struct {
	Run    string `arg:"" predictor:"run" optional:"" default:"latest" name:"run" help:"An id, what only one id begins with, its last part, latest, which is the default, or a directory with the events.ndjson of a run."`
	HTML   bool   `name:"html" help:"Write the page of the run beside its events, one file that needs nothing else, or to --output."`
	Open   bool   `help:"As --html, and open it; where there is no display, print where it is."`
	JUnit  bool   `name:"junit" help:"Print its JUnit report, made anew from its events, or write it to --output."`
	Output string `short:"o" placeholder:"FILE" help:"Where --html or --junit is written; -: stdout."`
}

// Help is the long form.
func (reportShowCmd) Help() string {
	return "All of it is made from the events of the run and from nothing else. Showing a run that failed, or that was cut off, is no failure. With --json it is one document, see docs/reports.md."
}

// Prepare reads the run.
func (c *reportShowCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	if err := c.check(a); err != nil {
		return deed{}, err
	}
	dir, err := a.runDir(ctx, c.Run)
	if err != nil {
		return deed{}, err
	}
	var failures bytes.Buffer
	style := a.style(a.Out)
	style.Quiet = true
	lines := ui.NewLines(&failures, style)
	r, err := dir.Load(lines)
	if err = firstError(err, lines.Close()); err != nil {
		return deed{}, firstError(err, dir.Close())
	}
	read := func() error { return a.printReport(dir, r, failures.String()) }
	d := deed{show: read, do: read, end: dir.Close}
	if c.writes() {
		d.do = func() error { return c.write(ctx, a, dir, r) }
		if c.Output != "-" && (c.page() || c.Output != "") {
			d.show = a.would("write", relative(c.path(a, dir), a.dir))
		} else {
			d.show = d.do
		}
	}
	return d, nil
}

// check refuses flags that do not go together.
func (c *reportShowCmd) check(a *app) error {
	var message string
	switch {
	case c.JUnit && c.page():
		message = "--junit goes with neither --html nor --open"
	case c.Output != "" && !c.writes():
		message = "--output is where --html or --junit is written"
	case c.Open && c.Output == "-":
		message = "--open opens a file, and --output - is none"
	case a.JSON && (c.JUnit || c.Output == "-"):
		message = "--json and another form cannot both be on stdout"
	default:
		return nil
	}
	return &fault.Error{Code: "cli.usage", Class: fault.Usage, Message: message, Next: "wr report --help"}
}

func (c *reportShowCmd) page() bool   { return c.HTML || c.Open }
func (c *reportShowCmd) writes() bool { return c.page() || c.JUnit }

// path is the file that is written.
func (c *reportShowCmd) path(a *app, dir testrun.RunDir) string {
	switch {
	case c.Output == "":
		return filepath.Join(dir.Path, testrun.PageFile)
	case filepath.IsAbs(c.Output):
		return c.Output
	default:
		return filepath.Join(a.dir, c.Output)
	}
}

// write writes the form that is asked for to where it is asked for.
func (c *reportShowCmd) write(ctx context.Context, a *app, dir testrun.RunDir, r *report.Run) error {
	fill := func(w io.Writer) error { return page.Write(w, r) }
	if c.JUnit {
		fill = func(w io.Writer) error { return report.JUnit(w, r) }
	}
	if c.Output == "-" || c.JUnit && c.Output == "" {
		return fill(a.Out)
	}
	path := c.path(a, dir)
	var err error
	if c.Output == "" {
		_, err = dir.Keep(testrun.PageFile, fill)
	} else {
		err = writeFile(path, fill)
	}
	if err != nil {
		return err
	}
	if c.Open && !a.JSON && a.openFile(ctx, path) {
		return nil
	}
	if a.JSON {
		return a.printJSON(map[string]string{"run": r.ID, "file": path})
	}
	_, err = fmt.Fprintln(a.Out, relative(path, a.dir))
	return err
}

// runDir opens the run that a person names. Why names of runs come first: what
// lies in the current directory must not decide what "latest" means.
func (a *app) runDir(ctx context.Context, name string) (testrun.RunDir, error) {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(a.dir, path)
	}
	if filepath.Base(path) == testrun.EventsFile {
		path = filepath.Dir(path)
	}
	if strings.ContainsRune(name, filepath.Separator) || name == "." || name == ".." || name == testrun.EventsFile {
		return testrun.OpenDir(path)
	}
	dir, err := a.runOfWorkspace(ctx, name)
	if info, there := os.Stat(path); err != nil && there == nil && info.IsDir() {
		return testrun.OpenDir(path)
	}
	return dir, err
}

func (a *app) runOfWorkspace(ctx context.Context, name string) (testrun.RunDir, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return testrun.RunDir{}, err
	}
	return testrun.Find(ws.Root, name)
}

// printReport prints r as its end was shown, with what it failed for.
func (a *app) printReport(dir testrun.RunDir, r *report.Run, failures string) error {
	if a.JSON {
		return a.printJSON(r.Document())
	}
	style := a.style(a.Out)
	fmt.Fprintf(a.Out, "run %s  %s  wr %s\n", cmp.Or(r.ID, dir.ID), ui.Moment(r.Started), strings.Join(r.Args, " "))
	fmt.Fprint(a.Out, failures)
	junit := ""
	if dir.Has(testrun.JUnitFile) {
		junit = filepath.Join(relative(dir.Path, a.dir), testrun.JUnitFile)
	}
	if err := ui.Summary(a.Out, style, r, junit); err != nil {
		return err
	}
	if f := unfinished(dir, r); f != nil {
		fmt.Fprint(a.Out, style.Warning(f))
	}
	return nil
}

// unfinished says why r has no end; nil when it has one.
func unfinished(dir testrun.RunDir, r *report.Run) *fault.Error {
	if r.Finished {
		return nil
	}
	f := &fault.Error{
		Code: "run.cut_off", Message: fmt.Sprintf("this run was cut off after %d events: what came later is not known", r.Events),
		Next: "run the tests again",
	}
	if dir.Alive() {
		f.Code, f.Message, f.Next = "run.alive", "this run goes on", ""
	}
	var running []string
	for _, p := range r.Projects {
		for _, id := range p.Running() {
			running = append(running, "running then: "+p.Name()+" "+id)
		}
	}
	f.Details = strings.Join(running, "\n")
	return f
}
