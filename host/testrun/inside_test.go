package testrun_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/testrun"
)

// TestPytestThatPeopleRunThemselvesBehaves runs it as in a shell of a container:
// nothing on its command line says that there is wr.
func TestPytestThatPeopleRunThemselvesBehaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"test_a.py": placed, "nested/test_n.py": "def test_n(): assert 0"})
	dir := filepath.Join(w.root, "p")
	files, err := testrun.Inside("p", plan.Places{Default: "p", Names: names}, []string{filepath.Join(dir, "nested")}, suites("run", "run", "run"))
	if err != nil {
		t.Fatal(err)
	}
	plugin := filepath.Join(w.root, "plugin")
	for name, content := range files {
		w.write(filepath.Join("plugin", name), string(content))
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(python(t), append([]string{"-m", "pytest", "-p", "no:cacheprovider", "--strict-markers"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
		cmd.Env = append(cmd.Env, testrun.InsideEnv(plugin, []string{"PYTHONPATH=" + w.root})...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("pytest %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	for _, args := range [][]string{nil, {"-n2"}} {
		if out := run(args...); !strings.Contains(out, "11 passed") || !strings.Contains(out, "wr: 11 not here: they run in the container of other, by wr test") {
			t.Errorf("%v: %s", args, out)
		}
	}
	if out := run("--markers"); !strings.Contains(out, "@pytest.mark.container(name): ") {
		t.Error(out)
	}
	w.write("p/test_slow.py", "import pytest\n@pytest.mark.slow\ndef test_slow(): pass\n")
	if out := run("test_slow.py"); !strings.Contains(out, "1 passed") || strings.Contains(out, "warning") {
		t.Errorf("a mark of a suite: %s", out)
	}
	if out := run("-p", "no:wr_pytest", "-o", "addopts=", "--co", "-q", "nested"); !strings.Contains(out, "test_n") {
		t.Errorf("what was asked for: %s", out)
	}
}

// TestPytestOfAnImageBehavesWhereverTheWorkspaceLies runs it as in a job that has
// started an image with the plugin by itself.
func TestPytestOfAnImageBehavesWhereverTheWorkspaceLies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"test_a.py": placed, "nested/test_n.py": "def test_n(): assert 0", "wr.toml": "[project]\n",
		"test_c.py": "import pytest\n@pytest.mark.container('any' + 'where')\ndef test_c(): assert 0\n",
	})
	layer, err := testrun.InImage("p", plan.Places{Default: "p", Names: names}, []string{"p/nested"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(t.TempDir(), "image")
	for name, content := range layer.Files {
		name = filepath.Join(image, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	run := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.Command(python(t), append([]string{"-m", "pytest", "-p", "no:cacheprovider", "--strict-markers"}, args...)...)
		cmd.Dir = filepath.Join(w.root, dir)
		cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
		cmd.Env = append(cmd.Env, "PYTHONPATH="+w.root+":"+image+layer.Lists["PYTHONPATH"], "WR_PYTEST="+image+layer.Env["WR_PYTEST"])
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("pytest %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	for _, marker := range []string{"wr.toml", ".git"} {
		w.write(marker, "# the root\n[ workspace ]\n")
		for _, dir := range []string{"p", "."} {
			out := run(dir, "--rootdir", filepath.Join(w.root, "p"), filepath.Join(w.root, "p"))
			if !strings.Contains(out, "11 passed") || !strings.Contains(out, "wr: 11 not here: they run in the container of other, by wr test") || !strings.Contains(out, "wr: 1 not here: they run in the container of anywhere, by wr test") {
				t.Errorf("%s, from %s: %s", marker, dir, out)
			}
		}
		if err := os.Remove(filepath.Join(w.root, marker)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnImageKnowsOnlyTheNamesOfItsOwnProject(t *testing.T) {
	t.Parallel()
	where := plan.Places{Default: "home", Names: map[string]string{"p": "apps/p", "apps/p": "apps/p", "home": "home", "q": "apps/q"}}
	layer, err := testrun.InImage("apps/p", where, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Places struct{ Names map[string]string }
	}
	if err := json.Unmarshal([]byte(layer.Files[layer.Env["WR_PYTEST"]]), &config); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"p": "apps/p", "apps/p": "apps/p", "home": "home"}; !maps.Equal(config.Places.Names, want) || len(where.Names) != 4 {
		t.Errorf("got %v, want %v; it was given %v", config.Places.Names, want, where.Names)
	}
	if layer.Env["WR_PROJECT"] != "apps/p" || layer.Env["WR_HERE"] != "true" {
		t.Errorf("wr test in the image is told %v", layer.Env)
	}
}
