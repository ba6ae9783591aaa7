package cli

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/history"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// testCmd is `wr test [PROJECT...]`.
type testCmd struct {
	Targets    []string `arg:"" predictor:"project" optional:"" name:"project" help:"Projects, test files or node ids; default: the nearest project above."`
	Recursive  bool     `short:"r" help:"Also all projects below."`
	Fresh      bool     `help:"In containers that are used for nothing else."`
	Here       bool     `help:"Where wr itself runs in the project's container, or in one of its image: test in there, without an engine."`
	Suite      []string `predictor:"suite" placeholder:"NAME,..." help:"The suites to run, or all. Default: fast, and whatever is named as a node id or by -m."`
	Check      bool     `help:"With --co: fail if a case is in no suite, or in several."`
	AllowEmpty bool     `help:"Finding no tests is no failure."`
	pytestFlags
	lastFlag
	limitFlags
}

// Help is the long form.
func (testCmd) Help() string {
	return "The flags of pytest that are typed most are wr's as well, and everything after -- goes to pytest: wr test infra -k login -- --maxfail 3\n\n@pytest.mark.container(\"optimizer\") on a test, a class, a module or a set of parameters has it run in the container of that project; [test] container in wr.toml says so for all that have no mark.\n\nIn a container of wr's, as with wr exec PROJECT -- wr test, and with --here in any other that has the project's image, such as a job of CI, the tests run as processes beside wr, with the same report. Which project's container it is WR_PROJECT says, else the project that is asked for; cases of other containers are counted as not here.\n\nExit codes: 0 all passed, 1 something failed or nothing was collected, 2 bad usage, 3 something could not be tested, 124 a project reached its time limit, 130 interrupted. The limits hold for each project by itself."
}

// Prepare finds out what is to be tested.
func (c *testCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	limits, err := c.limits()
	if err != nil {
		return deed{}, err
	}
	ws, chosen, err := a.chosen(ctx, c.Targets, c.Recursive)
	if err != nil {
		return deed{}, err
	}
	suites, err := c.suites(ws, chosen.projects, a.rest)
	if err != nil {
		return deed{}, err
	}
	args := slices.Concat(c.args(a.Verbose), a.rest)
	if c.Here || a.inContainer(ws) {
		return c.prepareHere(ctx, a, ws, chosen, plan.Options{Args: args, Paths: chosen.paths, Suites: suites, AllowEmpty: c.AllowEmpty, Limits: limits})
	}
	parts, err := placeTests(ctx, ws, &chosen, args)
	if err != nil {
		return deed{}, err
	}
	o, err := a.openAll(ctx, ws, chosen)
	if err != nil {
		return deed{}, a.orHere(err)
	}
	o.useLast = c.UseLast
	caller, err := a.caller(o.ws)
	if err != nil {
		return deed{}, errors.Join(err, o.engine.Close())
	}
	mine, err := a.personal(ctx, o.ws)
	if err != nil {
		return deed{}, errors.Join(err, o.engine.Close())
	}
	draw := func(selected []plan.Selected) plan.Plan {
		a.grantAll(o.ws, selected)
		lenders := parts.complete(selected, len(o.projects), o.ws)
		options := plan.Options{
			Args: args, Paths: o.paths, Suites: suites, AllowEmpty: c.AllowEmpty, HostEnv: a.hostEnv(o.involved()...), Caller: caller, Fresh: c.Fresh,
			Pace:   plan.Pace{History: history.Load(o.ws.Root), Jobs: a.jobs(), CPUs: runtime.NumCPU()},
			Limits: limits, NoBuild: !a.mayBuild(o.ws), Lenders: lenders,
		}
		a.addPersonal(&options, mine)
		return plan.TestRun(o.ws, selected[:len(o.projects)], options)
	}
	return a.deedOn(ctx, o,
		func(selected []plan.Selected) error { return a.printPlan(draw(selected)) },
		func(selected []plan.Selected) error {
			p := draw(selected)
			for _, s := range selected {
				a.sayTestRights(s)
			}
			return a.test(ctx, p, testrun.Config{
				Builder: o.engine, Puller: o.engine, Runner: o.engine, Jobs: a.jobs(), Owner: caller, Personal: recorded(mine), FailFast: c.FailFast,
			}, func(r *report.Run) error { return c.more(a, r) })
		},
	), nil
}

// test carries out p, shows it with what is more to say of it, and ends wr with
// the code of its result.
func (a *app) test(ctx context.Context, p plan.Plan, c testrun.Config, more func(*report.Run) error) error {
	var view ui.Sink = ui.NewJSON(a.Out)
	if !a.JSON {
		view = a.drawing(a.Out)
	}
	c.Now, c.Version = time.Now, Version()
	c.Builds, c.Args, c.Sinks = min(buildsAtOnce, a.jobs()), a.args, []event.Sink{view}
	result, dir, err := testrun.Do(ctx, p, c)
	junit := ""
	if err == nil {
		junit = filepath.Join(relative(dir.Path, a.dir), testrun.JUnitFile)
	}
	err = errors.Join(err, view.Close())
	if !a.JSON && result != nil {
		err = errors.Join(err, ui.Cases(a.Out, result), ui.Summary(a.Out, a.style(a.Out), result, junit))
	}
	if result != nil {
		err = errors.Join(err, more(result))
		a.tellGitHub(result, p.Root)
	}
	if err != nil {
		return err // what could not be recorded or shown is no result
	}
	if result.Exit != 0 {
		return exit(result.Exit)
	}
	return nil
}

// contradiction is the fault of a project that declares to have no tests and
// has some: one of the two is a mistake, and no report may hide it.
func contradiction(ws *workspace.Workspace, p workspace.Project) *fault.Error {
	if p.Fault != nil || p.Config.Test.None == "" {
		return nil //nolint:nilerr // a broken project is told as that
	}
	found := testFile(ws, p)
	if found == "" {
		return nil
	}
	return &fault.Error{
		Code: "test.none_but_tests", Class: fault.Failed, Message: p.Path + " says it has no tests, but there is " + found,
		File: filepath.ToSlash(filepath.Join(p.Path, "wr.toml")), Line: p.Config.Line("test.none"),
		Next: "remove [test] none, or the file",
	}
}

// testFile is the first file of p, by name, that pytest would collect.
func testFile(ws *workspace.Workspace, p workspace.Project) (found string) {
	nested := map[string]bool{}
	for _, path := range ws.NestedIn(p) {
		nested[filepath.Join(ws.Root, filepath.FromSlash(path))] = true
	}
	_ = filepath.WalkDir(p.Dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case d.IsDir() && (nested[path] || strings.HasPrefix(d.Name(), ".") && path != p.Dir):
			return fs.SkipDir
		case d.Type().IsRegular() && isTestFile(d.Name()):
			found = relative(path, p.Dir)
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// isTestFile is pytest's own default of python_files.
func isTestFile(name string) bool {
	stem, isPython := strings.CutSuffix(name, ".py")
	return isPython && (strings.HasPrefix(stem, "test_") || strings.HasSuffix(stem, "_test"))
}

// relative is path seen from dir when it lies in there, else path.
func relative(path, dir string) string {
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
