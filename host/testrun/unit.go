// Package testrun runs one project's tests in one container and says what came
// of them. A pytest plugin inside writes facts, one JSON line each, to a file
// that the host follows; package testrun translates them to events and judges:
// every collected case ends in exactly one outcome, and what cannot be proved
// to have passed has not passed.
//
// It also makes the directories of runs below .wr/runs.
package testrun

import (
	"cmp"
	"context"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Unit is one project's tests in one container.
type Unit struct {
	Project    string           // project path
	Lender     string           // whose container it is, as plan.Action.Container; "" = its own
	Slice      string           // which of its cases there; "" = all that are to run
	Shard      string           // which part of those; "" = all
	Suites     []plan.Suite     // into which they are sorted; none = all run
	Places     plan.Places      // which cases belong in this container; zero: all that have no mark
	Assigned   []plan.Assigned  // what plugins say of cases
	Further    []string         // container paths of files that pytest does not find by itself
	Env        []string         // of Command, over the container's
	Image      string           // reference, for events
	Container  spec.Container   // without the mounts that testrun itself needs
	Command    []string         // pytest and its fixed arguments
	Args       []string         // further arguments, the user's last
	Paths      []string         // what to collect when Args name nothing, relative to Dir; none = what pytest finds
	Dir        string           // container path: where Command starts; node ids are relative to it
	Root       string           // container path of the workspace; "" = spec.Workspace
	Local      bool             // the process sees this machine's own paths: nothing is mounted for it
	NotHere    []plan.Elsewhere // cases in files that are not collected, to be told
	Record     RunDir           // keeps what happens, in a directory of the project's own
	Again      bool             // the unit was tested before in this run, with other files
	Nested     []string         // container paths of projects below, not to be collected
	Cache      string           // host path of pytest's own cache, kept from run to run; "" = none is
	AllowEmpty bool             // no tests is no failure
	Others     func() bool      // asked once if there are none: whether other units of the project may have some; nil = there is no other
	Coverage   bool             // measure what the tests cover
	Order      []string         // node ids of the cases to run, in order; none = all as collected
	Timeout    time.Duration    // of all tests together; 0 = as long as they take
	plan.Repetition
	Debug    plan.Debug // how a person looks into them
	Terminal Terminal   // for Debug.Terminal
}

// Verdict is how a unit ended.
type Verdict struct {
	Status event.Status
	Fault  *fault.Error // nil when the outcomes of the cases say it all
}

// Run tests u with r and emits all that happens, from event.TestStarted to
// event.ProjectFinished, with Project set, from this goroutine only. When ctx
// ends first, the status is event.Interrupted; when Timeout is over first, it is
// event.TimedOut.
func (u Unit) Run(ctx context.Context, r spec.Runner, emit func(event.Event)) Verdict {
	began := time.Now()
	say := func(e event.Event) {
		emit(e.Of(u.id()))
	}
	say(event.Event{Type: event.TestStarted, Image: u.Image, Log: u.logPath()})
	v := u.test(ctx, r, say)
	say(event.Event{Type: event.ProjectFinished, Status: v.Status, Image: u.Image, Elapsed: time.Since(began), Fault: v.Fault})
	return v
}

func (u Unit) test(ctx context.Context, r spec.Runner, say func(event.Event)) Verdict {
	dir, err := u.makeDir()
	if err != nil {
		return u.unwritable(err)
	}
	defer dir.Close()
	ctx, stop := u.limited(ctx)
	defer stop()
	t := trial{Unit: u, dir: dir, runner: r, ledger: newLedger(u, say)}
	return t.run(ctx)
}

// unwritable is the verdict of a unit for which there is no place to write.
func (u Unit) unwritable(err error) Verdict {
	return Verdict{Status: event.Broken, Fault: cmp.Or(fault.Disk(err, u.Record.Path), fault.Of(err))}
}

// policy says how long c may take and when it is run again.
func (u Unit) policy(c *testCase) plan.Policy {
	name := ""
	if len(c.suites) > 0 {
		name = c.suites[0]
	}
	for _, s := range u.Suites {
		if s.Name == name {
			return s.Policy
		}
	}
	return plan.Policy{}
}

// container is u's container with the plugin and a place for its facts.
func (u Unit) container(dir *unitDir) spec.Container {
	c := u.Container
	if u.Local {
		return c
	}
	c.Own = append(slices.Clone(c.Own),
		spec.Mount{Source: dir.mounted(pluginFolder), Target: pluginTarget, ReadOnly: true},
		spec.Mount{Source: dir.mounted(factsFolder), Target: factsTarget, Owned: true})
	if u.Coverage {
		c.Own = append(c.Own, spec.Mount{Source: dir.host(coverageFolder), Target: coverageTarget, Owned: true})
	}
	if u.Cache != "" {
		c.Own = append(c.Own, spec.Mount{Source: u.Cache, Target: cacheTarget, Owned: true})
	}
	return c
}

// process is u's command with the plugin loaded. Why -p and not PYTEST_PLUGINS:
// a pytest that a test starts would inherit the latter.
func (u Unit) process(dir *unitDir) spec.Process {
	own := []string{"-p", pluginName}
	if u.Debug != (plan.Debug{}) {
		own = append(own, "-p", debugPlugin)
	}
	if u.Cache != "" {
		own = append(own, "-o", "cache_dir="+u.sees(u.Cache, cacheTarget))
	}
	p := spec.Process{
		Args: slices.Concat(u.Command, own, u.Args),
		Env:  append(slices.Clone(u.Env), InsideEnv(u.sees(dir.mounted(pluginFolder), pluginTarget), slices.Concat(u.Container.Env, u.Env))...),
		Dir:  u.Dir, Ports: u.ports(),
	}
	if u.Coverage {
		p = u.measuring(dir, p)
	}
	return p
}

// pluginConfig is what the plugin has to know of u in the nth process.
func (u Unit) pluginConfig(dir *unitDir, n int) pluginConfig {
	facts := u.sees(dir.mounted(factsFolder), factsTarget)
	here := cmp.Or(u.Lender, u.Project)
	where := u.Places
	where.Default = cmp.Or(where.Default, here)
	return pluginConfig{
		Version: factsVersion, Events: path.Join(facts, factsFile(n)), Stacks: path.Join(facts, stacksFiles(n)),
		Ignore: u.Nested, Paths: u.Paths, Places: places{Places: where, Here: here}, Suites: u.Suites, Shuffle: u.Shuffle, Order: u.Order, Dir: u.Dir, Debug: u.Debug,
		Assigned: u.Assigned, Further: u.Further,
	}
}

// sees is the path by which the process knows what lies at a host path and
// otherwise is mounted at target.
func (u Unit) sees(host, target string) string {
	if u.Local {
		return host
	}
	return target
}

// id tells the unit from others.
func (u Unit) id() event.Unit {
	return event.Unit{Project: u.Project, Container: u.Lender, Slice: u.Slice, Shard: u.Shard}
}

func (u Unit) root() string {
	if u.Root == "" {
		return spec.Workspace
	}
	return u.Root
}

// logPath is where the output of the unit is, relative to the workspace when
// it is in there.
func (u Unit) logPath() string {
	log := filepath.Join(u.Record.Unit(u.id().String()), logFile)
	for _, m := range u.Container.Mounts {
		if m.Target != u.root() {
			continue
		}
		if rel, err := filepath.Rel(m.Source, log); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return log
}
