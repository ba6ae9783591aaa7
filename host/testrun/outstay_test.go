package testrun_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/event"
)

func TestWhatTestsLeaveBehindKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	const leave = "import threading\ndef stay(): threading.Event().wait()\ndef test_x(): threading.Thread(target=stay, name='left').start()\n"
	for name, tt := range map[string]struct {
		body   string
		status event.Status
		exit   int
		warned bool
	}{
		"a thread":                     {leave, event.OK, 0, true},
		"a thread, beside a failure":   {leave + "def test_y(): assert 0\n", event.Bad, 1, true},
		"a thread, deaf to interrupts": {strings.ReplaceAll(leave, "def stay(): threading", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ndef stay(): threading"), event.OK, 0, true},
		"a daemon":                     {strings.ReplaceAll(leave, "name='left'", "daemon=True"), event.OK, 0, false},
		"a process":                    {"import subprocess\ndef test_x(): subprocess.Popen(['sleep', '1000'])\n", event.OK, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newWorld(t, one(tt.body)).run(t.Context())
			if r.Status != tt.status || r.Fault != nil || r.exit != tt.exit || r.of("test_a.py::test_x").Outcome != event.Passed {
				t.Errorf("status %s, fault %v, exit %d, %v", r.Status, r.Fault, r.exit, r.outcomes())
			}
			i := slices.IndexFunc(r.events, func(e event.Event) bool { return e.Fault != nil && e.Fault.Code == "test.outstayed" })
			if tt.warned != (i >= 0) {
				t.Fatalf("warned is %t, want %t", i >= 0, tt.warned)
			}
			if tt.warned && !strings.Contains(r.events[i].Fault.Message, "threads that tests have left: left") {
				t.Errorf("the thread is not named: %v", r.events[i].Fault)
			}
		})
	}
}
