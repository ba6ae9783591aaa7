//go:build pytestplugins

package testrun_test

import (
	"fmt"
	"testing"

	"github.com/wr-build/wr/host/event"
)

// These tests need pytest-xdist, pytest-forked, pytest-rerunfailures and
// pytest-cov beside pytest < 9 (pytest-forked 1.7 fails with pytest 9 by itself),
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
