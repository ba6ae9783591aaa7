package testrun_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestEventsComeInOrderAndNameTheirPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"test/test_a.py": "import warnings\ndef test_x():\n    warnings.warn('careful')\n    print('said')\n\ndef test_y():\n    assert 0\n",
	})
	r := w.run(t.Context())
	var types []event.Type
	var warning event.Event // when it comes depends on pytest's version
	r.events = slices.DeleteFunc(r.events, func(e event.Event) bool {
		if e.Type == event.Warning {
			warning = e
		}
		return e.Type == event.Warning
	})
	for _, e := range r.events {
		types = append(types, e.Type)
	}
	want := []event.Type{
		event.TestStarted, event.SessionStarted, event.Collected, event.CaseStarted, event.CaseFinished,
		event.CaseStarted, event.CaseFinished, event.SessionFinished, event.ProjectFinished,
	}
	if !slices.Equal(types, want) {
		t.Fatalf("got %v\nwant %v", types, want)
	}
	if e := r.events[0]; e.Image != "wr.local/p:1" || e.Log != ".wr/runs/"+w.unit.Record.ID+"/projects/p/output.log" {
		t.Errorf("TestStarted is %+v", e)
	}
	if e := r.events[1]; !strings.HasPrefix(e.Text, "pytest ") || !strings.Contains(e.Text, ", Python 3.") {
		t.Errorf("SessionStarted says %q", e.Text)
	}
	if e := r.of("test/test_a.py::test_y"); e.File != "p/test/test_a.py" || e.Line != 6 || !strings.Contains(e.Details, "assert 0") || e.Elapsed <= 0 {
		t.Errorf("the failure is %+v", e)
	}
	if e := r.of("test/test_a.py::test_x"); e.Stdout != "said\n" || e.Line != 2 {
		t.Errorf("the passed case is %+v", e)
	}
	if e := warning; e.Text != "UserWarning: careful" || e.Case != "test/test_a.py::test_x" || e.File != "p/test/test_a.py" || e.Line != 3 {
		t.Errorf("the warning is %+v", e)
	}
	if e := r.events[7]; e.Count != 2 || e.Exit != 1 {
		t.Errorf("SessionFinished is %+v", e)
	}
}

func TestNodeIDsAreRelativeToTheProjectWhateverPytestsRootIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"test/test_a.py": "def test_x(): pass\n", "test/test_b.py": "1 / 0\n"})
	w.write("pytest.ini", "[pytest]\n")
	w.unit.Args = []string{"--continue-on-collection-errors"}
	r := w.run(t.Context())
	if e := r.of("test/test_a.py::test_x"); e.File != "p/test/test_a.py" || e.Line != 1 {
		t.Errorf("the case is %+v", e)
	}
	for _, e := range r.events {
		if e.Type == event.CollectFailed && (e.Case != "test/test_b.py" || e.File != "p/test/test_b.py" || e.Text != "ZeroDivisionError: division by zero") {
			t.Errorf("the collection error is %+v", e)
		}
	}
}

func TestACollectionErrorSaysWhy(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"import a_library_that_is_nowhere\n": "ModuleNotFoundError: No module named 'a_library_that_is_nowhere'",
		"def test_never(:\n":                 "SyntaxError: ",
	}
	for content, want := range cases {
		r := newWorld(t, one(content)).run(t.Context())
		if got := r.texts(event.CollectFailed); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%q gives %q, want %q", content, got, want)
		}
	}
}

