//go:build linux && engine

package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report/reporttest"
	"github.com/wr-build/wr/runtime/spec"
)

// TestInAContainerWrTestsAsPytestDoesThere runs both in containers of the
// example, and of one project as another user, who may write nowhere but in the
// workspace.
func TestInAContainerWrTestsAsPytestDoesThere(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "../../../examples/acme")
	program, err := os.ReadFile(w.bin)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "inner-wr"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	before := w.census()
	t.Cleanup(func() { w.leavesNothing(before) })
	for name, c := range map[string]struct {
		how     []string
		project string
		notHere int
	}{
		"the root's":   {[]string{"exec"}, ".", 1},
		"one's own":    {[]string{"exec"}, "optimizer", 0},
		"a fresh one":  {[]string{"exec", "--fresh"}, "apps/web", 2},
		"as some user": {[]string{"exec", "--user", "4321:4321"}, "optimizer", 0},
		"in a shell":   {[]string{"shell", "--cmd"}, "apps/web", 2},
	} {
		t.Run(name, func(t *testing.T) {
			in := func(script string) (string, string, int) {
				args := append(append([]string{}, c.how[:1]...), c.project)
				args = append(args, c.how[1:]...)
				if c.how[len(c.how)-1] == "--cmd" {
					return w.run(dir, append(args, script)...)
				}
				return w.run(dir, append(args, "--", "sh", "-c", script)...)
			}
			out, errs, code := in("/app/inner-wr test --suite all && rm -f /app/plain.xml")
			if code != 0 {
				t.Fatalf("wr test inside: exit %d\n%s%s", code, out, errs)
			}
			out, errs, code = in("python3 -m pytest " + strings.Join(leftOut(spec.Workspace+"/plain.xml"), " "))
			if code != 0 {
				t.Fatalf("pytest inside: exit %d\n%s%s", code, out, errs)
			}
			r, left := lastReport(t, dir), 0
			ours := casesOfWr(t, dir, r)[event.Unit{Project: c.project}.String()]
			if diff := reporttest.Diff(readPlain(t, filepath.Join(dir, "plain.xml"), out, spec.Workspace), ours); diff != "" || len(ours) == 0 {
				t.Errorf("they differ in %d cases:\n%s", len(ours), diff)
			}
			for _, n := range r.NotHere() {
				left += n.Cases
			}
			if r.Here != c.project || left != c.notHere {
				t.Errorf("here is %q, not here %v, want %d of them", r.Here, r.NotHere(), c.notHere)
			}
		})
	}
	out, errs, code := w.run(dir, "exec", "optimizer", "--", "/app/inner-wr", "test", "apps/web")
	if code != 2 {
		t.Errorf("another project's tests: exit %d\n%s%s", code, out, errs)
	}
}

// leftOut are the arguments of a pytest that leaves out what belongs elsewhere, as
// people find it in wr's containers, and reports as the plain one does.
func leftOut(junit string) []string {
	return slices.DeleteFunc(reporttest.PlainArgs(junit), func(arg string) bool { return arg == "no:wr_pytest" })[1:]
}
