package testrun_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// withChecks runs a project without tests, of which plugins say something before and
// an error after it, and returns the types of events and how often After was asked.
func withChecks(ctx context.Context, t *testing.T, failFast bool) (r *report.Run, types []event.Type, asked int) {
	t.Helper()
	wrong := &fault.Error{Code: report.CodeChecked, Class: fault.Failed, Message: "wrong"}
	r, _, err := testrun.Do(ctx, plan.Plan{Root: t.TempDir(), Actions: []plan.Action{
		{ID: "test:a", Kind: plan.Test, Project: "a", Fault: &fault.Error{Code: "x", Message: "x"}},
	}}, testrun.Config{
		Jobs: 1, Owner: owner(), Now: time.Now, FailFast: failFast, Sinks: []event.Sink{taking(func(e event.Event) { types = append(types, e.Type) })},
		Before: []event.Event{{Type: event.Checked, Project: "a", Hook: "before test"}},
		After: func(ctx context.Context, r *report.Run) []event.Event {
			if asked++; ctx.Err() != nil || r.Project("a").Status != event.Broken {
				t.Errorf("asked with %v, %q", ctx.Err(), r.Project("a").Status)
			}
			return []event.Event{{Type: event.Checked, Project: "a", Hook: "after test", Fault: wrong}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, types, asked
}

type taking func(event.Event)

func (f taking) Emit(e event.Event) { f(e) }

func TestPluginsAreHeardBeforeAndAfterTests(t *testing.T) {
	for _, failFast := range []bool{false, true} {
		r, types, asked := withChecks(t.Context(), t, failFast)
		want := []event.Type{event.RunStarted, event.ProjectPlanned, event.Checked, event.ProjectFinished, event.Checked, event.RunFinished}
		if !slices.Equal(types, want) || asked != 1 || len(r.Project("a").Checks) != 1 || r.Exit != 3 {
			t.Errorf("fail fast %t: got %q, asked %d times, exit %d", failFast, types, asked, r.Exit)
		}
	}
}

func TestNobodyIsAskedAfterARunThatWasInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, _, asked := withChecks(ctx, t, false); asked != 0 || r.Exit != 130 {
		t.Errorf("asked %d times, exit %d", asked, r.Exit)
	}
}
