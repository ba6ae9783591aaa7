//go:build linux && engine

package cli

import (
	"strings"
	"testing"

	"github.com/wr-build/wr/host/report"
)

// TestTheExampleOfRightsIsGreen runs it in kept and in fresh containers.
func TestTheExampleOfRightsIsGreen(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "../../../examples/rights")
	before := w.census()
	for _, args := range [][]string{{"test", "-r"}, {"test", "-r", "--fresh"}} {
		out, errs, code := w.run(dir, args...)
		if code != 0 {
			t.Errorf("wr %v: exit %d\n%s\n%s", args, code, out, errs)
		}
		if said := "inventory has rights: mounts /etc/os-release:/srv/machine/os-release (the inventory names the system"; !strings.Contains(errs, said) {
			t.Errorf("wr %v does not say %q:\n%s", args, said, errs)
		}
		r := lastReport(t, dir)
		if got, want := r.Total(), (report.Counts{Collected: 3, Passed: 3}); got != want {
			t.Errorf("counts are %+v, want %+v", got, want)
		}
		if with, without := r.Project("inventory"), r.Project("plain"); len(with.Rights) != 1 || with.RightsReason == "" || len(without.Rights) > 0 {
			t.Errorf("recorded are %+v (%s) and %+v", with.Rights, with.RightsReason, without.Rights)
		}
	}
	w.leavesNothing(before)
}
