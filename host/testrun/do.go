package testrun

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/history"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/run"
	"github.com/wr-build/wr/host/testcache"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Config is what carrying out a plan of tests takes.
type Config struct {
	Builder  spec.Builder
	Puller   spec.Puller // nil: no registry is asked
	Runner   spec.Runner
	Jobs     int             // containers at once
	Builds   int             // builds at once
	Owner    spec.Owner      // whom the files of the run belong to
	Args     []string        // wr's command line, for the record
	Version  string          // of wr
	Revision *event.Revision // what git says of the workspace; nil = it is in no repository
	Warnings []*fault.Error  // of the run as a whole
	// Personal are the settings of the caller alone, for the record.
	Personal []event.Setting
	// Shuffle is the seed of the order of all cases, and FailOnFlaky whether a
	// flaky case fails the run, for the record.
	Shuffle     string
	FailOnFlaky bool
	FailFast    bool // the first failure ends the run
	// CoverageMin is how many percent of the lines have to be covered where that
	// is measured.
	CoverageMin float64
	Sinks       []event.Sink // further consumers of the events
	Now         func() time.Time
	// Terminal is for tests that a person debugs; nil where the plan has none.
	Terminal Terminal
	// Before is what plugins said before, and After asks them when all tests have
	// ended, unless the run was interrupted: events of type event.Found and
	// event.Checked. After may be nil.
	Before []event.Event
	After  func(ctx context.Context, r *report.Run) []event.Event
	// Cache keeps what tests gave; nil: all are run, and nothing is kept.
	Cache *testcache.Cache
	// More plans tests that only Python could place. It is asked at most once in
	// a run, when all that was planned has ended; nil: such tests are errors.
	More func(ctx context.Context, moved []Moved) (plan.Plan, error)
}

// Do carries out p and returns what came of it and where it is recorded. The
// error is about the recording; everything else is in the report. When ctx
// ends first, the report says interrupted.
func Do(ctx context.Context, p plan.Plan, c Config) (_ *report.Run, _ RunDir, err error) {
	dir, err := NewRunDir(p.Root, c.Now(), c.Owner)
	if err != nil {
		return nil, dir, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	log, err := openLog(dir)
	if err != nil {
		return nil, dir, notRecorded(dir, 0, err)
	}
	result := &report.Run{}
	sinks := append([]event.Sink{log, result}, c.Sinks...)
	going, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if c.FailFast {
		sinks = append(sinks, failFast{stop})
	}
	d := &doing{
		Config: c, local: p.Here != "", root: spec.Workspace, dir: dir,
		stream: event.NewStream(c.Now, sinks...), interrupted: func() bool { return ctx.Err() != nil }, outer: ctx,
		units: map[string]int{}, expected: map[event.Unit]bool{},
	}
	if d.local {
		d.root = p.Root
	}
	d.places = placesOf{root: d.root, units: map[event.Unit][]plan.Places{}}
	err = d.carryOut(going, p, result)
	return result, dir, errors.Join(err, record(dir, log, result))
}

// doing is one run of Do.
type doing struct {
	Config
	local  bool   // nothing is mounted: wr runs in the container
	root   string // container path of the workspace
	dir    RunDir
	stream *event.Stream
	// interrupted reports whether the run ended from outside, as outer does.
	interrupted func() bool
	outer       context.Context //nolint:containedctx // of the whole run, for units that a failure of their own does not end

	// What follows does not change while units run.
	actions []plan.Action // of all rounds
	kept    *keeping      // of the first round; nil = there is no cache
	places  placesOf
	ended   map[event.Unit]event.Event // how units ended in the first round; nil during it
	stop    func()                     // ends the run, as its context does
	quit    bool                       // a person ended it at the terminal of pytest; units run one by one then

	mu       sync.Mutex          // guards what follows
	units    map[string]int      // of a project: those not known to be without cases
	expected map[event.Unit]bool // places of the second round, as far as is known
}

// others is Unit.Others of a project: of several units that turn out to be
// without cases, the last one has to answer for it.
func (d *doing) others(project string) func() bool {
	return func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.units[project]--
		return d.units[project] > 0
	}
}

// about is e about what a tests.
func about(a plan.Action, e event.Event) event.Event {
	return e.Of(a.Unit())
}

