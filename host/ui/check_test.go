package ui_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestWhatPluginsFindIsToldAsLintersTellIt(t *testing.T) {
	failed := &fault.Error{Code: "check.failed", Message: "gate, after test: wrong", File: "a/x", Line: 2}
	for name, tt := range map[string]struct {
		style ui.Style
		want  string
	}{
		"in full": {ui.Style{}, "a/x:1:3: warning slow is slow\na/x:2: error r wrong\n✗ a  after test\n  error: gate, after test: wrong [check.failed]\n     at: a/x:2\n"},
		"quietly": {ui.Style{Quiet: true}, "a/x:2: error r wrong\n✗ a  after test\n  error: gate, after test: wrong [check.failed]\n     at: a/x:2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			lines := ui.NewLines(&out, tt.style)
			for _, e := range []event.Event{
				{Type: event.Found, Project: "a", Linter: "gate", Hook: "before test", File: "a/x", Line: 1, Column: 3, Severity: "warning", Rule: "slow", Text: "is slow"},
				{Type: event.Checked, Project: "a", Linter: "gate", Hook: "before test", Fault: failed}, // told with the project's end
				{Type: event.Found, Project: "a", Linter: "gate", Hook: "after test", File: "a/x", Line: 2, Severity: "error", Rule: "r", Text: "wrong"},
				{Type: event.Checked, Project: "a", Linter: "gate", Hook: "after test", Fault: failed},
			} {
				lines.Emit(e)
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
