//go:build linux && engine

package cli

import (
	"strings"
	"testing"
)

// TestLimitsThatStrikeTestsAreNamed has tests that take too much memory and
// too much time, in containers that are kept and in fresh ones.
func TestLimitsThatStrikeTestsAreNamed(t *testing.T) {
	w := realWr(t)
	before := w.census()
	for name, test := range map[string]struct {
		limits, script string
		code           int
		says           []string
	}{
		"memory": {
			limits: `memory = "100MiB"`, script: "def test_greedy():\n    bytearray(400 << 20)\n",
			code: 1, says: []string{"limit.memory", "memory limit of 100MiB", "test_greedy"},
		},
		"time": {
			limits: `timeout = "4s"`, script: "import time\n\ndef test_slow():\n    time.sleep(1000)\n",
			code: 124, says: []string{"limit.timeout", "time limit of 4s", "test_slow"},
		},
	} {
		for _, how := range [][]string{{"test", "p"}, {"test", "p", "--fresh"}} {
			t.Run(name+", wr "+strings.Join(how, " "), func(t *testing.T) {
				dir := t.TempDir()
				lay(t, dir, map[string]string{
					"wr.toml":             "[workspace]\nname = \"limited\"\n",
					"p/wr.toml":           "[project]\n\n[limits]\n" + test.limits + "\n",
					"p/devops/Dockerfile": "FROM acme/python\n",
					"p/test/test_it.py":   "def test_before():\n    pass\n\n" + test.script,
				})
				out, errs, code := w.run(dir, how...)
				if code != test.code {
					t.Errorf("exit %d, want %d", code, test.code)
				}
				for _, words := range test.says {
					if !strings.Contains(out+errs, words) {
						t.Errorf("%q is not said:\n%s%s", words, out, errs)
					}
				}
				if total := lastReport(t, dir).Total(); total.Passed != 1 {
					t.Errorf("the test before: %+v", total)
				}
			})
		}
	}
	w.leavesNothing(before)
}

// TestWhatAnEntrypointPrintsIsNotLost looks for it in wr logs, and where the
// ENTRYPOINT fails, and no container stays, in the error.
func TestWhatAnEntrypointPrintsIsNotLost(t *testing.T) {
	w := realWr(t)
	before := w.census()
	dir := t.TempDir()
	for project, script := range map[string]string{
		"talks": `echo ready to serve; echo and a warning >&2; exec "$@"`,
		"fails": `echo no database there >&2; exit 4`,
	} {
		lay(t, dir, map[string]string{
			"wr.toml":                       "[workspace]\nname = \"entries\"\n",
			project + "/devops/Dockerfile":  "FROM acme/python\nCOPY --chmod=0755 entry /entry\nENTRYPOINT [\"/entry\"]\n",
			project + "/entry":              "#!/bin/sh\n" + script + "\n",
			project + "/test/test_empty.py": "def test_nothing():\n    pass\n",
		})
	}
	for _, command := range [][]string{{"exec", "talks", "--", "true"}, {"test", "talks"}} {
		if out, errs, code := w.run(dir, command...); code != 0 || strings.Contains(out+errs, "ready to serve") {
			t.Errorf("wr %v: exit %d\n%s%s", command, code, out, errs)
		}
		out, errs, code := w.run(dir, "logs", "talks")
		if code != 0 || !strings.Contains(out, "==> talks, entrypoint <==\nready to serve\nand a warning\n") {
			t.Errorf("wr logs after wr %v: exit %d\n%s%s", command, code, out, errs)
		}
	}
	for command, want := range map[string]int{"exec": 125, "test": 3} {
		args := []string{command, "fails"}
		if command == "exec" {
			args = append(args, "--", "true")
		}
		out, errs, code := w.run(dir, args...)
		if code != want || !strings.Contains(out+errs, "image.entrypoint") || !strings.Contains(out+errs, "no database there") {
			t.Errorf("wr %v: exit %d\n%s%s", args, code, out, errs)
		}
	}
	w.leavesNothing(before)
}
