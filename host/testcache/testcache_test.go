package testcache_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/testcache"
	"github.com/wr-build/wr/runtime/spec"
)

// action is one whose result can be kept.
func action() plan.Action {
	return plan.Action{
		ID: "test:a", Kind: plan.Test, Project: "a", Key: "key",
		Test: &plan.Tests{Container: spec.Container{Network: spec.NetworkNone, Mounts: []spec.Mount{{Target: "/app"}}}},
	}
}

func TestWhatDependsOnMoreThanTheKeyIsRefused(t *testing.T) {
	if why := testcache.Refuse(action()); why != "" {
		t.Fatalf("refused: %s", why)
	}
	for name, change := range map[string]func(a *plan.Action){
		"a network":       func(a *plan.Action) { a.Test.Container.Network = spec.NetworkHost },
		"rights":          func(a *plan.Action) { a.Test.Container.Rights.Privileged = true },
		"rights by name":  func(a *plan.Action) { a.Rights = []event.Right{{Kind: "devices"}} },
		"a mount":         func(a *plan.Action) { a.Test.Container.Mounts = make([]spec.Mount, 2) },
		"another image":   func(a *plan.Action) { a.Wanted = "acme/a:1" },
		"a debugger":      func(a *plan.Action) { a.Test.Debug.Port = 5678 },
		"a terminal":      func(a *plan.Action) { a.Test.Debug.Terminal = true },
		"repetition":      func(a *plan.Action) { a.Test.Repeat = 2 },
		"coverage":        func(a *plan.Action) { a.Test.Coverage = true },
		"a replay":        func(a *plan.Action) { a.Test.Order = []string{"test_a.py::test_a"} },
		"last failed":     func(a *plan.Action) { a.Test.Args = []string{"-q", "--lf"} },
		"stepwise":        func(a *plan.Action) { a.Test.Args = []string{"--stepwise"} },
		"failed, by name": func(a *plan.Action) { a.Test.Args = []string{"--last-failed-no-failures=none"} },
		"no tests":        func(a *plan.Action) { a.Test = nil },
	} {
		a := action()
		change(&a)
		if testcache.Refuse(a) == "" {
			t.Errorf("%s is not refused", name)
		}
	}
}

func TestOnlyWhatPassedAtOnceIsKept(t *testing.T) {
	ended := event.Event{Type: event.ProjectFinished, Status: event.OK}
	passed := event.Event{Type: event.CaseFinished, Case: "a", Outcome: event.Passed}
	for name, test := range map[string]struct {
		events []event.Event
		kept   bool
	}{
		"passed":           {[]event.Event{passed, ended}, true},
		"failed":           {[]event.Event{{Type: event.CaseFinished, Outcome: event.Failed}, {Type: event.ProjectFinished, Status: event.Bad}}, false},
		"not ended":        {[]event.Event{passed}, false},
		"nothing":          {nil, false},
		"no case":          {[]event.Event{ended}, false},
		"flaky":            {[]event.Event{{Type: event.CaseFinished, Outcome: event.Passed, Earlier: []event.Outcome{event.Failed}}, ended}, false},
		"run again":        {[]event.Event{{Type: event.CaseRetried}, passed, ended}, false},
		"only listed":      {[]event.Event{passed, {Type: event.SessionFinished, CollectOnly: true}, ended}, false},
		"cases left out":   {[]event.Event{passed, {Type: event.SessionFinished, Text: "stopped"}, ended}, false},
		"case not run":     {[]event.Event{passed, {Type: event.CaseFinished, Case: "b", Outcome: event.NotRun}, ended}, false},
		"stopped by --ff":  {[]event.Event{passed, {Type: event.ProjectFinished, Status: event.Stopped}}, false},
		"ended by a limit": {[]event.Event{passed, {Type: event.ProjectFinished, Status: event.TimedOut}}, false},
	} {
		if why := testcache.Passed(test.events); (why == "") != test.kept {
			t.Errorf("%s: kept is %v: %s", name, why == "", why)
		}
	}
}

func TestWhatIsKeptIsFoundByAllThatDecidedIt(t *testing.T) {
	store, err := cache.Open(filepath.Join(t.TempDir(), "cache"), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w := newTree(t)
	files := w.look()
	c := &testcache.Cache{Store: store, Runner: "wr 1"}
	put := testcache.Result{Run: "20261201-1", Log: []byte("printed\n"), Events: []event.Event{
		{Type: event.CaseFinished, Case: "t.py::test_ü", Outcome: event.Passed, Elapsed: 5, Stdout: "out"},
		{Type: event.ProjectFinished, Status: event.OK},
	}}
	if err := c.Put(action(), files, put); err != nil {
		t.Fatal(err)
	}
	got, ok := c.Get(action(), w.look())
	if !ok || !reflect.DeepEqual(got, put) {
		t.Errorf("got %+v, %v", got, ok)
	}
	other := action()
	other.Key = "another"
	elsewhere := action()
	elsewhere.ID = "test:b"
	w.write("a/data.txt", "2\n")
	newer := &testcache.Cache{Store: store, Runner: "wr 2"}
	for why, missed := range map[string]func() (*testcache.Cache, plan.Action, *testcache.Files){
		"its image, command, environment or suites are others than in 20261201-1": func() (*testcache.Cache, plan.Action, *testcache.Files) { return c, other, files },
		"":                                func() (*testcache.Cache, plan.Action, *testcache.Files) { return c, elsewhere, files },
		"another wr ran it in 20261201-1": func() (*testcache.Cache, plan.Action, *testcache.Files) { return newer, action(), files },
		"a/data.txt changed since 20261201-1": func() (*testcache.Cache, plan.Action, *testcache.Files) {
			return c, action(), w.look()
		},
		"a/b.py is gone, and 2 more differ, since 20261201-1": func() (*testcache.Cache, plan.Action, *testcache.Files) {
			w.must(os.Remove(w.path("a/b.py")))
			w.write("z.py", "")
			f := w.look()
			w.must(os.Remove(w.path("z.py")))
			w.write("a/b.py", "b = 1\n")
			return c, action(), f
		},
	} {
		cache, a, f := missed()
		if _, ok := cache.Get(a, f); ok {
			t.Errorf("found, although %s", why)
		}
		if got := cache.Missed(a, f); got != why {
			t.Errorf("missed since %q, want %q", got, why)
		}
	}
}
