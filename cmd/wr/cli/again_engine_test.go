//go:build linux && engine

package cli

import (
	"encoding/json"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
)

// interruptedAt starts wr and presses Ctrl-C when a case begins for the nth time.
// It returns wr's exit code and the last event.
func (w real) interruptedAt(dir, id string, nth int, args ...string) (exit int, last event.Event) {
	w.t.Helper()
	command := w.command(dir, append(args, "--json")...)
	stdout, err := command.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		w.t.Fatal(err)
	}
	events := json.NewDecoder(stdout)
	for {
		var e event.Event
		if events.Decode(&e) != nil {
			break
		}
		if last = e; e.Type != event.CaseStarted || e.Case != id {
			continue
		}
		if nth--; nth == 0 {
			if err := command.Process.Signal(syscall.SIGINT); err != nil {
				w.t.Error(err)
			}
		}
	}
	if nth > 0 {
		w.t.Errorf("%s began too rarely: %d times more were to come", id, nth)
	}
	return code(w.t, command.Wait()), last
}

// TestCtrlCEndsReruns interrupts a case that runs again: after the others, and, with -x,
// before them.
func TestCtrlCEndsReruns(t *testing.T) {
	w := realWr(t)
	const tests = `
import pathlib, pytest, threading

def fails_at_first(name):
    mark = pathlib.Path(__file__).with_name(name)
    if not mark.exists():
        mark.write_text("")
        pytest.fail("no luck")

def test_passes(): pass

def test_hangs_again():
    fails_at_first("hangs")
    threading.Event().wait()

def test_fails(): fails_at_first("fails")

def test_last(): pass
`
	for name, c := range map[string]struct {
		args []string
		want map[string]string // outcome and reason of each case
	}{
		"after the others": {nil, map[string]string{
			"test_passes": "passed", "test_hangs_again": "failed Failed: no luck; not run again: interrupted",
			"test_fails": "failed Failed: no luck; not run again: interrupted", "test_last": "passed",
		}},
		"before the others": {[]string{"-x"}, map[string]string{
			"test_passes": "passed", "test_hangs_again": "failed Failed: no luck; not run again: interrupted",
			"test_fails": "not_run interrupted", "test_last": "not_run interrupted",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			dir := t.TempDir()
			lay(t, dir, map[string]string{"wr.toml": "[workspace]\nname = \"again\"\n", "p/devops/Dockerfile": "FROM acme/python\n", "p/test_a.py": tests})
			if out, errs, code := w.run(dir, "build", "p"); code != 0 {
				t.Fatalf("build: exit %d\n%s\n%s", code, out, errs)
			}
			before := w.census()
			exit, last := w.interruptedAt(dir, "test_a.py::test_hangs_again", 2, append([]string{"test", "p", "--reruns", "3"}, c.args...)...)
			if exit != 130 || last.Type != event.RunFinished || last.Exit != 130 || !last.Interrupted {
				t.Errorf("exit %d, the last event is %+v", exit, last)
			}
			w.leavesNothing(before)
			r := lastReport(t, dir)
			p, got := r.Project("p"), map[string]string{}
			for _, one := range p.Cases {
				reason := one.Text
				if reason != "" {
					reason = " " + reason
				}
				got[one.ID[len("test_a.py::"):]] = string(one.Outcome) + reason
			}
			if diff := cmp.Diff(c.want, got); diff != "" || p.Status != event.Interrupted || !r.Interrupted {
				t.Errorf("%s, cases (-want +got):\n%s", p.Status, diff)
			}
		})
	}
}
