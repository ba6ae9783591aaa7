package testrun_test

import (
	"slices"
	"testing"

	"github.com/wr-build/wr/host/event"
)

func TestADebuggerWithoutATerminalIsPointedOut(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]string{
		"breakpoint":   "def test_x():\n    breakpoint()\n    assert 0\n",
		"pdb":          "import pdb\ndef test_x():\n    pdb.set_trace()\n    assert 0\n",
		"pdb directly": "import pdb\ndef test_x():\n    pdb.Pdb().set_trace()\n    assert 0\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := newWorld(t, one(test)).run(t.Context())
			i := slices.IndexFunc(r.events, func(e event.Event) bool { return e.Fault != nil && e.Fault.Code == "test.debugger" })
			if i < 0 || r.events[i].Fault.Next != "wr test p/test_a.py::test_x --pdb" || r.events[i].Type != event.Warning || r.events[i].Line == 0 {
				t.Errorf("no warning, or a wrong one, in %+v", r.events)
			}
		})
	}
}
