//go:build linux && engine

package cli

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// junitCases are how the cases of a JUnit report ended, by class and name.
func junitCases(t *testing.T, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Cases []struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	ended := map[string]string{}
	for _, c := range report.Cases {
		outcome := "passed"
		switch {
		case c.Failure != nil:
			outcome = "failed"
		case c.Error != nil:
			outcome = "error"
		case c.Skipped != nil:
			outcome = "skipped"
		}
		ended[c.Class+" "+c.Name] = outcome
	}
	return ended
}

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
			if out, errs, code := in("python3 -m pytest -p no:cacheprovider --junitxml=/app/plain.xml"); code != 0 {
				t.Fatalf("pytest inside: exit %d\n%s%s", code, out, errs)
			}
			ours, plain := junitCases(t, filepath.Join(dir, ".wr/runs/latest/junit.xml")), junitCases(t, filepath.Join(dir, "plain.xml"))
			if diff := cmp.Diff(plain, ours); diff != "" || len(ours) == 0 {
				t.Errorf("plain pytest and wr differ (-plain +wr):\n%s", diff)
			}
			r, left := lastReport(t, dir), 0
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
