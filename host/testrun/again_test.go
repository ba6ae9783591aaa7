package testrun_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
)

// counted is a helper for tests that end otherwise each time they run: tries("x")
// counts in a file, since each attempt is a process.
const counted = `
import os, pathlib, pytest, signal, threading
def tries(name):
    with open(str(pathlib.Path(__file__).parent / (name + ".tries")), "a+") as f:
        f.write("x")
        f.seek(0)
        return len(f.read())
`

// tried is how many times a test of counted ran.
func (w *world) tried(name string) int {
	content, _ := os.ReadFile(filepath.Join(w.unit.Dir, name+".tries"))
	return len(content)
}

// remembers has pytest keep a cache of its own.
func (w *world) remembers() {
	w.Helper()
	w.unit.Cache = filepath.Join(w.root, "cache")
	if err := os.Mkdir(w.unit.Cache, 0o755); err != nil {
		w.Fatal(err)
	}
	w.unit.Command = w.unit.Command[:3] // all but what turns that off
}

// attempts are the outcomes of all attempts of a case, as the report has them.
func (r result) attempts(id string) string {
	c := r.project.Case(id)
	var all []string
	for _, a := range c.Attempts {
		all = append(all, fmt.Sprint(a.Number, " ", a.Outcome))
	}
	return strings.Join(append(all, string(c.Outcome)), ", ")
}

// processes is how many sessions of pytest there were.
func (r result) processes() int { return len(r.texts(event.SessionStarted)) }

func TestAfterAProcessHasDiedTheOthersGoOnInANewOne(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		text string
	}{
		"by a segmentation fault": {"os.kill(os.getpid(), signal.SIGSEGV)", "its process died: signal 11 (SIGSEGV)"},
		"by os._exit":             {"os._exit(0)", "its process died: exit code 0 in the middle of the case"},
		"by SIGKILL":              {"os.kill(os.getpid(), signal.SIGKILL)", "its process died: signal 9 (SIGKILL)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, map[string]string{
				"test_a.py": counted + "def test_before(): assert tries('before') == 1\ndef test_dies(): " + tt.body + "\ndef test_after(): pass\n",
				"test_b.py": "def test_b(): pass\n", "test_c.py": "def test_c(): pass\n",
			})
			w.unit.Args = []string{"test_a.py", "test_b.py::test_b", "test_c.py"}
			r := w.run(t.Context())
			want := outcomesOf("test_before", "passed", "test_dies", "errored", "test_after", "passed")
			want["test_b.py::test_b"], want["test_c.py::test_c"] = event.Passed, event.Passed
			if got := r.outcomes(); !maps.Equal(got, want) {
				t.Errorf("got %v", got)
			}
			if e := r.of("test_a.py::test_dies"); e.Text != tt.text || r.Status != event.Bad || r.Fault != nil || r.exit != 1 || r.processes() != 2 {
				t.Errorf("text is %q, status %s, fault %v, exit %d, %d processes", e.Text, r.Status, r.Fault, r.exit, r.processes())
			}
		})
	}
}

func TestAProcessThatDiesBetweenCasesStaysAFaultThoughTheOthersGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"conftest.py": "import os\ndef pytest_runtest_logfinish(nodeid):\n    if nodeid.endswith('test_x'): os._exit(3)\n",
		"test_a.py":   "def test_x(): pass\ndef test_y(): pass\n",
	})
	r := w.run(t.Context())
	if got := r.outcomes(); !maps.Equal(got, outcomesOf("test_x", "passed", "test_y", "passed")) || r.Status != event.Bad || r.code() != "test.process_died" || r.exit != 1 {
		t.Errorf("got %v, %s, %q, exit %d", got, r.Status, r.code(), r.exit)
	}
}

func TestWhereEachCaseKillsItsProcessThereIsAnEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("import os, pytest\n@pytest.mark.parametrize('n', range(30))\ndef test_x(n): os._exit(1)\n"))
	r := w.run(t.Context())
	if n := r.project.Counts(); n.Errored != 20 || n.NotRun != 10 || r.Status != event.Bad || r.exit != 1 {
		t.Errorf("got %+v, %s, exit %d", n, r.Status, r.exit)
	}
	if e := r.of("test_a.py::test_x[29]"); e.Text != "20 processes were lost before" {
		t.Errorf("the last one says %q", e.Text)
	}
}

