//go:build pytestplugins

package testrun_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
)

// These tests need pytest-xdist, pytest-forked, pytest-rerunfailures,
// pytest-timeout and pytest-cov beside pytest < 9 (pytest-forked 1.7 fails with pytest 9 by itself),
// so they belong to the long tier. The zoo holds
// stand-ins that behave the same.
func TestRealPluginsAreUnderstood(t *testing.T) {
	many := map[string]event.Outcome{}
	for n := range 40 {
		many[fmt.Sprintf("test_a.py::test_x[%d]", n)] = event.Passed
	}
	cases := map[string]animal{
		"xdist": {
			files: one("import pytest\n@pytest.mark.parametrize('n', range(40))\ndef test_x(n): pass\n"), args: []string{"-n", "2"},
			want: many, status: event.OK,
		},
		"xdist, failing": {
			files: map[string]string{"test_a.py": "def test_x(): pass\ndef test_y(): assert 0\n", "test_b.py": "1 / 0\n"},
			args:  []string{"-n", "2", "--continue-on-collection-errors"},
			want:  outcomesOf("test_x", "passed", "test_y", "failed"), status: event.Bad, exit: 1,
		},
		"xdist, nested left out": {
			files: map[string]string{"test_a.py": "def test_x(): pass\n", "nested/test_n.py": "def test_n(): pass\n"},
			args:  []string{"-n", "2"}, want: outcomesOf("test_x", "passed"), status: event.OK,
		},
		"xdist, a worker dies": {
			files: one("import os\ndef test_x(): os._exit(3)\ndef test_y(): pass\n"), args: []string{"-n", "1"},
			want: outcomesOf("test_x", "errored", "test_y", "passed"), status: event.Bad, exit: 1,
		},
		"forked": {
			files: one("import os\ndef test_x(): os.kill(os.getpid(), 9)\ndef test_y(): pass\ndef test_z(): assert 0\n"), args: []string{"--forked"},
			want: outcomesOf("test_x", "errored", "test_y", "passed", "test_z", "failed"), status: event.Bad, exit: 1,
		},
		"rerunfailures": {
			files: one("tries = []\ndef test_x():\n    tries.append(1)\n    assert len(tries) > 2\ndef test_y(): assert 0\n"), args: []string{"--reruns", "2"},
			want: outcomesOf("test_x", "passed", "test_y", "failed"), status: event.Bad, exit: 1,
			texts: map[string]string{"test_a.py::test_x": "attempt 3", "test_a.py::test_y": "attempt 3: assert 0"},
		},
		"cov, below its threshold": {
			files: map[string]string{"m.py": "def f():\n    return 1\n    return 2\n", "test_a.py": "import m\ndef test_x(): pass\n"},
			args:  []string{"--cov=m", "--cov-fail-under=100"},
			want:  outcomesOf("test_x", "passed"), status: event.Bad, code: "test.exit_mismatch", exit: 1,
		},
	}
	for name, a := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, a.files)
			w.unit.Args, w.unit.Nested = a.args, []string{w.unit.Dir + "/nested"}
			a.check(t, w.run(t.Context()))
		})
	}
}

func TestCoverageIsThatOfAllProcessesTogether(t *testing.T) {
	for _, args := range [][]string{{"--cov=m", "--cov-fail-under=100"}, {"--cov=m", "--cov-fail-under=100", "-n2"}} {
		w := newWorld(t, map[string]string{
			"m.py":      "def f(x):\n    if x:\n        return 1\n    return 2\n",
			"test_a.py": counted + "import m\ndef test_1(): assert m.f(1) == 1\ndef test_2():\n    assert m.f(0) == 2\n    assert tries('two') > 1\n",
		})
		w.unit.Args = args
		w.limit(plan.Policy{Reruns: plan.Reruns{Any: 1}})
		if r := w.run(t.Context()); r.Status != event.OK || r.processes() != 2 {
			t.Errorf("%v: %s, %v, in %d processes", args, r.Status, r.Fault, r.processes())
		}
	}
}

func TestRerunfailuresIsLeftToRunFailuresAgain(t *testing.T) {
	w := newWorld(t, one("def test_x(): assert 0\n"))
	w.unit.Args = []string{"--reruns=2"}
	w.limit(plan.Policy{Reruns: plan.Reruns{Any: 1}})
	r := w.run(t.Context())
	warned := slices.ContainsFunc(r.texts(event.Warning), func(text string) bool { return strings.HasPrefix(text, "pytest-rerunfailures is set to") })
	if got := r.attempts("test_a.py::test_x"); got != "1 failed, 2 failed, failed" || r.processes() != 1 || !warned {
		t.Errorf("%s, in %d processes, warned: %v", got, r.processes(), warned)
	}
}

func TestATimeoutOfThePluginsOwnComesFirst(t *testing.T) {
	for method, want := range map[string]event.Outcome{"signal": event.Failed, "thread": event.Errored} {
		w := newWorld(t, hang("def test_hangs(): threading.Event().wait()"))
		w.unit.Args = []string{"--timeout=1", "--timeout-method=" + method}
		w.limit(plan.Policy{Timeout: 20 * time.Second})
		r := w.run(t.Context())
		if e := r.of("test_a.py::test_hangs"); e.Outcome != want || strings.Contains(e.Text, "longer than 20s") || r.of("test_a.py::test_after").Outcome != event.Passed {
			t.Errorf("%s: %s, %q", method, e.Outcome, e.Text)
		}
	}
}