func TestNestedProjectsAreLeftOutUnlessNamed(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"test_a.py": "def test_x(): pass\n", "web/test_w.py": "def test_w(): pass\n", "web/deep/test_d.py": "def test_d(): pass\n",
		"website/test_s.py": "def test_s(): pass\n", "web/conftest.py": "import a_library_that_is_nowhere\n",
	}
	cases := map[string]struct {
		args []string
		want []string
		drop string // a file that is not there in this case
	}{
		"by itself":         {nil, []string{"test_a.py::test_x", "website/test_s.py::test_s"}, ""},
		"the dir itself":    {[]string{"."}, []string{"test_a.py::test_x", "website/test_s.py::test_s"}, ""},
		"through testpaths": {[]string{"-o", "testpaths=test_a.py web"}, []string{"test_a.py::test_x"}, "web/conftest.py"},
		"named":             {[]string{"web"}, []string{"web/deep/test_d.py::test_d", "web/test_w.py::test_w"}, "web/conftest.py"},
		"a file in it":      {[]string{"web/test_w.py::test_w"}, []string{"web/test_w.py::test_w"}, "web/conftest.py"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, files)
			if c.drop != "" {
				if err := os.Remove(filepath.Join(w.unit.Dir, c.drop)); err != nil {
					t.Fatal(err)
				}
			}
			w.unit.Args, w.unit.Nested = c.args, []string{filepath.Join(w.unit.Dir, "web")}
			r := w.run(t.Context())
			var got []string
			for _, c := range r.project.Cases {
				got = append(got, c.ID)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) || r.Status != event.OK {
				t.Errorf("got %v, %s, want %v", got, r.Status, c.want)
			}
		})
	}
}

func TestThePathsOfAProjectAreWhatIsCollected(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"test/test_a.py": "def test_x(): pass\n", "my tests/test_b.py": "def test_x(): pass\n", "other/test_c.py": "def test_x(): pass\n",
		"web/test_w.py": "def test_x(): pass\n",
	}
	for name, c := range map[string]struct {
		paths, args, want []string
		ini               string // pytest.ini in the root of the workspace, which makes that pytest's rootdir
	}{
		"by themselves":             {paths: []string{"test"}, want: []string{"test/test_a.py"}},
		"under another rootdir":     {paths: []string{"test"}, ini: "[pytest]\n", want: []string{"test/test_a.py"}},
		"instead of pytest's own":   {paths: []string{"test"}, ini: "[pytest]\ntestpaths = p/other\n", want: []string{"test/test_a.py"}},
		"with a space":              {paths: []string{"my tests", "test"}, want: []string{"my tests/test_b.py", "test/test_a.py"}},
		"a file":                    {paths: []string{"other/test_c.py"}, want: []string{"other/test_c.py"}},
		"a pattern":                 {paths: []string{"*e*t*"}, want: []string{"my tests/test_b.py", "test/test_a.py"}},
		"all but a nested project":  {paths: []string{"web", "test"}, want: []string{"test/test_a.py"}},
		"unless others are named":   {paths: []string{"test"}, args: []string{"other"}, want: []string{"other/test_c.py"}},
		"none is what pytest finds": {want: []string{"my tests/test_b.py", "other/test_c.py", "test/test_a.py"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, files)
			if c.ini != "" {
				w.write("pytest.ini", c.ini)
			}
			w.unit.Paths, w.unit.Args, w.unit.Nested = c.paths, c.args, []string{filepath.Join(w.unit.Dir, "web")}
			r := w.run(t.Context())
			var got []string
			for _, c := range r.project.Cases {
				got = append(got, strings.TrimSuffix(c.ID, "::test_x"))
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) || r.Status != event.OK {
				t.Errorf("got %q, %s, want %q", got, r.Status, c.want)
			}
		})
	}
}

func TestAPathOfAProjectThatIsNotThereIsAMistakeAndNotLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"test/test_a.py": "def test_x(): pass\n"})
	w.unit.Paths = []string{"test", "integation"}
	r := w.run(t.Context())
	if r.Status != event.Broken || r.code() != "test.no_path" || r.exit != 2 || !strings.Contains(r.Fault.Message, "integation") {
		t.Errorf("got %s, exit %d, %v", r.Status, r.exit, r.Fault)
	}
}