func TestFailuresAreRunAgainByTheirKind(t *testing.T) {
	t.Parallel()
	body := counted + `
@pytest.fixture
def broken(): raise RuntimeError("no db")
def test_fails(): tries("fails"); assert 0
def test_setup(broken): pass
def test_dies(): tries("dies"); os.kill(os.getpid(), signal.SIGKILL)
def test_hangs(): tries("hangs"); threading.Event().wait()
def test_good(): tries("good")
`
	for name, tt := range map[string]struct {
		reruns                    plan.Reruns
		fails, setup, dies, hangs int // attempts
	}{
		"none":                    {plan.Reruns{}, 1, 1, 1, 1},
		"what took too long":      {plan.Reruns{Timeout: 2}, 1, 1, 1, 3},
		"errors":                  {plan.Reruns{Error: 1}, 1, 2, 2, 1},
		"any":                     {plan.Reruns{Any: 1}, 2, 2, 2, 2},
		"any, some kinds as well": {plan.Reruns{Any: 1, Error: 2}, 2, 3, 3, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, one(body))
			w.limit(plan.Policy{Timeout: time.Second, Reruns: tt.reruns})
			r := w.run(t.Context())
			for id, want := range map[string]int{"fails": tt.fails, "setup": tt.setup, "dies": tt.dies, "hangs": tt.hangs, "good": 1} {
				if got := len(r.project.Case("test_a.py::test_"+id).Attempts) + 1; got != want {
					t.Errorf("%s: %d attempts, want %d", id, got, want)
				}
				if id != "setup" && w.tried(id) != want {
					t.Errorf("%s ran %d times, want %d", id, w.tried(id), want)
				}
			}
			if r.Status != event.Bad || r.Fault != nil || r.exit != 1 {
				t.Errorf("got %s, %v, exit %d", r.Status, r.Fault, r.exit)
			}
		})
	}
}

func TestACaseThatPassesWhenItIsRunAgainIsFlakyAndFailsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one(counted+`
def test_other(): pass
def test_flaky():
    print("said")
    assert tries("flaky") > 2, "no luck"
def test_died():
    if tries("died") == 1: os._exit(3)
`))
	w.limit(plan.Policy{Reruns: plan.Reruns{Any: 3}})
	r := w.run(t.Context())
	if got := r.attempts("test_a.py::test_flaky"); got != "1 failed, 2 failed, passed" {
		t.Errorf("test_flaky: %s", got)
	}
	if got := r.attempts("test_a.py::test_died"); got != "1 errored, passed" {
		t.Errorf("test_died: %s", got)
	}
	if r.Status != event.OK || r.Fault != nil || r.exit != 0 {
		t.Errorf("got %s, %v, exit %d", r.Status, r.Fault, r.exit)
	}
	c := r.project.Case("test_a.py::test_flaky")
	if a := c.Attempts[1]; !strings.Contains(a.Text, "no luck") || !strings.Contains(a.Details, "assert 2 > 2") || a.Stdout != "said\n" || a.Elapsed <= 0 {
		t.Errorf("the second attempt is %+v", a)
	}
	if !c.Flaky() || c.Text != "attempt 3" || !slices.Equal(c.Earlier, []event.Outcome{event.Failed, event.Failed}) {
		t.Errorf("the case is %+v", c)
	}
}

func TestAPluginThatRunsFailuresAgainItselfIsLeftToIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"conftest.py": retries + "\ndef pytest_addoption(parser): parser.addoption('--reruns', dest='reruns', type=int)\n",
		"test_a.py":   counted + "def test_hopeless():\n    tries('hopeless')\n    assert 0\n",
	})
	w.unit.Args = []string{"-p", "no:rerunfailures", "--reruns=2"}
	w.limit(plan.Policy{Reruns: plan.Reruns{Any: 2}})
	r := w.run(t.Context())
	if got := r.attempts("test_a.py::test_hopeless"); got != "1 failed, 2 failed, failed" || w.tried("hopeless") != 3 {
		t.Errorf("got %s, ran %d times", got, w.tried("hopeless"))
	}
	if warned := r.texts(event.Warning); len(warned) != 1 || !strings.Contains(warned[0], "pytest-rerunfailures") {
		t.Errorf("warnings are %q", warned)
	}
}

