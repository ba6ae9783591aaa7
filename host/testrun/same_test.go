package testrun_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/report/reporttest"
)

// plainly runs the world's unit as plain pytest, by hand and without wr, and returns
// its cases and its exit code. What args say comes before the unit's own.
func (w *world) plainly(args ...string) ([]reporttest.Case, int) {
	w.Helper()
	junit := filepath.Join(w.TempDir(), "plain.xml")
	for _, nested := range w.unit.Nested {
		args = append(args, "--ignore="+nested)
	}
	words := slices.Concat(w.unit.Command, reporttest.PlainArgs(junit), args, w.unit.Args)
	cmd := exec.CommandContext(w.Context(), words[0], words[1:]...)
	cmd.Dir, cmd.Env = w.unit.Dir, append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || !cmd.ProcessState.Exited() {
		w.Fatalf("plain pytest: %v\n%s", err, out)
	}
	written, err := os.ReadFile(junit)
	if err != nil {
		w.Fatalf("%v\n%s", err, out)
	}
	cases, err := reporttest.OfPytest(written, out, w.root)
	if err != nil {
		w.Fatalf("%v\n%s", err, out)
	}
	return cases, cmd.ProcessState.ExitCode()
}

// cases are those that the run tells of, in its events and its junit.xml.
func (r result) cases() []reporttest.Case {
	r.Helper()
	var junit bytes.Buffer
	if err := report.JUnit(&junit, r.folded); err != nil {
		r.Fatal(err)
	}
	all, err := reporttest.OfWr(junit.Bytes(), r.folded)
	if err != nil {
		r.Fatal(err)
	}
	return all[r.project.Unit().Place().String()]
}

// unlike are the animals of which wr tells something else than plain pytest.
var unlike = map[string]string{
	"asked for twice":     "wr has one case with two attempts, pytest two cases",
	"pytest itself fails": "wr says which case ran, pytest only that it failed",
}

// asPlain compares what r tells of the animal with plain pytest.
func (w *world) asPlain(t *testing.T, name string, a animal, r result) {
	t.Helper()
	if a.status == event.Broken || slices.Contains(a.args, "no:terminal") {
		return // plain pytest leaves no report, or does not say of what
	}
	plain, _ := w.plainly()
	diff := reporttest.Diff(plain, r.cases())
	if why, exempt := unlike[name]; (diff == "") == exempt {
		t.Errorf("plain pytest and wr differ (%s):\n%s", why, diff)
	}
}
