package testrun_test

import (
	"fmt"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestAFailureToWriteNamesTheFileOfAnother(t *testing.T) {
	t.Parallel()
	suspect := &fault.Error{Code: "mount.foreign_uid", Message: "build belongs to 0:0", Next: "sudo chown"}
	for name, c := range map[string]struct {
		text    string
		suspect *fault.Error
		message string // "" = the failure says it all
	}{
		"denied, and there is one":    {"PermissionError: [Errno 13] Permission denied: 'build/x'", suspect, "build belongs to 0:0"},
		"refused, and there is one":   {"PermissionError: [Errno 1] Operation not permitted: 'build'", suspect, "build belongs to 0:0"},
		"denied, and there is none":   {"PermissionError: [Errno 13] Permission denied: '/etc/x'", nil, ""},
		"another failure":             {"assert 1 == 2", suspect, ""},
		"somebody else wrote himself": {"OSError: [Errno 75] Value too large for defined data type: 'x'", nil, "a process of another user than the container's cannot make files in the workspace"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			failed := fmt.Sprintf(`{"n":5,"t":"start","c":1}
{"n":6,"t":"phase","c":1,"when":"call","outcome":"failed","seconds":0,"details":%q}
{"n":7,"t":"done","c":1,"plain":[]}
{"n":8,"t":"finish","lines":8,"exit":1}
`, c.text)
			w.runner = scripted{facts: opening + passedX + failed, exit: spec.Exit{Code: 1, Suspect: c.suspect}}
			r := w.run(t.Context())
			if r.of("a.py::y").Outcome != event.Failed || r.Status != event.Bad || r.exit != 1 {
				t.Fatalf("got %+v, status %s, exit %d", r.of("a.py::y"), r.Status, r.exit)
			}
			var warned *fault.Error
			for _, e := range r.events {
				if e.Type == event.Warning {
					warned = e.Fault
				}
			}
			switch {
			case r.Fault != nil:
				t.Errorf("a fault beside the failure: %v", r.Fault)
			case c.message == "" && warned != nil:
				t.Errorf("got %v", warned)
			case c.message != "" && (!fault.HasCode(warned, "mount.foreign_uid") || warned.Message != c.message || warned.Next == ""):
				t.Errorf("got %v, want %q", warned, c.message)
			}
		})
	}
}
