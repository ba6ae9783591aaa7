package testrun_test

import (
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
