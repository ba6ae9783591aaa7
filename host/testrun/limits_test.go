package testrun_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
)

func TestAUnitOverItsTimeSaysWhichCaseRanAndWhichDidNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"test_a.py": `
import time
def test_quick(): pass
def test_slow(): time.sleep(1000)
def test_after(): pass
`})
	w.unit.Timeout = 3 * time.Second
	r := w.run(t.Context())
	if r.Status != event.TimedOut || r.code() != spec.LimitTimeout || r.exit != 124 {
		t.Errorf("got %s, %q, exit %d", r.Status, r.code(), r.exit)
	}
	for id, want := range map[string]struct {
		outcome event.Outcome
		text    string
	}{
		"test_a.py::test_quick": {event.Passed, ""},
		"test_a.py::test_slow":  {event.Errored, "it was running when the time limit of 3s was over"},
		"test_a.py::test_after": {event.NotRun, "the time limit of 3s was over"},
	} {
		if e := r.of(id); e.Outcome != want.outcome || e.Text != want.text {
			t.Errorf("%s: got %s, %q, want %s, %q", id, e.Outcome, e.Text, want.outcome, want.text)
		}
	}
}

func TestAUnitWithinItsTimeIsJudgedAsEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("def test_x(): pass\n"))
	w.unit.Timeout = time.Hour
	if r := w.run(t.Context()); r.Status != event.OK || r.exit != 0 {
		t.Errorf("got %s, %q, exit %d", r.Status, r.code(), r.exit)
	}
}

func TestAUnitKilledForMemoryHasThatFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.unit.Container.Memory = 64 << 20
	w.runner = scripted{facts: opening + passedX, exit: spec.Exit{Code: 137, Signal: 9, OOMKilled: true}}
	r := w.run(t.Context())
	if r.Status != event.Bad || r.code() != spec.LimitMemory || r.exit != 1 || !strings.Contains(r.Fault.Message, "64MiB") {
		t.Errorf("got %s, %v, exit %d", r.Status, r.Fault, r.exit)
	}
}

func TestALimitThatStruckWhileTestsFailedIsAWarning(t *testing.T) {
	t.Parallel()
	failed := `{"n":5,"t":"start","c":1}` + "\n" +
		`{"n":6,"t":"phase","c":1,"plain":[["setup",1]],"when":"call","outcome":"failed","text":"assert 1 == 2"}` + "\n" +
		`{"n":7,"t":"done","c":1,"plain":[["teardown",0]]}` + "\n" + `{"n":8,"t":"finish","lines":8,"exit":1}` + "\n"
	w := newWorld(t, nil)
	w.runner = scripted{facts: opening + passedX + failed, exit: spec.Exit{Code: 1, Suspect: spec.OutOfPids(64)}}
	r := w.run(t.Context())
	for _, e := range r.events {
		if e.Type == event.Warning && e.Fault != nil && e.Fault.Code == spec.LimitPids {
			return
		}
	}
	t.Errorf("no warning in %v", r.events)
}