func TestACaseThatAPluginHasRunAgainIsNotOnceMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"conftest.py": retries, "test_a.py": counted + "def test_hopeless():\n    tries('hopeless')\n    assert 0\n"})
	w.limit(plan.Policy{Reruns: plan.Reruns{Any: 2}})
	if r := w.run(t.Context()); w.tried("hopeless") != 3 || r.processes() != 1 {
		t.Errorf("ran %d times in %d processes", w.tried("hopeless"), r.processes())
	}
}

func TestWhatIsNotFoundAgainSaysSo(t *testing.T) {
	t.Parallel()
	changing := counted + `
@pytest.mark.parametrize("n", [os.getpid()])
def test_changes(n): assert 0
def test_dies(): os._exit(1)
@pytest.mark.parametrize("n", [os.getpid()])
def test_never(n): pass
def test_last(): pass
`
	w := newWorld(t, one(changing))
	w.limit(plan.Policy{Reruns: plan.Reruns{Any: 2}})
	r := w.run(t.Context())
	const why = "another process did not collect it again, as when ids change from process to process"
	got := map[string]string{}
	for id := range r.outcomes() {
		name, _, _ := strings.Cut(strings.TrimPrefix(id, "test_a.py::"), "[")
		got[name] = string(r.of(id).Outcome) + " " + r.of(id).Text
		if name == "test_changes" && len(r.project.Case(id).Attempts) > 0 {
			t.Errorf("its only attempt counts twice: %+v", r.project.Case(id).Attempts)
		}
	}
	want := map[string]string{
		"test_changes": "failed assert 0; not run again: " + why, "test_never": "not_run " + why, "test_last": "passed ",
		"test_dies": "errored attempt 3: its process died: exit code 1 in the middle of the case",
	}
	if !maps.Equal(got, want) || r.Status != event.Bad || r.exit != 1 {
		t.Errorf("got %q\nwant %q\n%s, exit %d", got, want, r.Status, r.exit)
	}
}

func TestAFileThatCannotBeCollectedAgainIsAnErrorAndItsCasesSaySo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one(counted+"if tries('import') > 1: raise RuntimeError('once only')\ndef test_x(): assert 0\n"))
	w.limit(plan.Policy{Reruns: plan.Reruns{Any: 1}})
	r := w.run(t.Context())
	if e := r.of("test_a.py::test_x"); e.Outcome != event.Failed || !strings.HasSuffix(e.Text, "not run again: its file could not be collected again") {
		t.Errorf("got %s, %q", e.Outcome, e.Text)
	}
	if r.Status != event.Bad || len(r.texts(event.CollectFailed)) != 1 {
		t.Errorf("got %s", r.Status)
	}
}

func TestStoppingAtTheFirstFailureWaitsForItsReruns(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reruns plan.Reruns
		args   []string
		want   string
		status event.Status
	}{
		"that pass":               {plan.Reruns{Any: 2}, []string{"-x"}, "passed passed passed", event.OK},
		"that fail":               {plan.Reruns{Any: 1}, []string{"-x"}, "passed failed not_run", event.Bad},
		"of which there are none": {plan.Reruns{}, []string{"-x"}, "passed failed not_run", event.Bad},
		"or does not, as asked":   {plan.Reruns{Any: 1}, []string{"--maxfail=2"}, "passed failed passed", event.Bad},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, one(counted+"def test_1(): pass\ndef test_2(): assert tries('two') > 2\ndef test_3(): assert tries('three') < 2\n"))
			w.unit.Args = tt.args
			w.limit(plan.Policy{Reruns: tt.reruns})
			r := w.run(t.Context())
			all := r.outcomes()
			got := fmt.Sprint(all["test_a.py::test_1"], " ", all["test_a.py::test_2"], " ", all["test_a.py::test_3"])
			if got != tt.want || r.Status != tt.status || r.Fault != nil {
				t.Errorf("got %s, %s, %v", got, r.Status, r.Fault)
			}
			if e := r.of("test_a.py::test_3"); e.Outcome == event.NotRun && e.Text != "stopping after 1 failures" {
				t.Errorf("test_3 says %q", e.Text)
			}
		})
	}
}