func TestMuchOutputThatIsNotUTF8IsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one(`
import os
def test_noise():
    chunk = b"head" + bytes(range(256)) * 4096
    for _ in range(50): os.write(1, chunk)
    os.write(1, b"tail")
def test_fails():
    os.write(1, b"\x00\x1b[31m\xff\xfe odd \xed\xa0\x80\n")
    assert os.write(2, b"\xc3\x28" * 1_000_000) < 0
def test_surrogate(): assert 0, "\udc80 lone"
def test_long_story(): assert 0, "x" * 5_000_000
def test_last(): pass
`))
	r := w.run(t.Context())
	if n := r.project.Counts(); n.Passed != 2 || n.Failed != 3 || r.Status != event.Bad || r.Fault != nil {
		t.Fatalf("got %+v, %s", n, r.Status)
	}
	out := r.of("test_a.py::test_noise").Stdout
	if len(out) < 256<<10 || len(out) > 1<<20 || !strings.HasPrefix(out, "head") || !strings.HasSuffix(out, "tail") || !strings.Contains(out, " characters cut by wr ...]") {
		t.Errorf("%d bytes, from %q to %q", len(out), out[:10], out[len(out)-10:])
	}
	if e := r.of("test_a.py::test_fails"); !strings.Contains(e.Stdout, " odd ") || len(e.Stderr) < 256<<10 || len(e.Stderr) > 1<<20 {
		t.Errorf("stdout is %q, stderr has %d bytes", e.Stdout, len(e.Stderr))
	}
	if d := r.of("test_a.py::test_long_story"); len(d.Details) > 1<<20 || len(d.Text) > 8<<10 {
		t.Errorf("the story has %d bytes, the text %d", len(d.Details), len(d.Text))
	}
}

func TestManyCasesAreCollectedInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("import pytest\n@pytest.mark.parametrize('n', range(1203))\ndef test_x(n): pass\n"))
	r := w.run(t.Context())
	if n := r.project.Counts(); n.Passed != 1203 || n.Collected != 1203 {
		t.Fatalf("got %+v", n)
	}
	for i, c := range r.project.Cases {
		if want := fmt.Sprintf("test_a.py::test_x[%d]", i); c.ID != want {
			t.Fatalf("case %d is %s, want %s", i, c.ID, want)
		}
	}
}

func TestDeselectedCasesAreCountedApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("def test_x(): pass\ndef test_y(): pass\ndef test_z(): pass\n"))
	w.unit.Args = []string{"-k", "test_y"}
	r := w.run(t.Context())
	if n := r.project.Counts(); n.Collected != 1 || n.Passed != 1 || n.Deselected != 2 || r.Status != event.OK {
		t.Errorf("got %+v, %s", n, r.Status)
	}
}

func TestTheOutputIsThatOfPlainPytest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("def test_x(): assert 0\n"))
	r := w.run(t.Context())
	if strings.Contains(r.log, "wr_") || strings.Contains(r.log, "Warning") || !strings.Contains(r.log, "1 failed in") {
		t.Errorf("the plugin can be seen in\n%s", r.log)
	}
}

func TestAForkedChildThatStopsTheSessionSaysNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one(`
import os
def test_forks():
    pid = os.fork()
    if pid == 0:
        raise KeyboardInterrupt
    assert os.waitpid(pid, 0)[1] != 0
`))
	r := w.run(t.Context())
	if n := strings.Count(r.log, " in 0."); n > 1 || r.Status != event.OK || strings.Contains(r.log, "KeyboardInterrupt") {
		t.Errorf("got %s, %d summaries:\n%s", r.Status, n, r.log)
	}
}

func TestPYTHONPATHIsAddedTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("import below\ndef test_x(): assert below.value == 1\n"))
	w.write("lib/below.py", "value = 1\n")
	w.unit.Container.Env = []string{"PYTHONPATH=" + filepath.Join(w.root, "lib")}
	if r := w.run(t.Context()); r.Status != event.OK {
		t.Errorf("got %s", r.Status)
	}
}

