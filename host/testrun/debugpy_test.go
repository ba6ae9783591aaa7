package testrun_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
)

// fakeDebugpy notes what it is asked to do.
const fakeDebugpy = `
import os

def note(what):
    with open(os.path.join(os.path.dirname(__file__), "calls"), "a") as f:
        f.write(what + "\n")

def listen(address): note("listen %s:%d" % address)
def wait_for_client(): note("wait")
`

// attached tests files with an editor that attaches to a port.
func attached(t *testing.T, files map[string]string, args ...string) (*world, result, []spec.Port) {
	t.Helper()
	w := newWorld(t, files)
	var ports []spec.Port
	w.runner = onHost{before: func(p *spec.Process) { ports = p.Ports }}
	w.unit.Args, w.unit.Debug = args, plan.Debug{Port: 4321}
	return w, w.run(t.Context()), ports
}

func TestTestsWaitForAnEditor(t *testing.T) {
	t.Parallel()
	files := map[string]string{"debugpy.py": fakeDebugpy, "test_a.py": "def test_x():\n    with open('calls', 'a') as f: f.write('test\\n')\n"}
	w, r, ports := attached(t, files, "-n2") // of pytest-xdist, from which tests are kept
	if r.Status != event.OK {
		t.Errorf("got %s, %v", r.Status, r.Fault)
	}
	calls, _ := os.ReadFile(filepath.Join(w.unit.Dir, "calls"))
	if string(calls) != "listen 127.0.0.1:4321\nwait\ntest\n" {
		t.Errorf("the calls are %q", calls)
	}
	if want := []spec.Port{{Address: "127.0.0.1:4321", Container: 4321}}; !slices.Equal(ports, want) {
		t.Errorf("ports are %v", ports)
	}
	e := r.events[1]
	if e.Type != event.DebuggerWaits || e.Text != "127.0.0.1:4321" {
		t.Fatalf("the second event is %+v", e)
	}
	_, text, _ := strings.Cut(e.Details, "launch.json:\n")
	var launch map[string]any
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&launch); err != nil || launch["type"] != "debugpy" || launch["request"] != "attach" {
		t.Errorf("%v in %s", err, e.Details)
	}
	if !strings.Contains(text, `"localRoot": "`+w.root+`"`) {
		t.Errorf("the sources are not said to be in %s: %s", w.root, text)
	}
}

func TestOnTheNetworkOfThisMachineNoPortLeadsAnywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"debugpy.py": fakeDebugpy, "test_a.py": "def test_x(): pass\n"})
	ports := []spec.Port{{}}
	w.runner = onHost{before: func(p *spec.Process) { ports = p.Ports }}
	w.unit.Container.Network, w.unit.Debug = spec.NetworkHost, plan.Debug{Port: 4321}
	if r := w.run(t.Context()); r.Status != event.OK || len(ports) != 0 {
		t.Errorf("got %s, with the ports %v", r.Status, ports)
	}
}

func TestWhyThereCanBeNoEditorIsSaid(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ module, code, message string }{
		"debugpy is not there": {
			"raise ModuleNotFoundError(\"No module named 'debugpy'\")\n", "test.debugpy_missing", "debugpy is not in the image: No module named 'debugpy'",
		},
		"its port is taken": {
			"def listen(address): raise RuntimeError('Address in use')\n", "test.debugpy_port", "debugpy cannot listen in the container: Address in use",
		},
		"nobody listens any more": {
			"import threading\nended = threading.Event()\ndef listen(address): pass\ndef wait_for_client(): assert ended.wait(60)\nwait_for_client.cancel = ended.set\n",
			"test.debugpy_ended", "debugpy has ended before an editor attached: nobody listens on port 4321 any more",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, r, _ := attached(t, map[string]string{"debugpy.py": test.module, "test_a.py": "def test_x(): pass\n"})
			if r.Status != event.Broken || r.code() != test.code || r.Fault.Message != test.message || r.Fault.Next == "" {
				t.Errorf("got %s, %+v", r.Status, r.Fault)
			}
		})
	}
}
