//go:build linux && engine

package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/spec"
)

// TestTheExampleIsTheSameInKeptAndFreshContainers also covers an environment
// that only an ENTRYPOINT makes.
func TestTheExampleIsTheSameInKeptAndFreshContainers(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "../../../examples/acme")
	before := w.census()
	var counts []report.Counts
	for _, args := range [][]string{{}, {}, {"--fresh"}} {
		out, errs, code := w.run(dir, append([]string{"test", "-r"}, args...)...)
		if code != 0 {
			t.Errorf("wr test -r %v: exit %d\n%s\n%s", args, code, out, errs)
		}
		counts = append(counts, lastReport(t, dir).Total())
	}
	if counts[0] != counts[1] || counts[1] != counts[2] {
		t.Errorf("counts are %+v", counts)
	}
	for _, args := range [][]string{{}, {}, {"--fresh"}} {
		out, _, code := w.run(dir, append(append([]string{"exec", "apps/web"}, args...), "--", "python3", "-c", "import sys; print(sys.prefix)")...)
		if out != "/opt/web\n" || code != 0 {
			t.Errorf("wr exec %v: exit %d, %q", args, code, out)
		}
	}
	w.leavesNothing(before)
}

// TestKeptContainersAreListedAndStopped goes through the daily commands.
func TestKeptContainersAreListedAndStopped(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "../../../examples/acme")
	before := w.census()
	listed := func(args ...string) []daemon.Container {
		t.Helper()
		out, errs, code := w.run(dir, append([]string{"ps", "--json"}, args...)...)
		var all []daemon.Container
		if err := json.Unmarshal([]byte(out), &all); err != nil || code != 0 {
			t.Fatalf("exit %d, %v\n%s%s", code, err, out, errs)
		}
		return all
	}
	w.run(dir, "exec", "infra", "--", "true")
	w.run(dir, "exec", "optimizer", "--", "true")
	if all := listed(); len(all) != 2 || all[0].Project != "infra" || all[0].Role != spec.RoleDev || all[0].Users != 0 {
		t.Fatalf("got %+v", all)
	}
	if out, _, _ := w.run(t.TempDir(), "ps", "--all"); !strings.Contains(out, "idle for") {
		t.Errorf("from elsewhere with --all: %s", out)
	}
	if out, _, code := w.run(dir, "stop", "--dry-run"); code != 0 || !strings.Contains(out, "would remove optimizer (dev") || len(listed()) != 2 {
		t.Errorf("the last one is not what would be removed: exit %d, %s", code, out)
	}
	if _, errs, code := w.run(dir, "stop", "--all", "infra"); code != 2 || len(listed()) != 2 {
		t.Errorf("--all with a project: exit %d, %s", code, errs)
	}
	if out, _, code := w.run(dir, "stop", "infra"); code != 0 || out != "removed infra (dev)\n" {
		t.Errorf("exit %d, %q", code, out)
	}
	if out, _, code := w.run(dir, "stop"); code != 0 || out != "removed optimizer (dev)\n" || len(listed()) != 0 {
		t.Errorf("exit %d, %q", code, out)
	}
	w.leavesNothing(before)
}
