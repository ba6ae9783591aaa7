package testrun_test

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
)

// assign has a plugin say of cases of a file what lists name: "ID SUITE CONTAINER",
// "-" for none. They are at the lines of a list.
func (w *world) assign(file string, entries ...string) {
	for i, entry := range entries {
		words := strings.Split(entry, " ")
		for j := range words {
			words[j] = strings.TrimPrefix(words[j], "-")
		}
		w.unit.Assigned = append(w.unit.Assigned, plan.Assigned{
			File: filepath.Join(w.unit.Dir, file), ID: words[0], Suite: words[1], Container: words[2], Plugin: "testlist", At: "p/a.list:" + string(rune('1'+i)), Line: i + 10,
		})
	}
}

func TestWhatAPluginSaysOfCasesHolds(t *testing.T) {
	for name, args := range map[string][]string{"alone": nil, "under xdist": {"-n2"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"test_a.py": suited, "test_b.py": "import pytest\n@pytest.mark.parametrize('x', ['a::b', 'c[d'])\ndef test_x(x): pass\nclass TestY:\n    def test_y(self): pass\n"})
			w.unit.Args = args
			w.unit.Suites, w.unit.Places = suites("run", "run", "run"), plan.Places{Default: "p", Names: names}
			w.assign("test_a.py", "test_fast gpu -", "TestSlow slow -")
			w.assign("test_b.py", "test_x[a::b] slow -", "TestY - other", "- fast -", "- slow -")
			r := w.run(t.Context())
			ran := map[string]string{
				"gpu": "test_fast", "slow": "TestSlow::test_gpu_and_slow, TestSlow::test_slow, test_b.py::test_x[a::b], test_by[slow], test_slow", "fast": "test_b.py::test_x[c[d], test_by[fast]",
			}
			if got := r.bySuite(event.CaseFinished); !maps.Equal(got, ran) {
				t.Errorf("ran %v, want %v", got, ran)
			}
			if got, want := r.bySuite(event.CaseElsewhere), map[string]string{"fast": "test_b.py::TestY::test_y"}; !maps.Equal(got, want) || r.Status != event.OK {
				t.Errorf("status %s, elsewhere %v, want %v", r.Status, got, want)
			}
		})
	}
}

func TestMarksThatSayOtherThanAPluginAreTold(t *testing.T) {
	for name, tt := range map[string]struct{ file, entry, want string }{
		"a container": {placed, "test_o - p", "?!its mark wants the container other, and p/a.list:1 says p"},
		"a suite":     {suited, "test_slow fast -", "?!its marks put it into the suite slow, and p/a.list:1 into fast"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"test_a.py": tt.file})
			w.unit.Suites, w.unit.Places = suites("run", "run", "run"), plan.Places{Default: "p", Names: names}
			w.assign("test_a.py", tt.entry)
			found := 0
			for _, e := range w.run(t.Context()).events {
				if e.Type == event.CaseElsewhere && e.Belongs == tt.want && e.Case == "test_a.py::"+strings.Fields(tt.entry)[0] {
					found++
				}
			}
			if found != 1 {
				t.Errorf("it is told %d times", found)
			}
		})
	}
}

