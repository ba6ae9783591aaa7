package testrun_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
)

// scripted is a runner that writes facts itself.
type scripted struct {
	facts string
	exit  spec.Exit
	err   error
}

func (s scripted) Run(_ context.Context, c spec.Container, _ spec.Process, _ spec.Stdio) (spec.Exit, error) {
	for _, m := range c.Own {
		if m.Target == "/.wr/run" {
			if err := os.WriteFile(filepath.Join(m.Source, "events.ndjson"), []byte(s.facts), 0o644); err != nil {
				return spec.Exit{}, err
			}
		}
	}
	return s.exit, s.err
}

const (
	opening = `{"n":1,"t":"session","version":1,"pytest":"9","python":"3"}` + "\n" + `{"n":2,"t":"collected","cases":[["a.py::x","a.py",1,[]],["a.py::y","a.py",2,[]]]}` + "\n"
	passedX = `{"n":3,"t":"start","c":0}` + "\n" + `{"n":4,"t":"done","c":0,"plain":[["setup",0],["call",0],["teardown",0]]}` + "\n"
	passedY = `{"n":5,"t":"start","c":1}` + "\n" + `{"n":6,"t":"done","c":1,"plain":[["call",0]]}` + "\n"
	closing = `{"n":7,"t":"finish","lines":7,"exit":0}` + "\n"
)

func TestFactsThatDoNotAddUpAreNoResult(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		facts string
		code  string
	}{
		"all there":              {opening + passedX + passedY + closing, ""},
		"torn and repeated":      {opening + passedX + `{"n":5,"t":"st` + "\n\n" + passedY + `{"n":6,"t":"done","c":1,"plain":[["call",0]]}` + "\n" + closing, ""},
		"a line is missing":      {opening + passedX + closing, "test.stream_damaged"},
		"wrong count":            {opening + passedX + passedY + strings.Replace(closing, `"lines":7`, `"lines":9`, 1), "test.stream_damaged"},
		"goes on after its end":  {opening + passedX + passedY + closing + `{"n":8,"t":"start","c":0}` + "\n", "test.stream_damaged"},
		"another version":        {strings.Replace(opening, `"version":1`, `"version":2`, 1) + passedX + passedY + closing, "test.stream_damaged"},
		"a case out of nowhere":  {opening + strings.ReplaceAll(passedX, `"c":0`, `"c":5`) + passedY + closing, "test.stream_damaged"},
		"no end":                 {opening + passedX + passedY, "test.process_died"},
		"a last line without \n": {opening + passedX + passedY + strings.TrimSpace(closing), "test.process_died"},
		"ends in garbage":        {opening + passedX + `nes":7}` + "\n", "test.stream_damaged"},
		"nothing":                {"", "test.no_session"},
		"garbage":                {"\x00\x01\n\n[]\nnull\n", "test.no_session"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.runner = scripted{facts: c.facts}
			r := w.run(t.Context())
			if r.code() != c.code || (r.exit == 0) != (c.code == "") || (r.Status == event.OK) != (c.code == "") {
				t.Errorf("got %s, %q, exit %d, want %q", r.Status, r.code(), r.exit, c.code)
			}
		})
	}
}

func TestASubtestCannotSkipItsCase(t *testing.T) {
	t.Parallel()
	sub := `{"n":5,"t":"start","c":1}` + "\n" +
		`{"n":6,"t":"phase","c":1,"plain":[["setup",1]],"seconds":9,"when":"call","outcome":"skipped","sub":"[a]","text":"Skipped: no"}` + "\n" +
		`{"n":7,"t":"done","c":1,"plain":[["call",2],["teardown",0.5]]}` + "\n" + `{"n":8,"t":"finish","lines":8,"exit":0}` + "\n"
	w := newWorld(t, nil)
	w.runner = scripted{facts: opening + passedX + sub}
	if e := w.run(t.Context()).of("a.py::y"); e.Outcome != event.Passed || e.Elapsed != 3500*time.Millisecond || e.Text != "" {
		t.Errorf("got %+v", e)
	}
}

func TestAnAttemptThatIsNotTheLastIsKept(t *testing.T) {
	t.Parallel()
	again := `{"n":5,"t":"start","c":1}` + "\n" +
		`{"n":6,"t":"phase","c":1,"plain":[["setup",1]],"seconds":1,"when":"call","outcome":"rerun","text":"no luck"}` + "\n" +
		`{"n":7,"t":"done","c":1,"plain":[["setup",1],["call",2],["teardown",0.5]]}` + "\n" + `{"n":8,"t":"finish","lines":8,"exit":0}` + "\n"
	w := newWorld(t, nil)
	w.runner = scripted{facts: opening + passedX + again}
	r := w.run(t.Context())
	if e := r.of("a.py::y"); e.Outcome != event.Passed || !slices.Equal(e.Earlier, []event.Outcome{event.Failed}) || e.Elapsed != 3500*time.Millisecond {
		t.Errorf("got %+v", e)
	}
	if e := r.of("a.py::x"); e.Earlier != nil {
		t.Errorf("a case that ran once has %v", e.Earlier)
	}
}

func TestALostContainerAndALackOfMemoryAreNamed(t *testing.T) {
	t.Parallel()
	running := opening + passedX + `{"n":5,"t":"start","c":1}` + "\n"
	cases := map[string]struct {
		runner scripted
		text   string
		exit   int
	}{
		"lost":      {scripted{facts: running, err: errors.New("engine gone")}, "its container was lost: engine gone", 3},
		"memory":    {scripted{facts: running, exit: spec.Exit{Code: 137, Signal: 9, OOMKilled: true}}, "its process died: signal 9 (SIGKILL): out of memory", 1},
		"exit code": {scripted{facts: running, exit: spec.Exit{Code: 3}}, "its process died: exit code 3 in the middle of the case", 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.runner = c.runner
			r := w.run(t.Context())
			if e := r.of("a.py::y"); e.Outcome != event.Errored || e.Text != c.text || r.exit != c.exit {
				t.Errorf("got %s, %q, exit %d, want %q, exit %d", e.Outcome, e.Text, r.exit, c.text, c.exit)
			}
		})
	}
}

func TestFactsThatATestHasCutAreNoResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one(`
import json, os
def test_empties():
    os.truncate(json.load(open(os.environ["WR_PYTEST"]))["events"], 0)
def test_after(): pass
`))
	// Which fault it is depends on how far the host had read by then.
	if r := w.run(t.Context()); r.Status != event.Bad || r.Fault == nil || r.exit == 0 {
		t.Errorf("got %s, %q, exit %d", r.Status, r.code(), r.exit)
	}
}
