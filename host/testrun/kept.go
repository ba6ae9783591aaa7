package testrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/testcache"
)

// mostKept is how much a unit may print, in bytes, for its result to be kept.
const mostKept = 8 << 20

// keeping is what a run takes from the cache of test results and adds to it. Nil is
// that of a run without one.
type keeping struct {
	*testcache.Cache
	before *testcache.Files
	plan   map[string]plan.Action      // those of which something may be kept, by their ids
	known  map[string]testcache.Result // by the id of an action
	why    map[string]string           // not kept, by the id of an action

	mu    sync.Mutex // guards what follows
	given map[string][]event.Event
}

// keep is what c has of p. Why an error of it is no error of the run: what cannot be
// looked at is not known to be the same, and is run.
func keep(ctx context.Context, c *testcache.Cache, p plan.Plan) (*keeping, error) {
	if c == nil {
		return nil, nil
	}
	k := &keeping{
		Cache: c, plan: map[string]plan.Action{}, known: map[string]testcache.Result{}, why: map[string]string{}, given: map[string][]event.Event{},
	}
	var err error
	for _, a := range p.Actions {
		if a.Kind != plan.Test || a.Test == nil {
			continue
		}
		if k.why[a.ID] = testcache.Refuse(a); k.why[a.ID] != "" {
			continue
		}
		if k.before == nil {
			if k.before, err = c.Look(ctx); err != nil {
				return nil, fmt.Errorf("look at the workspace's files: %w", err)
			}
		}
		k.plan[a.ID] = a
		if r, ok := c.Get(a, k.before); ok && c.Read {
			k.known[a.ID] = r
		}
	}
	return k, nil
}

// without is p without the builds of images that nothing is run in.
func (k *keeping) without(p plan.Plan) plan.Plan {
	if k == nil || len(k.known) == 0 {
		return p
	}
	needed := map[string]bool{}
	actions := slices.Clone(p.Actions)
	for i, a := range slices.Backward(actions) {
		if _, known := k.known[a.ID]; known {
			actions[i].Needs = nil
			continue
		}
		for _, id := range a.Needs {
			needed[id] = true
		}
	}
	p.Actions = slices.DeleteFunc(actions, func(a plan.Action) bool { return a.Kind == plan.Build && !needed[a.ID] })
	return p
}

// result is what is known of an action.
func (k *keeping) result(a plan.Action) (r testcache.Result, ok bool) {
	if k != nil {
		r, ok = k.known[a.ID]
	}
	return r, ok
}

// missed says what is different since something was kept of an action that is run;
// "" = nothing was, or could be.
func (k *keeping) missed(a plan.Action) string {
	if k == nil || !k.Read {
		return ""
	}
	if _, may := k.plan[a.ID]; !may {
		return ""
	}
	return k.Missed(a, k.before)
}

// gave notes what an action gives, one event after the other.
func (k *keeping) gave(a plan.Action, e event.Event) {
	if k == nil || e.Type == event.TestStarted {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.given[a.ID] = append(k.given[a.ID], e)
}

// finish keeps what can be kept of run dir.
func (k *keeping) finish(ctx context.Context, dir RunDir, units map[string]event.Unit) error {
	fresh := slices.DeleteFunc(slices.Sorted(maps.Keys(k.plan)), func(id string) bool {
		if why := testcache.Passed(k.given[id]); k.why[id] == "" && why != "" {
			k.why[id] = why
		}
		return k.why[id] != ""
	})
	if len(fresh) == 0 || !k.Write {
		return nil
	}
	after, err := k.Look(ctx)
	if err != nil {
		return fmt.Errorf("look at the workspace's files: %w", err)
	}
	changed := k.before.Changed(after)
	for _, id := range fresh {
		if changed != "" {
			k.why[id] = changed + " was written to while it ran"
			continue
		}
		log, err := dir.output(units[id])
		if err != nil {
			return err
		}
		if len(log) > mostKept {
			k.why[id] = fmt.Sprintf("it printed more than %d bytes", mostKept)
			continue
		}
		if err := k.Put(k.plan[id], k.before, testcache.Result{Run: dir.ID, Events: k.given[id], Log: log}); err != nil {
			return err
		}
	}
	return nil
}

// recalled tells what a gave in an earlier run, as if it did now.
func (d *doing) recalled(a plan.Action, r testcache.Result) {
	unit := Unit{Project: a.Project, Lender: a.Container, Slice: a.Slice, Shard: a.Shard, Container: a.Test.Container, Record: d.dir}
	if err := d.dir.keepOutput(a.Unit(), r.Log); err != nil {
		d.emit(about(a, event.Event{Type: event.ProjectFinished, Status: event.Broken, Fault: unit.unwritable(err).Fault}))
		return
	}
	d.emit(about(a, event.Event{Type: event.TestStarted, Image: a.Test.Container.Image, Log: unit.logPath(), Cached: true}))
	for _, e := range r.Events {
		if e.Type == event.ProjectFinished {
			e.Image, e.Run, e.Cached = a.Test.Container.Image, r.Run, true
		}
		d.emit(about(a, e))
	}
}

// output is what the tests of a unit have printed.
func (d RunDir) output(u event.Unit) ([]byte, error) {
	folder, err := d.sameUnit(u.String())
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	f, err := folder.Reopen(logFile, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, mostKept+1))
}

// keepOutput makes the directory of a unit that has printed log.
func (d RunDir) keepOutput(u event.Unit, log []byte) error {
	folder, err := d.unit(u.String())
	if err != nil {
		return err
	}
	return errors.Join(folder.Write(logFile, log), folder.Close())
}

// keepResults adds to the cache what this run gave. Why its error is none of the run:
// the tests run once more then.
func (d *doing) keepResults(ctx context.Context) {
	if d.kept == nil || ctx.Err() != nil {
		return
	}
	units := map[string]event.Unit{}
	for _, a := range d.actions {
		units[a.ID] = a.Unit()
	}
	if err := d.kept.finish(ctx, d.dir, units); err != nil {
		d.warn("cache.not_kept", "what these tests gave is not kept: ", err)
		return
	}
	if !d.Cache.Write {
		return
	}
	for _, a := range d.actions {
		if _, known := d.kept.known[a.ID]; a.Test != nil && !known {
			d.emit(about(a, event.Event{Type: event.ResultKept, Text: d.kept.why[a.ID]}))
		}
	}
}
