package cli

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
	attemptFlags
	coverageFlags
	cacheFlags
	debugFlags
	lastFlag
	limitFlags
}

// Help is the long form.
func (testCmd) Help() string {
	return "The flags of pytest that are typed most are wr's as well, and everything after -- goes to pytest: wr test infra -k login -- --maxfail 3\n\n@pytest.mark.container(\"optimizer\") on a test, a class, a module or a set of parameters has it run in the container of that project, or in that image of [images]; [test] container in wr.toml says so for all that have no mark. Plugins that find tests, such as testlist, say it for those that lists of the repository name; see docs/tests.md.\n\nA case that takes longer than --case-timeout, or kills its process, costs its own result and no other: the cases after it go on in a new process. One that passed only after it had failed is flaky: it is listed, and fails nothing without --fail-on-flaky. Every attempt is kept: wr report.\n\n--coverage makes one sum of what the tests of all containers cover, in .wr/runs/ID/coverage; see docs/tests.md.\n\nIn a container of wr's, as with wr exec PROJECT -- ./wr test, and with --here in any other that has the project's image, such as a job of CI, the tests run as processes beside wr, with the same report. Which project's container it is WR_PROJECT says, else the project that is asked for; cases of other containers are counted as not here.\n\nExit codes: 0 all passed, 1 something failed, nothing was collected or too little is covered, 2 bad usage, 3 something could not be tested, 124 a project reached its time limit, 130 interrupted. The limits hold for each project by itself."
}

// Prepare finds out what is to be tested.
func (c *testCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	t, err := c.testPlan(ctx, a, slices.Concat(c.pytestFlags.args(a.Verbose), c.debugFlags.args(), a.rest))
	if err != nil {
		return deed{}, err
	}
	if c.Here || a.inContainer(t.ws) {
		return t.prepareHere(ctx)
	}
	if err := t.open(ctx); err != nil {
		return deed{}, a.orHere(err)
	}
	return a.deedOn(ctx, t.opened, t.show, func(selected []plan.Selected) error { return t.do(ctx, selected) }), nil
}

// test carries out p, shows it with what is more to say of it, and ends wr with
// the code of its result.
func (a *app) test(ctx context.Context, p plan.Plan, c testrun.Config, more func(*report.Run) error) error {
	view := a.view(p, &c)
	c.Now, c.Version = time.Now, Version()
	c.Builds, c.Args, c.Sinks = min(buildsAtOnce, a.jobs()), a.args, append(c.Sinks, view)
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

// view is how the events of p are shown. Where pytest is to have the terminal,
// it is also what lends it.
func (a *app) view(p plan.Plan, c *testrun.Config) ui.Sink {
	switch {
	case p.Debug().Terminal:
		s := newStage(a)
		c.Terminal = s
		return s
	case a.JSON:
		return ui.NewJSON(a.Out)
	default:
		return a.drawing(a.Out)
	}
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
