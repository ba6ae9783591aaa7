package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/lint"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// lintCmd is `wr lint [TARGET...]`.
type lintCmd struct {
	Targets    []string `arg:"" predictor:"project" optional:"" name:"target" help:"Projects, directories in them, or files; default: the nearest project above."`
	Recursive  bool     `short:"r" help:"Also all projects below."`
	Fix        bool     `help:"Mend what can be mended safely, and say what is left."`
	Changed    bool     `xor:"which" help:"Only files that are not as in the last commit."`
	Staged     bool     `xor:"which" help:"Only files that are staged for the next commit, as they are in the work tree."`
	Linter     []string `predictor:"linter" placeholder:"NAME,..." help:"Only these linters."`
	FailOn     string   `enum:"error,warning,info" default:"error" help:"The mildest severity that fails: error, warning or info."`
	Sarif      string   `placeholder:"FILE" help:"Write findings as SARIF 2.1.0."`
	Junit      string   `placeholder:"FILE" help:"Write findings as JUnit XML."`
	AllowEmpty bool     `help:"That linters have no files to look at is no failure."`
}

// Help is the long form.
func (lintCmd) Help() string {
	return "A linter is a plugin that was added and lints or formats, or a table [lint.NAME] in wr.toml: a command that runs in the container of its project, or of another, sees the files that its globs match and git knows, and can write nothing. What it said of a file is kept, and said again as long as the file, the linter, its image and its inputs are the same; where all is, no engine is touched. See docs/lint.md.\n\nExit codes: 0 nothing found that fails, 1 something, or no linter or no file was found, 2 bad usage, 3 a linter could not be run, 130 interrupted."
}

// Prepare finds out which linters look at which files.
func (c *lintCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	l, err := c.linting(ctx, a)
	if err != nil {
		return deed{}, err
	}
	o, err := a.openWith(ctx, &lazy{connect: a.connect}, l.ws, choice{projects: l.lenders()})
	if err != nil {
		return deed{}, err
	}
	l.engine = o.engine
	return deed{
		show: l.show,
		do: func() error {
			selected, err := a.selectMaking(ctx, o)
			if err != nil {
				return err
			}
			return l.do(ctx, selected)
		},
		end: o.engine.Close,
	}, nil
}

// show prints what would be looked at.
func (l *linting) show() error {
	if l.JSON {
		return l.printJSON(append(orEmpty(l.planned), l.asPlanned()...))
	}
	for _, p := range l.planned {
		fmt.Fprintf(l.Out, "would run %s on %s of %s, in the container of %s\n", p.Linter, ui.Count(len(p.Files), "file"), p.Project, p.Container)
	}
	for _, p := range l.allPlugged() {
		fmt.Fprintf(l.Out, "would run %s on %s of %s, in its sandbox\n", p.Linter, ui.Count(len(p.Files), "file"), p.Project)
	}
	return nil
}

// do lints, tells what was found, and ends wr with the code of that.
func (l *linting) do(ctx context.Context, selected []plan.Selected) error {
	store, err := cache.Open(filepath.Join(l.cacheDir(), "results"), cache.Options{})
	if err != nil {
		l.warnOf(fault.Of(err)) // what is known is worked out again
	}
	jobs, broken := l.work(selected)
	inSandbox, asking, err := l.pluginJobs(ctx, store)
	if err != nil {
		return err
	}
	jobs = append(jobs, inSandbox...)
	config := lint.Config{Tree: l.tree, Cache: store, Jobs: l.jobs(), Now: time.Now, Wrote: asking.wrote}
	carry := lint.Do
	if l.cmd.Fix {
		carry = lint.Fix
	}
	result := carry(ctx, jobs, config)
	if err := asking.Close(ctx); err != nil {
		l.warnOf(fault.Of(err))
	}
	result.Linters = append(result.Linters, broken...)
	slices.SortStableFunc(result.Linters, func(a, b report.Linted) int { return l.order(a, b) })
	result.Version, result.Fault = Version(), l.empty(result)
	result.Exit = report.LintExitCode(result, abi.Severity(l.cmd.FailOn))
	if err := errors.Join(store.Close(), l.index.Close()); err != nil {
		l.warnOf(fault.Of(err))
	}
	var recording errgroup.Group
	recording.Go(func() error { return l.record(result) })
	if err := errors.Join(l.tell(result), recording.Wait()); err != nil {
		return err
	}
	if result.Exit != 0 {
		return exit(result.Exit)
	}
	return nil
}

// empty is the fault of having looked at nothing where something was to be looked
// at, and nil where that is as it should be.
func (l *linting) empty(r *report.Lint) *fault.Error {
	broken := slices.ContainsFunc(r.Linters, func(one report.Linted) bool { return one.Fault != nil })
	if r.Files > 0 || broken || l.cmd.AllowEmpty || l.some {
		return nil
	}
	return &fault.Error{
		Code: "lint.no_files", Class: fault.Failed, Message: "no linter has found a file to look at",
		Next: "look at files = [...] of [lint.NAME], or allow it with --allow-empty",
	}
}

// writeReport writes a report to a file, "" being none.
func (a *app) writeReport(name string, write func(*os.File) error) error {
	if name == "" {
		return nil
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(a.dir, name)
	}
	f, err := os.Create(name)
	if err != nil {
		return &fault.Error{Code: "lint.no_report", Class: fault.Usage, Message: err.Error(), Err: err, Next: "name a file that you may write"}
	}
	return errors.Join(write(f), f.Close())
}