// carryOut walks p. Its error is that the plan itself is wrong.
func (d *doing) carryOut(ctx context.Context, p plan.Plan, result *report.Run) error {
	began := d.Now()
	ctx, d.stop = context.WithCancel(ctx)
	defer d.stop()
	d.stream.Emit(event.Event{
		Type: event.RunStarted, Run: d.dir.ID, Version: d.Version, Args: d.Args, Revision: d.Revision, Personal: d.Personal, Here: p.Here, Shuffle: d.Shuffle, FailOnFlaky: d.FailOnFlaky,
	})
	for _, f := range d.Warnings {
		d.stream.Emit(event.Event{Type: event.Warning, Text: f.Message, Fault: f})
	}
	d.announce(p, nil)
	for _, e := range d.Before {
		d.stream.Emit(e)
	}
	if err := d.keepPlan(p); err != nil {
		return notRecorded(d.dir, 0, err)
	}
	var err error
	if d.kept, err = keep(ctx, d.Cache, p); err != nil {
		d.warn("cache.not_used", "no earlier results are used: ", err)
	}
	err = d.executor(ctx).Do(ctx, d.kept.without(p))
	d.keepResults(ctx)
	if d.More != nil && (err == nil || ctx.Err() != nil) {
		err = d.secondRound(ctx, result)
	}
	if ctx.Err() != nil {
		err = nil
	}
	if d.interrupted() || d.quit {
		result.Interrupted = true
	} else {
		for _, e := range account(result, d.places) {
			d.stream.Emit(e)
		}
		for _, e := range slices.Concat(unsuited(result, d.actions), unrepeated(result, d.actions), uncollected(result, d.actions)) {
			d.stream.Emit(e)
		}
		d.after(result)
	}
	d.remember(result)
	d.coverage(ctx, result)
	d.stream.Emit(event.Event{
		Type: event.RunFinished, Elapsed: d.Now().Sub(began), Interrupted: result.Interrupted, Exit: report.ExitCode(result),
	})
	return err
}

// warn tells of what is no error of the run.
func (d *doing) warn(code, what string, err error) {
	f := &fault.Error{Code: code, Message: what + err.Error(), Err: err}
	d.stream.Emit(event.Event{Type: event.Warning, Text: f.Message, Fault: f})
}

// after asks those who want to be asked when all tests have ended, also when one of
// them ended the run.
func (d *doing) after(result *report.Run) {
	if d.After == nil {
		return
	}
	for _, e := range d.After(d.outer, result) {
		d.stream.Emit(e)
	}
}

// remember adds what the tests took to the history. Why its error counts for
// nothing: the next run is slower without, and its result is the same.
func (d *doing) remember(result *report.Run) {
	named := map[string]bool{}
	for _, a := range d.actions {
		if a.Test != nil && len(a.Test.Named) > 0 {
			named[a.Unit().String()] = true
		}
	}
	_ = history.Save(d.dir.state, result, func(unit *report.Project) bool {
		n := unit.Counts()
		chosen := slices.ContainsFunc(unit.Deselected, func(e event.Event) bool { return e.Text == "" })
		return !named[unit.Name()] && !chosen && n.NotRun+n.CollectErrors == 0 && unit.Shard == "" && unit.Fault == nil
	})
}

// executor carries out plans.
func (d *doing) executor(ctx context.Context) *run.Executor {
	images := run.Images{Builder: d.Builder, Puller: d.Puller, Emit: d.stream.Emit}
	return &run.Executor{
		Handlers: map[plan.Kind]run.Handler{plan.Build: images.Do, plan.Test: d.test},
		Jobs:     map[plan.Kind]int{plan.Build: d.Builds, plan.Test: d.Jobs},
		Blocked:  func(a plan.Action, cause error) { d.blocked(ctx, a, cause) },
	}
}

// announce tells of each project that is to be tested, before anything happens:
// a run that is cut off still names what it did not come to. moved are the
// cases because of which a second round is planned, by their place; they are
// told once.
func (d *doing) announce(p plan.Plan, moved map[event.Unit][]string) {
	d.actions = append(d.actions, p.Actions...)
	for _, a := range p.Actions {
		if a.Kind != plan.Test {
			continue
		}
		unit := a.Unit()
		d.planned(a, moved[unit.Place()])
		delete(moved, unit.Place())
		if a.Test != nil {
			d.units[a.Project]++
			d.places.units[unit] = append(d.places.units[unit], a.Test.Places)
		}
	}
}