func TestAReportOfAnEarlierRunIsNeverMerged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("def test_x(): assert 0\n"))
	if err := os.MkdirAll(w.recorded(), 0o755); err != nil {
		t.Fatal(err)
	}
	if r := w.run(t.Context()); r.Status != event.Broken || r.code() != "test.stale_dir" || r.exit != 4 {
		t.Errorf("got %s, %q, exit %d", r.Status, r.code(), r.exit)
	}
}

func TestAMissingPytestIsTheEnvironmentsFault(t *testing.T) {
	t.Parallel()
	noPytest := func(p *spec.Process) {
		p.Env = append(p.Env, "PYTHONPATH="+filepath.Join(p.Dir, "nothing"))
		p.Args = append([]string{p.Args[0], "-S", "-s"}, p.Args[1:]...) // no site-packages
	}
	cases := map[string]func(w *world){
		"no module":  func(w *world) { w.runner = onHost{before: noPytest} },
		"no program": func(w *world) { w.unit.Command = []string{"no-such-program-here"} },
		"exit 127":   func(w *world) { w.unit.Command = []string{"sh", "-c", "exec no-such-program-here"} },
		"no program, says the agent": func(w *world) {
			w.runner = failing{&fault.Error{Code: "exec.not_found", Message: "pytest: not found"}}
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, one("def test_x(): pass\n"))
			change(w)
			r := w.run(t.Context())
			if r.Status != event.Broken || r.code() != "test.pytest_missing" || r.exit != 3 || !strings.Contains(r.Fault.Next, "devops/Dockerfile") {
				t.Errorf("got %s, %+v, exit %d", r.Status, r.Fault, r.exit)
			}
		})
	}
}

func TestACommandThatIsNotPytestIsSaidToBeNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.unit.Command = []string{"sh", "-c", "for i in $(seq 30); do echo line $i; done; exit 0"}
	r := w.run(t.Context())
	if r.Status != event.Broken || r.code() != "test.no_session" || r.exit != 3 {
		t.Fatalf("got %s, %q, exit %d", r.Status, r.code(), r.exit)
	}
	if lines := strings.Split(r.Fault.Details, "\n"); len(lines) != 20 || lines[19] != "line 30" {
		t.Errorf("details are %q, want the last 20 lines", r.Fault.Details)
	}
}

// failing is a runner that cannot run.
type failing struct{ err error }

func (f failing) Run(context.Context, spec.Container, spec.Process, spec.Stdio) (spec.Exit, error) {
	return spec.Exit{}, f.err
}

func TestARunnerThatFailsBreaksTheProject(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.runner = failing{&fault.Error{Code: "engine.lost", Message: "the engine went away"}}
	if r := w.run(t.Context()); r.Status != event.Broken || r.code() != "engine.lost" || r.exit != 3 {
		t.Errorf("got %s, %q, exit %d", r.Status, r.code(), r.exit)
	}
}

func TestAnInterruptLeavesNoCaseWithoutOutcome(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("import time\ndef test_before(): pass\ndef test_sleeps(): time.sleep(60)\ndef test_after(): pass\n"))
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	why := errors.New("Ctrl-C")
	var seen []event.Event
	v := w.unit.Run(ctx, w.runner, func(e event.Event) {
		seen = append(seen, e)
		if e.Type == event.CaseStarted && e.Case == "test_a.py::test_sleeps" {
			cancel(why) // proves too that events come while tests run
		}
	})
	if v.Status != event.Interrupted || v.Fault != nil {
		t.Errorf("got %s, %v", v.Status, v.Fault)
	}
	got := map[string]string{}
	for _, e := range seen {
		if e.Type == event.CaseFinished {
			got[strings.TrimPrefix(e.Case, "test_a.py::")] = string(e.Outcome) + " " + e.Text
		}
	}
	want := map[string]string{"test_before": "passed ", "test_sleeps": "not_run interrupted", "test_after": "not_run interrupted"}
	for id := range want {
		if got[id] != want[id] {
			t.Errorf("%s: got %q, want %q", id, got[id], want[id])
		}
	}
}

