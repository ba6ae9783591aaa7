//go:build linux && engine

package cli

import (
	"strings"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
)

// TestWhatHangsOrDiesCostsItselfAlone has cases that hang in Python and in C,
// one that dies and one that is flaky, in a container that is kept and in fresh ones.
func TestWhatHangsOrDiesCostsItselfAlone(t *testing.T) {
	w := realWr(t)
	before := w.census()
	dir := t.TempDir()
	lay(t, dir, map[string]string{
		"wr.toml":             "[workspace]\nname = \"attempts\"\n",
		"p/devops/Dockerfile": "FROM acme/python\n",
		"p/test/test_it.py": `
import ctypes, os, pathlib, threading, time

def test_before(): pass
def test_hangs(): threading.Event().wait()
def test_hangs_in_c(): ctypes.PyDLL(None).sleep(1000)
def test_ignores_the_interrupt():
    while True:
        try: time.sleep(1000)
        except BaseException: pass
def test_dies(): os._exit(1)
def test_flaky():
    mark = pathlib.Path(__file__).with_name("mark")
    if not mark.exists():
        mark.write_text("")
        assert 0, "no luck"
    mark.unlink()
def test_after(): pass
`,
	})
	for _, how := range [][]string{nil, {"--fresh"}} {
		t.Run(strings.Join(how, " "), func(t *testing.T) {
			out, errs, code := w.run(dir, append([]string{"test", "p", "--case-timeout", "2s", "--reruns", "1"}, how...)...)
			p := lastReport(t, dir).Project("p")
			if got, want := p.Counts(), (report.Counts{Collected: 7, Passed: 3, Failed: 3, Errored: 1}); got != want || code != 1 || p.Status != event.Bad || p.Fault != nil {
				t.Fatalf("got %+v, exit %d, %s, %v\n%s%s", got, code, p.Status, p.Fault, out, errs)
			}
			for _, name := range []string{"test_hangs", "test_hangs_in_c", "test_ignores_the_interrupt"} {
				c := p.Case("test/test_it.py::" + name)
				if c.Text != "attempt 2: it took longer than 2s" || !strings.Contains(c.Details, "in "+name) || len(c.Attempts) != 1 || !strings.Contains(c.Attempts[0].Details, "in "+name) {
					t.Errorf("%s: %q, attempts %+v, details\n%s", name, c.Text, c.Attempts, c.Details)
				}
			}
			if c := p.Case("test/test_it.py::test_flaky"); !c.Flaky() {
				t.Errorf("test_flaky: %+v", c)
			}
		})
	}
	w.leavesNothing(before)
}