func TestEachCaseIsRepeatedAndTheWorstOutcomeCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one(counted+`
def test_good(): tries("good")
def test_rare():
    n = tries("rare")
    assert n not in (2, 4), "attempt %d" % n
def test_skips():
    if tries("skips") == 3: pytest.skip("today")
`))
	w.unit.Repeat = 5
	w.limit(plan.Policy{Reruns: plan.Reruns{Any: 3}})
	r := w.run(t.Context())
	for id, want := range map[string]string{
		"good": "1 passed, 2 passed, 3 passed, 4 passed, passed", "rare": "1 passed, 2 failed, 3 passed, 5 passed, failed",
		"skips": "1 passed, 2 passed, 4 passed, 5 passed, skipped",
	} {
		if got := r.attempts("test_a.py::test_" + id); got != want || w.tried(id) != 5 {
			t.Errorf("%s: %s, ran %d times, want %s", id, got, w.tried(id), want)
		}
	}
	e := r.of("test_a.py::test_rare")
	if !strings.HasPrefix(e.Text, "failed in 2 of 5: AssertionError: attempt 4") || e.Attempt != 4 || r.Status != event.Bad || r.Fault != nil || r.processes() != 5 {
		t.Errorf("got %q, attempt %d, %s, %v, %d processes", e.Text, e.Attempt, r.Status, r.Fault, r.processes())
	}
	if got := r.of("test_a.py::test_skips").Text; got != "skipped in 1 of 5: today" {
		t.Errorf("test_skips says %q", got)
	}
}

func TestRepeatingStopsAtTheFirstFailureIfThatIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one(counted+"def test_x(): assert tries('x') < 3\ndef test_y(): pass\n"))
	w.unit.Repeat, w.unit.Args = 100, []string{"-x"}
	r := w.run(t.Context())
	if e := r.of("test_a.py::test_x"); w.tried("x") != 3 || !strings.HasPrefix(e.Text, "failed in 1 of 3: ") {
		t.Errorf("ran %d times: %q", w.tried("x"), e.Text)
	}
	if e := r.of("test_a.py::test_y"); e.Outcome != event.Passed || r.Status != event.Bad {
		t.Errorf("test_y %s, %s", e.Outcome, r.Status)
	}
}

func TestARepeatedCaseThatDiesGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one(counted+"def test_x():\n    if tries('x') == 2: os._exit(1)\ndef test_y(): tries('y')\n"))
	w.unit.Repeat = 3
	r := w.run(t.Context())
	if w.tried("x") != 3 || w.tried("y") != 3 || r.processes() != 4 || !strings.HasPrefix(r.of("test_a.py::test_x").Text, "errored in 1 of 3: its process died") {
		t.Errorf("x ran %d times, y %d, in %d processes: %q", w.tried("x"), w.tried("y"), r.processes(), r.of("test_a.py::test_x").Text)
	}
}

func TestAShuffledOrderIsTheSeedsAlone(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d"} {
		files["test_"+name+".py"] = counted + `
class TestX:
    def test_1(self): pass
    def test_2(self): pass
class TestY:
    def test_1(self): pass
    def test_2(self): pass
def test_1(): pass
def test_2(): assert tries("two") > 1
`
	}
	order := func(seed string, args ...string) []string {
		w := newWorld(t, files)
		w.unit.Shuffle, w.unit.Args = seed, args
		w.limit(plan.Policy{Reruns: plan.Reruns{Any: 1}})
		r := w.run(t.Context())
		var all []string
		for _, e := range r.events {
			if e.Type == event.Collected {
				all = append(all, e.Cases...)
			}
		}
		if len(all) != 24 || r.exit > 1 {
			t.Errorf("with %q %v: %d cases, exit %d", seed, args, len(all), r.exit)
		}
		return all
	}
	plain, one := order(""), order("7")
	if slices.Equal(plain, one) || slices.Equal(one, order("8")) {
		t.Errorf("a seed changes nothing: %q", one)
	}
	if again := order("7", "-n2"); !slices.Equal(one, again) {
		t.Errorf("got %q\nand in workers %q", one, again)
	}
	if part := order("7", "test_c.py", "test_a.py", "test_d.py", "test_b.py"); !slices.Equal(one, part) {
		t.Errorf("got %q\nand named in another order %q", one, part)
	}
	for i := 1; i < len(one); i++ { // what is of one module, or class, comes together
		group, _, _ := strings.Cut(one[i], "::")
		before, _, _ := strings.Cut(one[i-1], "::")
		if group != before && slices.ContainsFunc(one[i:], func(id string) bool { return strings.HasPrefix(id, before+"::") }) {
			t.Errorf("%s is torn: %q", before, one)
		}
	}
}