func (d *doing) planned(a plan.Action, moved []string) {
	e := about(a, event.Event{
		Type: event.ProjectPlanned, Key: a.Key, Wanted: a.Wanted, Rights: a.Rights, Text: a.Reason, Estimate: a.Estimate, Cases: moved,
	})
	if a.Test != nil {
		e.Image = a.Test.Container.Image
	}
	d.emit(e)
}

// test is the handler of plan.Test. Nothing needs a test action, so it has no
// error: all that happens is an event.
func (d *doing) test(ctx context.Context, a plan.Action) error {
	switch {
	case a.Fault != nil:
		d.emit(about(a, event.Event{Type: event.ProjectFinished, Status: event.Broken, Fault: a.Fault}))
	case a.None != "":
		d.emit(about(a, event.Event{Type: event.ProjectFinished, Status: event.None, Text: a.None}))
	default:
		if r, known := d.kept.result(a); known && d.ended == nil {
			d.recalled(a, r)
			return nil
		}
		if why := d.kept.missed(a); why != "" && d.ended == nil {
			d.emit(about(a, event.Event{Type: event.ResultMissed, Text: why}))
		}
		d.unit(ctx, a)
	}
	return nil
}

// unit runs the tests of one project.
func (d *doing) unit(ctx context.Context, a plan.Action) {
	cache, err := d.dir.cache(a.Unit().String())
	if err != nil {
		d.emit(about(a, event.Event{Type: event.ProjectFinished, Status: event.Broken, Fault: fault.Of(err)}))
		return
	}
	ctx, end := unlessOwn(d.outer, ctx, a.Unit())
	defer end(nil)
	v := Unit{
		Local: d.local, Root: d.root, NotHere: a.Test.NotHere,
		Project: a.Project, Lender: a.Container, Slice: a.Slice, Shard: a.Shard, Places: a.Test.Places, Suites: a.Test.Suites, Env: a.Test.Env, Image: a.Test.Container.Image, Container: d.labelled(a.Test.Container),
		Assigned: a.Test.Assigned, Further: a.Test.Further,
		Command: a.Test.Command, Args: a.Test.Args, Paths: a.Test.Paths, Dir: a.Test.Dir, Nested: a.Test.Nested,
		Record: d.dir, Again: d.again(a), Cache: cache, AllowEmpty: a.Test.AllowEmpty, Others: d.others(a.Project), Coverage: a.Test.Coverage, Timeout: a.Test.Timeout,
		Repetition: a.Test.Repetition, Order: a.Test.Order, Debug: a.Test.Debug, Terminal: d.Terminal,
	}.Run(ctx, d.Runner, func(e event.Event) {
		e = stopped(ctx, e)
		if d.ended == nil {
			d.kept.gave(a, e)
		}
		d.emit(e)
	})
	if a.Test.Debug.Terminal && v.Status == event.Interrupted { // by who is at the terminal of pytest
		d.quit = true
		d.stop()
	}
}

// labelled is c with the run's id, by which `wr engine status` names it.
func (d *doing) labelled(c spec.Container) spec.Container {
	labels := map[string]string{"wr.run": d.dir.ID}
	maps.Copy(labels, c.Labels)
	c.Labels = labels
	return c
}

// blocked ends a project whose tests never started.
func (d *doing) blocked(ctx context.Context, a plan.Action, cause error) {
	if a.Kind != plan.Test {
		return
	}
	e := about(a, event.Event{Type: event.ProjectFinished, Status: event.Broken, Fault: fault.Of(cause)})
	if ctx.Err() != nil {
		e.Status, e.Fault = event.Interrupted, nil
	}
	d.emit(stopped(ctx, e))
}

// Names of the reports in a run's directory; the page is made when it is asked for.
const (
	JUnitFile = "junit.xml"
	PageFile  = "report.html"
)

// record completes the record of a run, or says what it lacks. Why no junit.xml
// beside a log that was cut off: it would tell of more than the log can prove.
func record(dir RunDir, l *log, result *report.Run) error {
	err := l.Close()
	if err == nil {
		err = dir.run.Replace(JUnitFile, func(f *os.File) error { return report.JUnit(f, result) })
	}
	if err != nil {
		return notRecorded(dir, l.lines, err)
	}
	return nil
}