func TestTheContainerGetsThePluginReadOnlyAndAPlaceForFacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	seen := &recording{}
	w.runner, w.unit.Args = seen, []string{"-x"}
	w.unit.Container.Env = []string{"A=1", "PYTHONPATH=/app"}
	w.run(t.Context())
	wantArgs := append(slices.Clone(w.unit.Command), "-p", "wr_pytest", "-x")
	if !slices.Equal(seen.p.Args, wantArgs) || seen.p.Dir != w.unit.Dir || seen.p.Terminal {
		t.Errorf("the process is %+v", seen.p)
	}
	if want := []string{"PYTHONPATH=/app:/.wr/pytest", "WR_PYTEST=/.wr/pytest/config.json"}; !slices.Equal(seen.p.Env, want) {
		t.Errorf("its environment is %v, want %v", seen.p.Env, want)
	}
	want := []spec.Mount{
		{Source: w.root, Target: w.root, Owned: true},
		{Source: filepath.Join(w.recorded(), "pytest"), Target: "/.wr/pytest", ReadOnly: true},
		{Source: filepath.Join(w.recorded(), "facts"), Target: "/.wr/run", Owned: true},
	}
	if got := slices.Concat(seen.c.Mounts, seen.c.Own); !slices.Equal(got, want) {
		t.Errorf("its mounts are %+v, want %+v", got, want)
	}
	if seen.stdin != os.DevNull || !seen.sameOut {
		t.Errorf("stdin is %s, stdout and stderr are the same: %v", seen.stdin, seen.sameOut)
	}
	if len(w.unit.Container.Mounts) != 1 {
		t.Error("the caller's container was changed")
	}
}

// recording is a runner that notes what it was asked to run.
type recording struct {
	c       spec.Container
	p       spec.Process
	stdin   string
	sameOut bool
}

func (r *recording) Run(_ context.Context, c spec.Container, p spec.Process, stdio spec.Stdio) (spec.Exit, error) {
	r.c, r.p, r.stdin, r.sameOut = c, p, stdio.In.Name(), stdio.Out == stdio.Err
	return spec.Exit{}, nil
}

func TestFilesOfARunBelongToItsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one("def test_x(): pass\n"))
	owner := someone()
	w.unit.Record = newRunOf(t, w.root, time.Now(), owner)
	w.run(t.Context())
	files := 0
	err := filepath.WalkDir(w.recorded(), func(name string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		files++
		assertOwner(t, name, owner)
		return nil
	})
	if err != nil || files != 7 {
		t.Errorf("saw %d files, error %v", files, err)
	}
}

func assertOwner(t *testing.T, name string, want spec.Owner) {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) != want.UID || int(stat.Gid) != want.GID {
		t.Errorf("%s belongs to %d:%d, want %+v", name, stat.Uid, stat.Gid, want)
	}
}

// BenchmarkFiveThousandTests compares pytest alone with pytest and the plugin.
func BenchmarkFiveThousandTests(b *testing.B) {
	alone := func(p *spec.Process) {
		i := slices.Index(p.Args, "wr_pytest")
		p.Args = slices.Delete(p.Args, i-1, i+1)
	}
	for name, runner := range map[string]onHost{"alone": {before: alone}, "plugin": {}} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, one("import pytest\n@pytest.mark.parametrize('n', range(5000))\ndef test_x(n): pass\n"))
			for b.Loop() {
				w.unit.Record = newRun(b, w.root, time.Now())
				w.unit.Run(b.Context(), runner, func(event.Event) {})
			}
		})
	}
}