func TestFilesThatOnlyAPluginKnowsAreCollected(t *testing.T) {
	files := map[string]string{
		"test/test_a.py": "def test_a(): pass", "test/checks.py": "def test_c(): assert [1] == [2]", "bench/speed.py": "def test_s(): pass", "bench/test_no.py": "raise SystemExit",
	}
	for name, tt := range map[string]struct {
		args []string
		want map[string]event.Outcome
	}{
		"in all":          {nil, map[string]event.Outcome{"test/test_a.py::test_a": event.Passed, "test/checks.py::test_c": event.Failed, "bench/speed.py::test_s": event.Passed}},
		"in a directory":  {[]string{"test"}, map[string]event.Outcome{"test/test_a.py::test_a": event.Passed, "test/checks.py::test_c": event.Failed}},
		"by name":         {[]string{"test/checks.py"}, map[string]event.Outcome{"test/checks.py::test_c": event.Failed}},
		"by name, a case": {[]string{"bench/speed.py::test_s"}, map[string]event.Outcome{"bench/speed.py::test_s": event.Passed}},
		"under xdist":     {[]string{"-n2"}, map[string]event.Outcome{"test/test_a.py::test_a": event.Passed, "test/checks.py::test_c": event.Failed, "bench/speed.py::test_s": event.Passed}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, files)
			w.unit.Args, w.unit.Paths = tt.args, []string{"test"}
			w.unit.Further = []string{filepath.Join(w.unit.Dir, "test/checks.py"), filepath.Join(w.unit.Dir, "bench/speed.py")}
			if got := w.run(t.Context()).outcomes(); !maps.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// lab is a notebook as somebody works with it.
const lab = `{"cells": [
{"cell_type": "markdown", "source": ["# Lab"]},
{"cell_type": "code", "source": ["%matplotlib inline\n", "import pytest, os\n", "from beside import twice\n", "import json\n", "data = json.load(open('data.json'))\n", "x = 1\n"]},
{"cell_type": "code", "source": "x += 1\nassert x == 2"},
{"cell_type": "code", "source": ["%%bash\n", "exit 1\n"]},
{"cell_type": "code", "source": ["assert twice(x) == data['wrong']\n"]},
{"cell_type": "code", "source": ["@pytest.fixture\n", "def one(): return 1\n", "@pytest.mark.parametrize('n', [1, 2])\n", "def test_n(n, one, tmp_path):\n", "    assert n == one\n"]},
{"cell_type": "code", "source": ["x += 1\n", "y = x\n"]},
{"cell_type": "code", "source": ["assert x == 3, y\n"]}
], "metadata": {}, "nbformat": 4}`

func TestNotebooksRunWithNothingButPytest(t *testing.T) {
	w := newWorld(t, map[string]string{"nb/lab.ipynb": lab, "nb/beside.py": "def twice(x): return 2 * x", "nb/data.json": `{"wrong": 5}`, "test_a.py": "def test_a(): pass"})
	w.assign("nb/lab.ipynb", "cell[2] - -", "cell[4] - -", "test_n - -", "cell[7] - -")
	w.unit.Further = []string{filepath.Join(w.unit.Dir, "nb/lab.ipynb")}
	r := w.run(t.Context())
	const nb = "nb/lab.ipynb::"
	want := map[string]event.Outcome{
		"test_a.py::test_a": event.Passed, nb + "cell[2]": event.Passed, nb + "cell[4]": event.Failed, nb + "cell[7]": event.Passed,
		nb + "test_n[1]": event.Passed, nb + "test_n[2]": event.Failed,
	}
	if got := r.outcomes(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for id, line := range map[string]int{"cell[2]": 10, "cell[4]": 11, "test_n[2]": 12, "cell[7]": 13} {
		if c := r.project.Case(nb + id); c == nil || c.File != "p/nb/lab.ipynb" || c.Line != line {
			t.Errorf("%s is at %+v, want line %d", id, c, line)
		}
	}
	failed := r.of(nb + "cell[4]")
	if !strings.Contains(failed.Text, "assert 4 == 5") || !strings.Contains(failed.Details, "lab.ipynb::cell[4]:1: AssertionError") {
		t.Errorf("it says %q\n%s", failed.Text, failed.Details)
	}
	if strings.Contains(failed.Details, "wr_further") {
		t.Errorf("it shows what is wr's:\n%s", failed.Details)
	}
}

func TestCellsRunAsAtANotebook(t *testing.T) {
	notebook := func(cells ...string) string {
		for i, source := range cells {
			cells[i] = `{"cell_type": "code", "source": "` + source + `"}`
		}
		return `{"cells": [` + strings.Join(cells, ",") + `]}`
	}
	for name, tt := range map[string]struct {
		notebook string
		tests    []string
		args     []string
		want     string // outcomes of the tests
		text     string // of the last
	}{
		"what comes before has run":           {notebook("x = 1", "x += 1", "assert x == 2"), []string{"cell[3]"}, nil, "passed", ""},
		"no cell twice":                       {notebook("x = 1", "x += 1", "x += 1", "assert x == 3"), []string{"cell[2]", "cell[4]"}, nil, "passed passed", ""},
		"a test that fails is not repeated":   {notebook("x = 1", "x += 1; assert 0", "assert x == 2"), []string{"cell[2]", "cell[3]"}, nil, "failed passed", ""},
		"a cell that fails, for all after it": {notebook("x = 1", "1 / 0", "pass", "pass"), []string{"cell[1]", "cell[3]", "cell[4]"}, nil, "passed failed failed", "ZeroDivisionError: division by zero"},
		"a test that was not chosen":          {notebook("x = 1", "x += 1", "assert x == 2"), []string{"cell[2]", "cell[3]"}, []string{"nb.ipynb::cell[3]"}, "passed", ""},
		"a cell that is not there":            {notebook("x = 1"), []string{"cell[4]"}, nil, "failed", "LookupError: there is no cell[2]: the notebook has 1 with code"},
		"that which is shown":                 {notebook("display('x')", "x = 'why?'\\nx?\\n!ls"), []string{"cell[2]"}, nil, "passed", ""},
		"in no Python":                        {notebook("pass", "let x = 1"), []string{"cell[2]"}, nil, "failed", "SyntaxError"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"nb.ipynb": tt.notebook})
			for _, id := range tt.tests {
				w.assign("nb.ipynb", id+" - -")
			}
			w.unit.Args, w.unit.Further = tt.args, []string{filepath.Join(w.unit.Dir, "nb.ipynb")}
			r := w.run(t.Context())
			var outcomes []string
			var last event.Event
			for _, e := range r.events {
				if e.Type == event.CaseFinished {
					outcomes, last = append(outcomes, string(e.Outcome)), e
				}
			}
			if got := strings.Join(outcomes, " "); got != tt.want || !strings.Contains(last.Text, tt.text) {
				t.Errorf("got %s, %q, want %s, %q", got, last.Text, tt.want, tt.text)
			}
		})
	}
}

