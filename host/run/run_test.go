package run_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/run"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// record is a handler that notes what it was asked to do.
type record struct {
	mu     sync.Mutex
	done   []string
	atOnce int
	most   int
	fail   map[string]error
}

func (r *record) handle(_ context.Context, a plan.Action) error {
	r.mu.Lock()
	r.done = append(r.done, a.ID)
	r.atOnce++
	r.most = max(r.most, r.atOnce)
	r.mu.Unlock()
	time.Sleep(time.Second) //nolint:forbidigo // inside synctest: a fake second
	r.mu.Lock()
	defer r.mu.Unlock()
	r.atOnce--
	return r.fail[a.ID]
}

func actions(list ...plan.Action) plan.Plan { return plan.Plan{Actions: list} }

func build(id string) plan.Action { return plan.Action{ID: id, Kind: plan.Build} }

func test(id string, needs ...string) plan.Action {
	return plan.Action{ID: id, Kind: plan.Test, Needs: needs}
}

func executor(r *record, blocked *[]string) *run.Executor {
	return &run.Executor{
		Handlers: map[plan.Kind]run.Handler{plan.Build: r.handle, plan.Test: r.handle},
		Jobs:     map[plan.Kind]int{plan.Build: 1, plan.Test: 2},
		Blocked: func(a plan.Action, cause error) {
			*blocked = append(*blocked, a.ID+": "+cause.Error())
		},
	}
}

func TestAFailureBlocksOnlyWhatNeedsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &record{fail: map[string]error{"build:a": errors.New("no disk")}}
		var blocked []string
		p := actions(build("build:a"), test("test:a", "build:a"), build("build:b"), test("test:b", "build:b"))
		if err := executor(r, &blocked).Do(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		slices.Sort(r.done)
		if want := []string{"build:a", "build:b", "test:b"}; !slices.Equal(r.done, want) {
			t.Errorf("carried out %v, want %v", r.done, want)
		}
		if want := []string{"test:a: no disk"}; !slices.Equal(blocked, want) {
			t.Errorf("blocked %v, want %v", blocked, want)
		}
	})
}

func TestEachKindKeepsItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &record{}
		var blocked []string
		var list []plan.Action
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			list = append(list, test("test:"+id))
		}
		began := time.Now()
		if err := executor(r, &blocked).Do(t.Context(), actions(list...)); err != nil {
			t.Fatal(err)
		}
		if r.most != 2 || len(r.done) != 5 {
			t.Errorf("at most %d at once of %d actions, want 2 of 5", r.most, len(r.done))
		}
		if got := time.Since(began); got != 3*time.Second {
			t.Errorf("five actions of a second, two at once, took %v, want 3s", got)
		}
	})
}

func TestWhatTakesLongestComesFirstWithAllThatItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &record{}
		var blocked []string
		x := executor(r, &blocked)
		x.Jobs[plan.Test] = 1
		long, short, unknown := test("test:long", "build:long"), test("test:short", "build:short"), test("test:unknown")
		long.Estimate, short.Estimate = time.Minute, time.Second
		err := x.Do(t.Context(), actions(unknown, build("build:short"), short, build("build:long"), long))
		if err != nil {
			t.Fatal(err)
		}
		before := func(a, b string) {
			if slices.Index(r.done, a) > slices.Index(r.done, b) {
				t.Errorf("%s comes after %s in %v", a, b, r.done)
			}
		}
		before("build:long", "build:short")
		before("test:long", "test:short")
		if slices.Index(r.done, "test:unknown") > 1 {
			t.Errorf("what needs nothing waits: %v", r.done)
		}
	})
}

func TestCancelBlocksWhatHasNotStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &record{}
		var blocked []string
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("interrupted")
		time.AfterFunc(500*time.Millisecond, func() { cancel(why) })
		err := executor(r, &blocked).Do(ctx, actions(build("build:a"), build("build:b"), test("test:b", "build:b")))
		if !errors.Is(err, why) {
			t.Errorf("Do returned %v, want the cause of the cancellation", err)
		}
		if len(r.done) != 1 || len(blocked) != 2 {
			t.Errorf("carried out %v and blocked %v, want one and two", r.done, blocked)
		}
	})
}

func TestAPlanThatCannotBeWalkedIsABug(t *testing.T) {
	bad := map[string]plan.Plan{
		"unknown kind":      actions(plan.Action{ID: "x", Kind: "fly"}),
		"twice":             actions(build("a"), build("a")),
		"need comes later":  actions(test("t", "b"), build("b")),
		"need of its own":   actions(test("t", "t")),
		"need that is none": actions(test("t", "nothing")),
	}
	for name, p := range bad {
		t.Run(name, func(t *testing.T) {
			var blocked []string
			err := executor(&record{}, &blocked).Do(t.Context(), p)
			if f := fault.Of(err); f == nil || f.Class != fault.Bug {
				t.Errorf("got %v, want a fault of class bug", err)
			}
		})
	}
}
