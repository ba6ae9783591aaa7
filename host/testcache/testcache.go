// Package testcache keeps what tests gave by all that decides it, so that tests of
// which nothing changed are told again and not run again.
//
// # Contract
//
// A result is found only if tests that were run in the same way, in an image of the
// same inputs, and could see the same files of the workspace, gave it. All files
// count, whoever reads them (Look), and all of plan.Tests: command, arguments,
// environment, suites, limits.
//
// That is sound for tests that depend on nothing else. So nothing is kept of tests
// that may: on a network, on files or devices of the machine, on what a person does
// (Refuse). Nor of those that were seen to be no function of what the key says:
// that did not pass, or only in a further attempt, or while something was written
// to the workspace. What remains is the clock, randomness and the machine: tests
// that depend on those give other results for each run, with or without a cache.
//
// Only what passed is kept. A result is the events of a unit and what it printed,
// so that a report of a kept one tells the same as that of a run.
package testcache

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
)

// Cache is what is kept of the tests of a workspace.
type Cache struct {
	Store *cache.Cache
	Index *inputs.Index // hashes of contents
	Root  string        // of the workspace
	Own   []string      // directories of wr's own, which may be in there
	// Runner is what carries tests out: wr's own version, and its plugin of pytest.
	Runner string
	Read   bool // what is kept is told
	Write  bool // what passes is kept
}

// Look looks at all files of the workspace.
func (c *Cache) Look(ctx context.Context) (*Files, error) { return Look(ctx, c.Root, c.Own, c.Index) }

// Result is what the tests of a unit gave.
type Result struct {
	Run    string        // id of the run in which they ran
	Events []event.Event // from event.SessionStarted to event.ProjectFinished
	Log    []byte        // what they printed
}

// key is the key of what action a, tests, gives with such files.
func (c *Cache) key(a plan.Action, f *Files) cache.Key {
	return cache.KeyOf("test 1", c.Runner, a.ID, a.Key, string(f.Key[:]))
}

// logName is the name of the output of a unit among the outputs of its result.
const logName = "output.log"

// Get returns what is kept of action a with such files.
func (c *Cache) Get(a plan.Action, f *Files) (Result, bool) {
	kept, ok := c.Store.Result(c.key(a, f))
	if !ok {
		return Result{}, false
	}
	var r Result
	if err := json.Unmarshal(kept.Data, &r); err != nil {
		return Result{}, false
	}
	for _, out := range kept.Outputs {
		if r.Log, ok = c.Store.Blob(out.Digest); !ok {
			return Result{}, false
		}
	}
	return r, true
}

// Put keeps what action a gave with such files; Passed must not say why not. Its
// error is one of the cache's own.
func (c *Cache) Put(a plan.Action, f *Files, r Result) error {
	log, err := c.Store.PutBlob(r.Log)
	if err == nil {
		err = c.note(a, f, r.Run)
	}
	if err != nil {
		return err
	}
	r.Log = nil
	data, err := json.Marshal(r)
	if err == nil {
		c.Store.PutResult(c.key(a, f), cache.Result{Data: data, Outputs: []cache.Output{{Path: logName, Digest: log}}})
	}
	return err
}

// stateful are arguments with which pytest goes by what it did before.
var stateful = []string{
	"--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first", "--sw", "--stepwise",
	"--lfnf", "--last-failed-no-failures", "--sw-skip", "--stepwise-skip", "--sw-reset", "--stepwise-reset",
}

// Refuse says why nothing can be kept of what a gives; "" = it can.
func Refuse(a plan.Action) string {
	t := a.Test
	switch {
	case t == nil:
		return "there is nothing to run"
	case a.Wanted != "":
		return "it runs in an image of other inputs"
	case t.Container.Network != spec.NetworkNone:
		return "it may reach a network ([test] network)"
	case len(a.Rights) > 0 || !t.Container.Rights.None():
		return "it has rights on the machine ([rights])"
	case len(t.Container.Mounts) > 1:
		return "it sees files from outside of the workspace"
	case t.Debug != plan.Debug{}:
		return "somebody looks into it"
	case t.Repeat > 1:
		return "it is to be run several times (--repeat)"
	case t.Coverage:
		return "what it covers is measured (--coverage)"
	case len(t.Order) > 0:
		return "it repeats another run"
	}
	for _, arg := range t.Args {
		name, _, _ := strings.Cut(arg, "=")
		if slices.Contains(stateful, name) {
			return "pytest goes by earlier runs (" + name + ")"
		}
	}
	return ""
}

// Passed says why what a unit gave is not kept; "" = it passed, and is.
func Passed(events []event.Event) string {
	passed := false
	for _, e := range events {
		passed = passed || e.Type == event.CaseFinished
		switch {
		case e.Type == event.ProjectFinished && e.Status != event.OK:
			return "it did not pass"
		case e.Type == event.CaseFinished && e.Outcome == event.NotRun:
			return e.Case + " was not run"
		case e.Type == event.CaseRetried, len(e.Earlier) > 0:
			return e.Case + " did not pass at once"
		case e.Type == event.SessionFinished && e.CollectOnly:
			return "nothing was run"
		case e.Type == event.SessionFinished && e.Text != "":
			return "pytest left cases out"
		}
	}
	if n := len(events); n == 0 || events[n-1].Type != event.ProjectFinished {
		return "it did not come to its end"
	}
	if !passed {
		return "it has no test" // others of the project may have to answer for that
	}
	return ""
}