func TestANotebookThatCannotDefineItsTestsIsAnErrorWithItsCell(t *testing.T) {
	w := newWorld(t, map[string]string{"nb.ipynb": `{"cells": [{"cell_type": "code", "source": "def test_x(): pass"}, {"cell_type": "code", "source": "pass\n1 / 0"}]}`})
	w.assign("nb.ipynb", "test_x - -")
	w.unit.Further = []string{filepath.Join(w.unit.Dir, "nb.ipynb")}
	r := w.run(t.Context())
	if len(r.project.CollectErrors) != 1 || r.exit != 1 {
		t.Fatalf("exit %d, %+v", r.exit, r.project.CollectErrors)
	}
	e := r.project.CollectErrors[0]
	if !strings.Contains(e.Details, `nb.ipynb::cell[2]", line 2`) || strings.Contains(e.Details, "wr_further") || !strings.Contains(e.Text, "ZeroDivisionError") {
		t.Errorf("%q\n%s", e.Text, e.Details)
	}
}

func TestACellRunsAgainInANotebookOfItsOwn(t *testing.T) {
	w := newWorld(t, map[string]string{"nb.ipynb": `{"cells": [{"cell_type": "code", "source": "import os\nx = 1"}, {"cell_type": "code", "source": "x += 1\nassert x == 2 and os.path.exists('again'), open('again', 'w')"}]}`})
	w.assign("nb.ipynb", "cell[2] - -")
	w.unit.Further, w.unit.Timeout = []string{filepath.Join(w.unit.Dir, "nb.ipynb")}, time.Minute
	w.limit(plan.Policy{Reruns: plan.Reruns{Any: 1}})
	if c := w.run(t.Context()).project.Case("nb.ipynb::cell[2]"); c == nil || c.Outcome != event.Passed || len(c.Attempts) != 1 {
		t.Errorf("got %+v", c)
	}
}
