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

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/spectest"
)

// empty are the facts of a session without cases.
const empty = `{"n":1,"t":"session","version":1}` + "\n" + `{"n":2,"t":"finish","lines":2,"exit":0}` + "\n"

// left are the files that a unit leaves in its folder of coverage; the name facts
// stands for the facts.
type left map[string]string

// measuring is a runner whose units leave files, and whose combining is done by combine.
type measuring struct {
	units   map[string]left // by project
	combine func(p spec.Process) (totals string, exit int)
	stop    context.CancelCauseFunc // of the run, in the tests of "stops"
}

func (m measuring) run(_ context.Context, c spec.Container, p spec.Process, _ spec.Stdio) (spec.Exit, error) {
	folders := map[string]string{}
	for _, mount := range c.Own {
		folders[mount.Target] = mount.Source
	}
	if slices.ContainsFunc(p.Args, func(arg string) bool { return strings.HasSuffix(arg, "wr_combine.py") }) {
		totals, exit := m.combine(p)
		return spec.Exit{Code: exit}, os.WriteFile(filepath.Join(folders["/.wr/coverage"], "totals.json"), []byte(totals), 0o600)
	}
	for name, text := range m.units[c.Image] {
		path := filepath.Join(folders["/.wr/coverage"], name)
		if name == "facts" {
			path = filepath.Join(folders["/.wr/run"], "events.ndjson")
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return spec.Exit{}, err
		}
	}
	if strings.HasSuffix(c.Image, "/stops:0a") {
		m.stop(errors.New("Ctrl-C"))
		return spec.Exit{Code: 2}, nil
	}
	return spec.Exit{}, nil
}

// doMeasured tests projects that leave files, and has combine make one of them.
func doMeasured(t *testing.T, units map[string]left, minimum float64, combine func(spec.Process) (string, int)) (*report.Run, testrun.RunDir) {
	t.Helper()
	ctx, stop := context.WithCancelCause(t.Context())
	m := measuring{units: map[string]left{}, combine: combine, stop: stop}
	var names []string
	for name, files := range units {
		names = append(names, name)
		m.units["wr.local/acme/"+name+":0a"] = files
	}
	slices.Sort(names)
	p := planned(t.TempDir(), names...)
	for i := range p.Actions {
		if test := p.Actions[i].Test; test != nil {
			test.Coverage, test.AllowEmpty = true, true
		}
	}
	result, dir, err := testrun.Do(ctx, p, testrun.Config{
		Builder: &spectest.Builder{}, Runner: &spectest.Runner{OnRun: m.run}, Jobs: 1, Builds: 1, Owner: owner(), Now: time.Now, CoverageMin: minimum,
	})
	if err != nil {
		t.Fatal(err)
	}
	return result, dir
}

// whole is what a unit leaves that was measured.
func whole(python string) left {
	return left{"facts": empty, "data.1": "", "status.json": `{"python": "/bin/python` + python + `", "pythonVersion": "` + python + `", "coverage": "7.0"}`}
}

// half of the lines are covered.
func half(spec.Process) (string, int) { return `{"total": {"lines": 4, "coveredLines": 2}}`, 0 }

