package testrun

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// combineProgram makes one of the data of all units, in one of their containers.
//
//go:embed plugin/wr_combine.py
var combineProgram []byte

// Names in the directory of a run, and where they are in the container.
const (
	combineFolder = "combine" // gone once that has succeeded
	combineName   = "wr_combine.py"
	combinePlan   = "plan.json"
	totalsFile    = "totals.json"
	unitsTarget   = spec.Internal + "/units"
)

// totalsSize bounds what is read of the result, in bytes.
const totalsSize = 64 << 20

// lastMoment is how long a run that was interrupted still combines.
const lastMoment = time.Minute

// coverage tells what all units have covered, together, if that was
// asked for: also of a run that failed or was interrupted, as far as it came.
func (d *doing) coverage(ctx context.Context, result *report.Run) {
	units := d.unitsMeasured(result)
	if len(units) == 0 {
		return
	}
	if ctx.Err() != nil {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(context.WithoutCancel(ctx), lastMoment)
		defer stop()
	}
	found := &event.Coverage{Minimum: d.CoverageMin, Missing: missing(units)}
	err := d.combine(ctx, units, found)
	e := event.Event{Type: event.CoverageMade, Coverage: found}
	switch {
	case err != nil:
		e.Fault = cmp.Or(fault.Disk(err, d.dir.Path), fault.Of(err))
	case unmeasured(units) != nil:
		e.Fault = unmeasured(units)
	case tooLow(found.Covered, found.Minimum):
		e.Fault = &fault.Error{
			Code: "test.coverage_low", Class: fault.Failed,
			Message: fmt.Sprintf("%s of the lines are covered, and --coverage-min asks for %g%%", report.Percent(found.CoveredLines, found.Lines), found.Minimum),
			Next:    "open " + found.Page + " to see which are not",
		}
	}
	d.stream.Emit(e)
}

func tooLow(c event.Covered, minimum float64) bool {
	return float64(c.CoveredLines)*100 < minimum*float64(c.Lines) || c.Lines == 0 && minimum > 0
}

// combine makes one of all data, with its pages, and fills in found.
func (d *doing) combine(ctx context.Context, units []unitMeasured, found *event.Coverage) error {
	units = slices.DeleteFunc(slices.Clone(units), func(u unitMeasured) bool { return !u.usable() })
	if len(units) == 0 {
		return nil
	}
	c, err := d.newCombining(units)
	if err != nil {
		return err
	}
	defer c.Close()
	exit, err := d.Runner.Run(ctx, c.container(d), c.process(), spec.Stdio{In: c.dir.null, Out: c.dir.log, Err: c.dir.log})
	if err == nil && exit.Code != 0 {
		err = errors.New(howItEnded(exit))
	}
	if err == nil {
		err = c.read(found)
	}
	if err != nil {
		return &fault.Error{
			Code: "test.coverage_failed", Message: fmt.Sprintf("what the tests have covered could not be combined: %v", err), Details: c.dir.logTail(), Err: err,
			Next: "see " + filepath.Join(c.dir.path, logFile),
		}
	}
	found.Page = path.Join(filepath.Base(state.Path("")), runsFolder, d.dir.ID, coverageFolder, "html", "index.html")
	c.forget(units)
	return nil
}

// combining is one pass of combine.
type combining struct {
	run RunDir
	in  unitMeasured // whose container it is
	dir *unitDir     // of its own
	out state.Folder
}

// newCombining makes what is needed on disk. Why the newest Python of all:
// it reads the sources of all.
func (d *doing) newCombining(units []unitMeasured) (c *combining, err error) {
	c = &combining{run: d.dir, in: slices.MaxFunc(units, older)}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if c.out, err = d.dir.run.Fresh(coverageFolder); err != nil {
		return c, err
	}
	made, err := d.dir.run.Fresh(combineFolder)
	if err != nil {
		return c, err
	}
	c.dir = &unitDir{Folder: made, path: filepath.Join(d.dir.Path, combineFolder)}
	return c, c.dir.prepare(units)
}

func older(a, b unitMeasured) int {
	if n := semver.Compare("v"+a.PythonVersion, "v"+b.PythonVersion); n != 0 {
		return n
	}
	return semver.Compare("v"+a.Coverage, "v"+b.Coverage)
}

// prepare writes the program and what it is to do.
func (d *unitDir) prepare(units []unitMeasured) error {
	text, err := json.Marshal(combineFile(units))
	if err != nil {
		return fmt.Errorf("encode what is to be combined: %w", err)
	}
	files, err := d.Fresh(pluginFolder)
	if err != nil {
		return err
	}
	defer files.Close()
	if err := errors.Join(files.Write(combineName, combineProgram), files.Write(combinePlan, text)); err != nil {
		return err
	}
	return d.openStdio()
}

// combineUnit is a unit as the program has to know it.
type combineUnit struct {
	Folder  string   `json:"folder"`  // of its data, below that of all units
	Project string   `json:"project"` // path
	Nested  []string `json:"nested"`  // paths of the projects further down
}

func combineFile(units []unitMeasured) map[string][]combineUnit {
	var all []combineUnit
	for _, u := range units {
		one := combineUnit{Folder: path.Join(state.Name(u.Unit().String()), coverageFolder), Project: u.Project, Nested: []string{}}
		for _, nested := range u.Test.Nested {
			one.Nested = append(one.Nested, strings.TrimPrefix(nested, spec.Workspace+"/"))
		}
		all = append(all, one)
	}
	return map[string][]combineUnit{"units": all}
}

// container is that of the unit that has the newest Python.
func (c *combining) container(d *doing) spec.Container {
	made := d.labelled(c.in.Test.Container)
	made.Own = append(slices.Clone(made.Own),
		spec.Mount{Source: c.dir.host(pluginFolder), Target: pluginTarget, ReadOnly: true},
		spec.Mount{Source: filepath.Join(c.run.Path, projectsFolder), Target: unitsTarget, ReadOnly: true, Owned: true},
		spec.Mount{Source: filepath.Join(c.run.Path, coverageFolder), Target: coverageTarget, Owned: true})
	return made
}

func (c *combining) process() spec.Process {
	return spec.Process{
		Args: []string{
			c.in.Python, path.Join(pluginTarget, combineName), spec.Workspace, unitsTarget, coverageTarget, path.Join(pluginTarget, combinePlan),
		},
		Env: c.in.Test.Env,
		Dir: c.in.Test.Dir,
	}
}

// read fills in what the program has found.
func (c *combining) read(found *event.Coverage) error {
	text, err := readRegular(c.out, totalsFile, totalsSize)
	if err != nil {
		return err
	}
	var totals struct {
		Total    event.Covered           `json:"total"`
		Projects []event.ProjectCoverage `json:"projects"`
		Warnings []string                `json:"warnings"`
	}
	if err := json.Unmarshal(text, &totals); err != nil {
		return fmt.Errorf("read %s: %w", totalsFile, err)
	}
	found.Covered, found.Projects, found.Notes = totals.Total, totals.Projects, totals.Warnings
	return nil
}

// forget removes the parts that have become one. What stays by some mistake
// goes with the run.
func (c *combining) forget(units []unitMeasured) {
	_ = c.run.run.RemoveAll(combineFolder)
	_ = c.out.Remove(totalsFile)
	for _, u := range units {
		_ = c.run.run.RemoveAll(path.Join(projectsFolder, state.Name(u.Unit().String()), coverageFolder))
	}
}

// Close closes the files; what is on disk stays.
func (c *combining) Close() error {
	if c.dir == nil {
		return c.out.Close()
	}
	return errors.Join(c.dir.Close(), c.out.Close())
}