func TestFurtherProcessesTellNothingTwiceAndChooseNothingAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"test_a.py": counted + "def test_x(): assert tries('x') > 3\ndef test_y(): assert tries('y') > 1\ndef test_z(): pass\n" +
			"@pytest.mark.container('other')\ndef test_o(): pass\n",
		"test_b.py": "import pathlib\nif pathlib.Path(__file__).with_name('x.tries').exists(): raise RuntimeError('imported again')\ndef test_b(): pass\n",
	})
	w.unit.Places = plan.Places{Default: "p", Names: names}
	w.remembers()
	w.unit.Args = []string{"--lf", "-k", "not test_z"}
	w.limit(plan.Policy{Reruns: plan.Reruns{Any: 2}})
	r := w.run(t.Context())
	if r.processes() != 3 || len(r.texts(event.CaseDeselected)) != 1 || len(r.texts(event.CaseElsewhere)) > 1 || len(r.texts(event.CollectFailed)) != 0 {
		t.Errorf("%d processes; deselected %d, elsewhere %d, not collected %q", r.processes(),
			len(r.texts(event.CaseDeselected)), len(r.texts(event.CaseElsewhere)), r.texts(event.CollectFailed))
	}
	if got := r.outcomes(); !maps.Equal(got, map[string]event.Outcome{"test_a.py::test_x": event.Failed, "test_a.py::test_y": event.Passed, "test_b.py::test_b": event.Passed}) {
		t.Errorf("got %v", got)
	}
	w.unit.Record = newRun(t, w.root, time.Now())
	r = w.run(t.Context())
	if got := r.outcomes(); !maps.Equal(got, map[string]event.Outcome{"test_a.py::test_x": event.Passed}) {
		t.Errorf("--lf runs %v, not what failed in the end", got)
	}
}

func TestAnInterruptionOfAFurtherProcessIsOne(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		repeat int
		want   string
	}{
		"that runs what has failed": {0, "failed"},
		"that runs all again":       {2, "passed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, one("def test_x(): assert '"+c.want+"' == 'passed'\n"))
			w.unit.Repeat = c.repeat
			w.limit(plan.Policy{Reruns: plan.Reruns{Any: 1}})
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			processes := 0
			w.runner = onHost{before: func(*spec.Process) {
				if processes++; processes == 2 {
					interrupt()
				}
			}}
			r := w.run(ctx)
			if e := r.of("test_a.py::test_x"); string(e.Outcome) != c.want || !strings.HasSuffix(e.Text, "not run again: interrupted") || r.Status != event.Interrupted || processes != 2 {
				t.Errorf("the case %s: %q, the unit %s, %d processes", e.Outcome, e.Text, r.Status, processes)
			}
		})
	}
}

func TestAFurtherProcessIsNotStepwise(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("import os\ndef test_dies(): os._exit(1)\ndef test_1(): assert 0\ndef test_2(): assert 0\ndef test_3(): pass\n"))
	w.remembers()
	w.unit.Args = []string{"--stepwise-skip"}
	r := w.run(t.Context())
	if got := r.of("test_a.py::test_3"); got.Outcome != event.Passed || r.processes() != 2 {
		t.Errorf("the last case %s: %q, %d processes", got.Outcome, got.Text, r.processes())
	}
}

func TestAProcessThatAPersonLooksIntoIsTheOnlyOne(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--pdb"}, {"--trace", "-k", "never"}} {
		w := newWorld(t, one("import os\ndef test_x(): os._exit(1)\ndef test_y(): pass\n"))
		w.unit.Args, w.unit.Repeat, w.unit.AllowEmpty = args, 3, true
		w.limit(plan.Policy{Reruns: plan.Reruns{Any: 1}})
		if r := w.run(t.Context()); r.processes() != 1 {
			t.Errorf("%v: %d processes", args, r.processes())
		}
	}
}

func TestOddIDsAreFoundAgain(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"odd ids", "odd ids, not escaped"} {
		w := newWorld(t, gentle[name].files)
		w.unit.Repeat = 2
		r := w.run(t.Context())
		if got := r.outcomes(); !maps.Equal(got, gentle[name].want) || r.processes() != 2 || r.Status != event.OK {
			t.Errorf("%s: %v, %d processes, %s", name, got, r.processes(), r.Status)
		}
		for id := range r.outcomes() {
			if e := r.of(id); e.Attempt != 2 || e.Text != "" {
				t.Errorf("%q: attempt %d, %q", id, e.Attempt, e.Text)
			}
		}
	}
}
