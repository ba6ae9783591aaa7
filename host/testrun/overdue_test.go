package testrun_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
)

// hang is a case that hangs, between one before and one after it.
func hang(body string) map[string]string {
	return one("import ctypes, os, re, signal, threading, time, pytest\ndef test_before(): pass\n" + body + "\ndef test_after(): pass\n")
}

// wantLate fails unless the case that hangs was ended for its time, its stacks
// show the words, and the others passed.
func (r result) wantLate(id string, words ...string) {
	r.Helper()
	for other, outcome := range r.outcomes() {
		if want := map[bool]event.Outcome{true: event.Failed, false: event.Passed}[other == id]; outcome != want {
			r.Errorf("%s %s, want %s", other, outcome, want)
		}
	}
	e := r.of(id)
	if e.Text != "it took longer than 1s" || r.Status != event.Bad || r.Fault != nil || r.exit != 1 {
		r.Errorf("text is %q, status %s, fault %v, exit %d", e.Text, r.Status, r.Fault, r.exit)
	}
	if e.Elapsed < time.Second {
		r.Errorf("it is said to have taken %v", e.Elapsed)
	}
	for _, word := range words {
		if !strings.Contains(e.Details, word) {
			r.Errorf("no %q in its stacks:\n%s", word, e.Details)
		}
	}
	if strings.Contains(e.Details, "_pytest/runner.py") {
		r.Errorf("its stacks show pytest's own frames:\n%s", e.Details)
	}
}

func TestACaseThatTakesTooLongIsEndedAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body  string
		args  []string
		words []string
	}{
		"in Python": {body: "def test_hangs(): threading.Event().wait()", words: []string{"test_a.py", "in test_hangs", `threading.py`}},
		"in C that holds the interpreter's lock": {
			body: "def test_hangs(): ctypes.PyDLL(None).sleep(1000)", words: []string{"in test_hangs"},
		},
		"in a regular expression": {
			body: "def test_hangs(): re.match('(a+)+$', 'a' * 60 + 'b')", words: []string{"in test_hangs", "/re/"},
		},
		"and ignores SIGINT": {
			body: "def test_hangs():\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n    threading.Event().wait()", words: []string{"in test_hangs"},
		},
		"and catches KeyboardInterrupt": {
			body: `
def test_hangs():
    while True:
        try: time.sleep(1000)
        except BaseException: pass
`, words: []string{"in test_hangs"},
		},
		"and passes when it is interrupted": {
			body: `
def test_hangs():
    try: time.sleep(1000)
    except KeyboardInterrupt: pass
`, words: []string{"in test_hangs"},
		},
		"in its setup": {
			body: "@pytest.fixture\ndef slow(): threading.Event().wait()\ndef test_hangs(slow): pass", words: []string{"in slow"},
		},
		"in its teardown, after it has failed": {
			body:  "@pytest.fixture\ndef slow():\n    yield\n    threading.Event().wait()\ndef test_hangs(slow): assert 0, 'seen'",
			words: []string{"in slow", "seen"},
		},
		"in another thread": {
			body:  "def other(): threading.Event().wait()\ndef test_hangs():\n    t = threading.Thread(target=other)\n    t.start()\n    t.join()",
			words: []string{"in other", "in test_hangs"},
		},
		"having closed all descriptors before": {
			body: "def test_closes(): os.closerange(3, 65536)\ndef test_hangs(): threading.Event().wait()", words: []string{"in test_hangs"},
			args: []string{"-s"},
		},
		"beside others, which start anew": {
			body: "def test_hangs(): threading.Event().wait()\n@pytest.mark.parametrize('n', range(20))\ndef test_x(n): time.sleep(0.2)",
			args: []string{"-n2"}, words: []string{"in test_hangs"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, hang(tt.body))
			w.unit.Args = tt.args
			w.limit(plan.Policy{Timeout: time.Second})
			w.run(t.Context()).wantLate("test_a.py::test_hangs", tt.words...)
		})
	}
}

func TestTheTeardownOfWhatASessionSharesIsPartOfItsLastCase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, one(`
import threading, pytest
@pytest.fixture(scope="session", autouse=True)
def shared():
    yield
    threading.Event().wait()
def test_x(): pass
def test_last(): pass
`))
	w.limit(plan.Policy{Timeout: time.Second})
	w.run(t.Context()).wantLate("test_a.py::test_last", "in shared")
}

func TestOutsideOfCasesNothingIsLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"conftest.py": "import time\ndef pytest_collection_modifyitems(): time.sleep(2)\ndef pytest_sessionfinish(): time.sleep(2)\n",
		"test_a.py":   "def test_x(): pass\n",
	})
	w.limit(plan.Policy{Timeout: 500 * time.Millisecond})
	if r := w.run(t.Context()); r.Status != event.OK {
		t.Errorf("got %s, %v", r.Status, r.outcomes())
	}
}

func TestStoppingAtTheFirstFailureIncludesWhatTookTooLong(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-x", "--stepwise"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, hang("def test_hangs(): threading.Event().wait()"))
			w.remembers()
			w.unit.Args = []string{flag}
			w.limit(plan.Policy{Timeout: time.Second})
			r := w.run(t.Context())
			if e := r.of("test_a.py::test_after"); e.Outcome != event.NotRun || e.Text != "stopping after 1 failures" || r.Status != event.Bad {
				t.Errorf("test_after %s: %q, %s", e.Outcome, e.Text, r.Status)
			}
		})
	}
}

func TestADumpOfTheUsersOwnIsLeftToThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, hang("def test_hangs(): threading.Event().wait()"))
	w.unit.Args = []string{"-o", "faulthandler_timeout=0.5"}
	w.limit(plan.Policy{Timeout: time.Second})
	r := w.run(t.Context())
	r.wantLate("test_a.py::test_hangs")
	if e := r.of("test_a.py::test_hangs"); e.Details != "" || !strings.Contains(r.log, "in test_hangs") {
		t.Errorf("its details are %q, the log is\n%s", e.Details, r.log)
	}
}

func TestAFileOfATestIsNotTakenForStacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, hang(`
import json
def test_hangs():
    folder = os.path.dirname(json.load(open(os.environ["WR_PYTEST"]))["events"])
    os.symlink("/etc/passwd", folder + "/stacks.1.link")
    os.mkfifo(folder + "/stacks.1.pipe")
    open(folder + "/stacks.1.text", "w").write("no id\nand no stacks")
    threading.Event().wait()
`))
	w.limit(plan.Policy{Timeout: time.Second})
	w.run(t.Context()).wantLate("test_a.py::test_hangs", "in test_hangs")
}
