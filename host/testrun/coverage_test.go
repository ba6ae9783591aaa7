package testrun_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
)

// module is code with one line for each way in which it can be run.
const module = `
def called():
    return 1

def by_child():
    return 2

def by_fork():
    return 3

def never():
    return 4
`

// coverageFile is a file in coverage.json.
type coverageFile struct {
	Executed []int `json:"executed_lines"`
	Missing  []int `json:"missing_lines"`
}

// covered tests the world's unit, measured, and returns what is covered by file.
func (w *world) covered() (result, map[string]coverageFile) {
	w.Helper()
	w.unit.Coverage = true
	r := w.run(w.Context())
	out := w.TempDir()
	plan := filepath.Join(out, "plan.json")
	if err := os.WriteFile(plan, []byte(`{"units": [{"folder": "p/coverage", "project": "p", "nested": ["p/nested"]}]}`), 0o600); err != nil {
		w.Fatal(err)
	}
	cmd := exec.CommandContext(w.Context(), python(w), "plugin/wr_combine.py", w.root, filepath.Dir(w.recorded()), out, plan)
	if text, err := cmd.CombinedOutput(); err != nil {
		w.Fatalf("combine: %v\n%s", err, text)
	}
	text, err := os.ReadFile(filepath.Join(out, "coverage.json"))
	if err != nil {
		w.Fatal(err)
	}
	var document struct {
		Files map[string]coverageFile `json:"files"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		w.Fatal(err)
	}
	return r, document.Files
}

// wantCovered fails unless just those lines of the file are not covered.
func (w *world) wantCovered(files map[string]coverageFile, name string, missing ...int) {
	w.Helper()
	found, there := files[name]
	if !there {
		w.Errorf("there is nothing of %s", name)
	}
	if !slices.Equal(found.Missing, missing) {
		w.Errorf("of %s lines %v are not covered, want %v", name, found.Missing, missing)
	}
}

func TestTheCodeOfAllProcessesIsMeasured(t *testing.T) {
	t.Parallel()
	tests := `
import multiprocessing, subprocess, sys
import lib.m, shared
def test_called(): lib.m.called()
def test_child(tmp_path): subprocess.run([sys.executable, "-c", "import lib.m; lib.m.by_child()"], cwd=str(tmp_path), check=True)
def test_fork():
    p = multiprocessing.get_context("fork").Process(target=lib.m.by_fork)
    p.start()
    p.join()
    assert p.exitcode == 0
`
	for name, args := range map[string][]string{"in one process": nil, "by workers of xdist": {"-n2"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, map[string]string{
				"lib/__init__.py": "", "lib/m.py": module, "lib/unused.py": "x = 1\n", "conftest.py": "y = 1\n", "test_m.py": tests, "nested/n.py": "z = 1\n",
			})
			w.write("shared.py", "s = 1\n")
			w.unit.Args = args
			w.unit.Container.Env = []string{"PYTHONPATH=" + w.root + ":" + w.unit.Dir}
			r, files := w.covered()
			if r.Status != event.OK {
				t.Errorf("ended as %s", r.Status)
			}
			w.wantCovered(files, "p/lib/m.py", 12)
			w.wantCovered(files, "p/lib/unused.py", 1)
			w.wantCovered(files, "p/conftest.py")
			w.wantCovered(files, "p/test_m.py")
			w.wantCovered(files, "shared.py")
			if len(files) != 6 {
				t.Errorf("measured are %v", files)
			}
		})
	}
}

func TestAProjectSaysItselfWhatIsMeasured(t *testing.T) {
	t.Parallel()
	tests := map[string]string{"src/m.py": "a = 1\n", "src/skip.py": "b = 1\n", "src/unused.py": "c = 1\n", "test_m.py": "import src.m, src.skip\ndef test_m(): pass\n"}
	for name, tt := range map[string]struct {
		file, text string
		want       []string
	}{
		"in .coveragerc": {
			"p/.coveragerc", "[run]\nsource = src\nomit = src/skip.py\nbranch = false\nrelative_files = true\ndata_file = elsewhere\n", []string{"p/src/m.py", "p/src/unused.py"},
		},
		"in setup.cfg":               {"p/setup.cfg", "[coverage:run]\ninclude = src/*\n[coverage:report]\nomit = */skip.py\n", []string{"p/src/m.py"}},
		"in the workspace's root":    {".coveragerc", "[run]\nomit =\n  p/src/*\n", []string{"p/test_m.py"}},
		"with a variable and a sign": {"p/.coveragerc", "[run]\nsource = ${NOT_SET-src}\ncontext = a$$b\n", []string{"p/src/m.py", "p/src/skip.py", "p/src/unused.py"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tests)
			w.write("p/src/__init__.py", "")
			w.write(tt.file, tt.text)
			_, files := w.covered()
			var names []string
			for name, file := range files {
				if len(file.Executed)+len(file.Missing) > 0 && filepath.Base(name) != "__init__.py" { // Python 3.8 runs a line of an empty file
					names = append(names, name)
				}
			}
			slices.Sort(names)
			if !slices.Equal(names, tt.want) {
				t.Errorf("measured are %q, want %q", names, tt.want)
			}
			if _, err := os.Stat(filepath.Join(w.root, "p", "elsewhere")); err == nil {
				t.Error("the data are in the project's directory")
			}
		})
	}
}

func TestWhatCannotBeMeasuredIsToldAndStillTested(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files   map[string]string
		args    []string
		problem string
	}{
		"coverage.py is missing": {
			files: map[string]string{"coverage.py": "raise ImportError('No module')"}, problem: "coverage.py is not in the image: No module",
		},
		"coverage.py is old": {
			files: map[string]string{"coverage.py": "version_info = (5, 5, 0, 'final', 0)\n__version__ = '5.5'"}, problem: "coverage.py 5.5 in the image is older than 6.3",
		},
		"its configuration is broken": {
			files: map[string]string{".coveragerc": "[run]\nbranch = perhaps\n"}, problem: "the configuration of coverage.py cannot be used",
		},
		"pytest-cov measures": {
			files: map[string]string{"fakecov.py": "def pytest_addoption(parser): parser.addoption('--measure', dest='cov_source', action='append')\n"},
			args:  []string{"-p", "fakecov", "--measure=src"}, problem: "pytest-cov measures here",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.files)
			w.write("p/test_a.py", "def test_a(): pass\n")
			w.unit.Args, w.unit.Coverage = tt.args, true
			r := w.run(t.Context())
			status, err := os.ReadFile(filepath.Join(w.recorded(), "coverage", "status.json"))
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != event.OK || !strings.Contains(string(status), `"problem": "`+tt.problem) {
				t.Errorf("ended as %s, told is %s", r.Status, status)
			}
		})
	}
}