func TestWhatTheCoverageLacksIsToldAndNeverAHole(t *testing.T) {
	died := whole("3.11.2")
	died["began.1"] = ""
	debugged := whole("3.11.2")
	debugged["lost.1"] = ""
	stops := whole("3.11.2")
	stops["facts"] = ""
	for name, tt := range map[string]struct {
		units   map[string]left
		minimum float64
		want    []event.Unmeasured
		code    string // of the fault
		exit    int
	}{
		"nothing":      {units: map[string]left{"a": whole("3.11.2")}},
		"enough":       {units: map[string]left{"a": whole("3.11.2")}, minimum: 50},
		"not enough":   {units: map[string]left{"a": whole("3.11.2")}, minimum: 50.1, code: "test.coverage_low", exit: 1},
		"a whole unit": {units: map[string]left{"a": whole("3.11.2"), "b": {"facts": empty}}, want: []event.Unmeasured{{Unit: "b", Reason: "it ran, and has left nothing"}}, code: "test.coverage_missing", exit: 3},
		"a dead one":   {units: map[string]left{"a": died}, want: []event.Unmeasured{{Unit: "a", Reason: "a process of it ended before it had written what it covered", Partly: true}}},
		"what was debugged": {
			units: map[string]left{"a": debugged},
			want:  []event.Unmeasured{{Unit: "a", Reason: "a debugger, or a test that calls sys.settrace, took the place of coverage.py: what ran after that is not in it", Partly: true}}, code: "test.coverage_missing", exit: 3,
		},
		"one untested":             {units: map[string]left{"a": whole("3.11.2"), "b": {}}, want: []event.Unmeasured{{Unit: "b", Reason: "it was not tested: broken"}}, exit: 3},
		"one that was interrupted": {units: map[string]left{"stops": stops}, want: []event.Unmeasured{{Unit: "stops", Reason: "it did not come to its end: interrupted", Partly: true}}, exit: 130},
		"without coverage.py": {
			units: map[string]left{"a": whole("3.11.2"), "b": {"facts": empty, "status.json": `{"problem": "no coverage.py", "next": "install it"}`}},
			want:  []event.Unmeasured{{Unit: "b", Reason: "no coverage.py"}}, code: "test.coverage_missing", exit: 3,
		},
		"a damaged status": {
			units: map[string]left{"b": {"facts": empty, "status.json": "{"}},
			want:  []event.Unmeasured{{Unit: "b", Reason: "what it has left cannot be read: read status.json of b: unexpected end of JSON input"}}, code: "test.coverage_missing", exit: 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			result, dir := doMeasured(t, tt.units, tt.minimum, half)
			if result.Coverage == nil || !cmp.Equal(result.Coverage.Missing, tt.want) {
				t.Errorf("told is %+v", result.Coverage)
			}
			code := ""
			if result.CoverageFault != nil {
				code = result.CoverageFault.Code
			}
			if code != tt.code || result.Exit != tt.exit {
				t.Errorf("fault %q, exit %d, want %q, %d", code, result.Exit, tt.code, tt.exit)
			}
			recordsAgree(t, dir, result)
		})
	}
}

func TestTheContainerWithTheNewestPythonCombines(t *testing.T) {
	var args []string
	_, dir := doMeasured(t, map[string]left{"a": whole("3.9.2"), "b": whole("3.12.1"), "c": whole("3.12.0")}, 0, func(p spec.Process) (string, int) {
		args = p.Args
		return half(p)
	})
	if len(args) == 0 || args[0] != "/bin/python3.12.1" {
		t.Errorf("it ran %q", args)
	}
	for _, gone := range []string{"combine", "projects/a/coverage", "coverage/totals.json"} {
		if _, err := os.Stat(filepath.Join(dir.Path, gone)); err == nil {
			t.Errorf("%s is left", gone)
		}
	}
}

func TestDataThatCannotBeCombinedAreAnError(t *testing.T) {
	for name, combine := range map[string]func(spec.Process) (string, int){
		"the program fails":         func(spec.Process) (string, int) { return "{}", 1 },
		"the program says nonsense": func(spec.Process) (string, int) { return "[", 0 },
	} {
		t.Run(name, func(t *testing.T) {
			result, dir := doMeasured(t, map[string]left{"a": whole("3.11.2")}, 0, combine)
			if f := result.CoverageFault; f == nil || f.Code != "test.coverage_failed" || result.Exit != 3 {
				t.Errorf("fault %v, exit %d", f, result.Exit)
			}
			if _, err := os.Stat(filepath.Join(dir.Path, "projects/a/coverage/data.1")); err != nil {
				t.Errorf("the data are gone: %v", err)
			}
		})
	}
}
