package fault_test

import (
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestTheClosestIsSuggestedOrTheOnlyOneThatBeginsSo(t *testing.T) {
	for name, want := range map[string]string{
		"optimiser":      "optimizer",
		"infar":          "infra",
		"fs.read:":       "fs.read:**/*.py",
		"exec:":          "", // two begin so
		"something else": "",
		"":               "",
	} {
		if got := fault.Closest(name, []string{"infra", "optimizer", "fs.read:**/*.py", "exec:ruff check", "exec:shellcheck"}); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