func TestAProcessThatDiesLeavesASignThatItsCoverageIsMissing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		test string
		want int
	}{"dies": {"import os\ndef test_a(): os._exit(3)\n", 1}, "ends": {"def test_a(): pass\n", 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, map[string]string{"test_a.py": tt.test})
			w.unit.Coverage = true
			w.run(t.Context())
			began, err := filepath.Glob(filepath.Join(w.recorded(), "coverage", "began.*"))
			if err != nil || len(began) != tt.want {
				t.Errorf("%d processes have not written their data (%v), want %d", len(began), err, tt.want)
			}
		})
	}
}

func TestWhoTakesThePlaceOfWhatMeasuresLeavesASign(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		test string
		want int
	}{
		"for good":           {"import sys\ndef test_a(): sys.settrace(None)\ndef test_b(): pass\n", 1},
		"and gives it back":  {"import sys\ndef test_a():\n    was = sys.gettrace()\n    sys.settrace(None)\n    sys.settrace(was)\n", 0},
		"and nobody does so": {"def test_a(): pass\n", 0},
		"at a breakpoint":    {"import io, pdb\ndef test_a(): pdb.Pdb(stdin=io.StringIO('c\\n'), stdout=io.StringIO()).set_trace()\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, map[string]string{"test_a.py": tt.test})
			w.unit.Coverage = true
			w.run(t.Context())
			lost, err := filepath.Glob(filepath.Join(w.recorded(), "coverage", "lost.*"))
			if err != nil || len(lost) != tt.want {
				t.Errorf("%d processes say that something is lost (%v), want %d", len(lost), err, tt.want)
			}
		})
	}
}

func TestWhatIsTestedInASecondRoundOrProcessIsMeasuredToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"lib.py": module, "test_a.py": "import lib\ndef test_a(): lib.called()\n",
		"test_b.py": "import lib, os\ndef test_dies(): os._exit(3)\ndef test_b(): lib.by_child()\n",
	})
	w.unit.Coverage, w.unit.Args = true, []string{"test_a.py"}
	w.run(t.Context())
	w.unit.Again, w.unit.Args = true, []string{"test_b.py"}
	_, files := w.covered()
	w.wantCovered(files, "p/lib.py", 9, 12)
}

func TestTheSitecustomizeOfAnImageStillRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"late/sitecustomize.py": "import builtins\nbuiltins.customized = True\n",
		"test_a.py":             "import subprocess, sys\ndef test_a(): subprocess.run([sys.executable, '-c', 'customized'], check=True)\n",
	})
	late := filepath.Join(w.unit.Dir, "late")
	w.unit.Coverage = true
	w.runner = onHost{before: func(p *spec.Process) { // as the folders of an image are
		for i, variable := range p.Env {
			if strings.HasPrefix(variable, "PYTHONPATH=") {
				p.Env[i] += ":" + late
			}
		}
	}}
	if r := w.run(t.Context()); r.Status != event.OK {
		t.Errorf("ended as %s", r.Status)
	}
}
