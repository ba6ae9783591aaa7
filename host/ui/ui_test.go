package ui_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tonistiigi/vt100"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// story is a run of three projects: one that is fine, one that fails, one
// whose image does not build.
var story = []event.Event{
	{Type: event.ProjectPlanned, Project: "infra"},
	{Type: event.ProjectPlanned, Project: "web"},
	{Type: event.BuildFinished, Project: "infra", Image: "x/infra:1", Cached: true},
	{Type: event.BuildStarted, Project: "web", Image: "x/web:1"},
	{Type: event.BuildStep, Project: "web", Text: "[1/2] FROM base"},
	{Type: event.BuildFinished, Project: "web", Image: "x/web:1", Elapsed: 2 * time.Second},
	{Type: event.TestStarted, Project: "infra"},
	{Type: event.TestStarted, Project: "web"},
	{Type: event.Collected, Project: "infra", Cases: []string{"test_a.py::test_a"}},
	{Type: event.Collected, Project: "web", Cases: []string{"test_b.py::test_b", "test_b.py::test_c"}},
	{Type: event.CaseFinished, Project: "web", Case: "test_b.py::test_b", File: "web/test_b.py", Line: 3, Outcome: event.Failed, Details: "assert 1 == 2\x1b[31m\x07", Stdout: "seen\n"},
	{Type: event.CaseFinished, Project: "infra", Case: "test_a.py::test_a", Outcome: event.Passed},
	{Type: event.ProjectFinished, Project: "infra", Status: event.OK, Elapsed: 1200 * time.Millisecond},
	{Type: event.CaseFinished, Project: "web", Case: "test_b.py::test_c", Outcome: event.Skipped},
	{Type: event.Warning, Project: "web", Text: "pytest warns"},
	{Type: event.Warning, Project: "web", Fault: &fault.Error{Code: "mount.foreign_uid", Message: "build belongs to 0:0", Next: "sudo chown build"}},
	{Type: event.ProjectFinished, Project: "web", Status: event.Bad, Elapsed: 1300 * time.Millisecond},
	{Type: event.ProjectFinished, Project: "data", Status: event.Broken, Fault: &fault.Error{
		Code: "image.build_failed", Message: "RUN false ended with 1", File: "data/devops/Dockerfile", Line: 3, Next: "wr build data",
	}},
	{Type: event.ProjectFinished, Project: "docs", Status: event.None, Text: "only prose"},
}

const wantLines = `infra  build  up to date
web  build  x/web:1
web  build  [1/2] FROM base
web  build  done in 2.00s
infra  test  started
web  test  started
✓ infra  1 passed  1.20s

✗ web failed test_b.py::test_b  web/test_b.py:3
    assert 1 == 2[31m
  captured stdout
    seen
  again: wr test web/test_b.py::test_b

  warning: build belongs to 0:0 [mount.foreign_uid]
   next: sudo chown build
✗ web  1 failed, 1 skipped  1.30s
✗ data  
  error: RUN false ended with 1 [image.build_failed]
     at: data/devops/Dockerfile:3
   next: wr build data
– docs  no tests by declaration: only prose
`

func TestLinesAreGroupedByProjectAndNeverObeyed(t *testing.T) {
	var out bytes.Buffer
	lines := ui.NewLines(&out, ui.Style{})
	for _, e := range story {
		lines.Emit(e)
	}
	if diff := cmp.Diff(wantLines, out.String()); diff != "" {
		t.Errorf("lines differ (-want +got):\n%s", diff)
	}
}

func TestVerboseHasALineForEachCase(t *testing.T) {
	var out bytes.Buffer
	lines := ui.NewLines(&out, ui.Style{Verbose: true})
	for _, e := range []event.Event{
		{Type: event.CaseFinished, Project: "web", Container: "db", Case: "a.py::x[\x1b]", Outcome: event.Passed, Elapsed: 20 * time.Millisecond},
		{Type: event.CaseFinished, Project: "web", Container: "db", Case: "a.py::y", Outcome: event.Skipped, Text: "no display\nmore"},
		{Type: event.CaseFinished, Project: "web", Container: "db", Case: "a.py::z", Outcome: event.XFailed},
		{Type: event.CaseDeselected, Project: "web", Container: "db", Case: "a.py::left"},
		{Type: event.ProjectFinished, Project: "web", Container: "db", Status: event.OK},
	} {
		lines.Emit(e)
	}
	want := `✓ web[db]  a.py::x[]  0.02s
– web[db]  a.py::y  skipped: no display  0.00s
– web[db]  a.py::z  xfailed  0.00s
✓ web[db]  1 passed, 1 skipped, 1 xfailed  0.00s
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("lines differ (-want +got):\n%s", diff)
	}
}

func TestCasesAreListedAsTargetsWithWhereTheyRunAndWhereTheyAre(t *testing.T) {
	run := &report.Run{}
	for _, e := range []event.Event{
		{Type: event.CaseFinished, Project: "apps/web", Case: "test_a.py::test_x", Suite: "fast", File: "apps/web/test_a.py", Line: 3},
		{Type: event.CaseFinished, Project: "apps/web", Container: "db", Case: "test_a.py::test_y[a/../b]", Suite: "slow", AlsoIn: []string{"gpu"}, File: "apps/web/test_a.py", Line: 5},
		{Type: event.CaseFinished, Project: ".", Case: "test_b.py::test_x", File: "test_b.py", Line: 1},
	} {
		e.Outcome = event.NotRun
		run.Apply(event.Event{Type: event.SessionFinished, Project: e.Project, Container: e.Container, CollectOnly: true})
		run.Apply(e)
	}
	var out bytes.Buffer
	if err := ui.Cases(&out, run); err != nil {
		t.Fatal(err)
	}
	want := `
CASE                                CONTAINER  SUITE  AT
apps/web/test_a.py::test_x          apps/web   fast   apps/web/test_a.py:3
apps/web/test_a.py::test_y[a/../b]  db         slow   apps/web/test_a.py:5
test_b.py::test_x                   .          -      test_b.py:1
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("lines differ (-want +got):\n%s", diff)
	}
	out.Reset()
	n, err := ui.Unsuited(&out, ui.Style{}, run)
	want = `apps/web/test_a.py:5 apps/web/test_a.py::test_y[a/../b] is in suite slow and also in gpu
test_b.py:1 test_b.py::test_x is in no suite
`
	if diff := cmp.Diff(want, out.String()); n != 2 || err != nil || diff != "" {
		t.Errorf("%d, %v, lines differ (-want +got):\n%s", n, err, diff)
	}
}

func TestWhatWasLeftOutIsCountedApartAndSaysWhy(t *testing.T) {
	events := []event.Event{
		{Type: event.Collected, Project: "web", Cases: []string{"a", "b"}},
		{Type: event.CaseFinished, Project: "web", Case: "a", Outcome: event.Failed},
		{Type: event.SessionFinished, Project: "web", Text: "stopping after 1 failures"},
		{Type: event.CaseFinished, Project: "web", Case: "b", Outcome: event.NotRun},
		{Type: event.ProjectFinished, Project: "web", Status: event.Bad},
	}
	var out bytes.Buffer
	lines, run := ui.NewLines(&out, ui.Style{}), &report.Run{}
	for _, e := range events {
		lines.Emit(e)
		run.Emit(e)
	}
	if err := ui.Summary(&out, ui.Style{}, run, "junit.xml"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"✗ web  1 failed, 1 not run (stopping after 1 failures)  0.00s\n",
		"PROJECT  IMAGE  PASSED  FAILED  SKIPPED  ERRORS  NOT RUN   TIME  RESULT\n",
		"web      -           0       1        0       0        1  0.00s  failed\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in\n%s", want, out.String())
		}
	}
}

func TestFlakyCasesAreCountedAndListedAndWhatWasTriedBeforeIsALine(t *testing.T) {
	events := []event.Event{
		{Type: event.RunStarted, Shuffle: "7", FailOnFlaky: true},
		{Type: event.Collected, Project: "web", Cases: []string{"a", "b", "c"}},
		{Type: event.CaseRetried, Project: "web", Case: "a", Attempt: 1, Outcome: event.Failed, Text: "assert 0\nand more", Details: "at length"},
		{Type: event.CaseRetried, Project: "web", Case: "c", Attempt: 1, Outcome: event.Passed},
		{Type: event.CaseFinished, Project: "web", Case: "a", Attempt: 2, Outcome: event.Passed, Earlier: []event.Outcome{event.Failed}},
		{Type: event.CaseFinished, Project: "web", Case: "b", Outcome: event.Passed},
		{Type: event.CaseFinished, Project: "web", Case: "c", Attempt: 2, Outcome: event.Passed, Earlier: []event.Outcome{event.Passed}},
		{Type: event.ProjectFinished, Project: "web", Status: event.OK},
		{Type: event.RunFinished, Exit: 1},
	}
	var out bytes.Buffer
	lines, run := ui.NewLines(&out, ui.Style{}), &report.Run{}
	for _, e := range events {
		lines.Emit(e)
		run.Emit(e)
	}
	if err := ui.Summary(&out, ui.Style{}, run, "junit.xml"); err != nil {
		t.Fatal(err)
	}
	want := `↻ web a  attempt 1 failed: assert 0
✓ web  3 passed, 1 flaky  0.00s

PROJECT  IMAGE  PASSED  FAILED  SKIPPED  ERRORS   TIME  RESULT
web      -           3       0        0       0  0.00s  ok

flaky: web a  failed, passed

flaky cases fail this run, 3 tests in 0.00s, 1 flaky, in the order of --shuffle 7  junit.xml
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("lines differ (-want +got):\n%s", diff)
	}
}

func TestAFailureOfSeveralAttemptsSaysWhichOneItIs(t *testing.T) {
	var out bytes.Buffer
	lines := ui.NewLines(&out, ui.Style{})
	lines.Emit(event.Event{
		Type: event.CaseFinished, Project: "web", Case: "a.py::a", Attempt: 3, Outcome: event.Failed, Earlier: []event.Outcome{event.Failed, event.Passed},
		Text: "failed in 2 of 3: assert 0\n + more", Details: "E   assert 0",
	})
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	want := "\n✗ web failed a.py::a\n  failed in 2 of 3: assert 0\n    E   assert 0\n  again: wr test web/a.py::a\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("lines differ (-want +got):\n%s", diff)
	}
}

func TestARunWithoutReportSaysSo(t *testing.T) {
	var out bytes.Buffer
	if err := ui.Summary(&out, ui.Style{}, &report.Run{}, ""); err != nil || !strings.HasSuffix(out.String(), "  no junit.xml\n") {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestARunWithSettingsOfOnePersonNamesThem(t *testing.T) {
	run := &report.Run{}
	run.Emit(event.Event{Type: event.RunStarted, Personal: []event.Setting{
		{Key: "env.allow", Value: []string{"EDITOR"}, File: "wr.local.toml", Line: 1}, {Key: "limits.cpus", Value: 2.0},
	}})
	var out bytes.Buffer
	want := "\nwith settings of your own: env.allow = [\"EDITOR\"], limits.cpus = 2\n"
	if err := ui.Summary(&out, ui.Style{}, run, ""); err != nil || !strings.Contains(out.String(), want) {
		t.Errorf("got %q, %v, want %q", out.String(), err, want)
	}
}

// leaves is a run in the container of web that left cases to others.
func leaves(here string) *report.Run {
	run := &report.Run{}
	run.Emit(event.Event{Type: event.RunStarted, Here: here})
	for i, belongs := range []string{"optimizer", "infra", "optimizer", "?nowhere"} {
		run.Emit(event.Event{Type: event.CaseElsewhere, Project: "web", Case: fmt.Sprint("a.py::x", i), Belongs: belongs})
	}
	return run
}

func TestARunInAContainerCountsWhatItLeftToOthers(t *testing.T) {
	var out, job bytes.Buffer
	const want = "not here, which is the container of web: 1 in the container of infra, 2 in the container of optimizer"
	if err := ui.Summary(&out, ui.Style{}, leaves("web"), ""); err != nil || !strings.Contains(out.String(), "\n"+want+"\n") {
		t.Errorf("got %q, %v, want %q", out.String(), err, want)
	}
	if err := ui.JobSummary(&job, leaves("web")); err != nil || !strings.Contains(job.String(), "\n"+strings.ReplaceAll(want, ":", "&#58;")+"\n") {
		t.Errorf("got %q, %v, want %q", job.String(), err, want)
	}
	out.Reset()
	if err := ui.Summary(&out, ui.Style{}, leaves(""), ""); err != nil || strings.Contains(out.String(), "not here") {
		t.Errorf("where all containers are made: %q, %v", out.String(), err)
	}
}

func TestGitHubGroupsAProjectsFailures(t *testing.T) {
	var out bytes.Buffer
	lines := ui.NewLines(&out, ui.Style{GitHub: true})
	for _, e := range story {
		lines.Emit(e)
	}
	got := out.String()
	if !strings.Contains(got, "::group::web\n") || strings.Count(got, "::group::") != strings.Count(got, "::endgroup::") {
		t.Errorf("groups are not there or not closed:\n%s", got)
	}
}

func TestQuietSaysOnlyWhatWentWrong(t *testing.T) {
	var out bytes.Buffer
	lines := ui.NewLines(&out, ui.Style{Quiet: true})
	for _, e := range story {
		lines.Emit(e)
	}
	got := out.String()
	if strings.Contains(got, "infra") || !strings.Contains(got, "test_b.py::test_b") || !strings.Contains(got, "image.build_failed") {
		t.Errorf("quiet output is\n%s", got)
	}
}

func TestWhoIsToAttachAnEditorIsToldAtOnceAndAlways(t *testing.T) {
	waits := event.Event{Type: event.DebuggerWaits, Project: "web", Text: "127.0.0.1:5678", Details: "attach\nthus"}
	const want = "web  debug  waits for an editor to attach to 127.0.0.1:5678\n    attach\n    thus\n"
	var lines, live bytes.Buffer
	ui.NewLines(&lines, ui.Style{Quiet: true}).Emit(waits)
	screen := ui.NewLive(&live, ui.Style{}, func() int { return 80 })
	screen.Emit(waits)
	if err := screen.Close(); err != nil {
		t.Fatal(err)
	}
	if lines.String() != want || !strings.Contains(live.String(), want) {
		t.Errorf("got %q, and live %q", lines.String(), live.String())
	}
}

func TestWhatALiveScreenShowsInTheEnd(t *testing.T) {
	screen := vt100.NewVT100(30, 80)
	live := ui.NewLive(crlf{screen}, ui.Style{}, func() int { return 80 })
	for _, e := range story {
		live.Emit(e)
	}
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
	got := content(screen)
	for _, want := range []string{"✗ web failed test_b.py::test_b", "✓ infra  1 passed  1.20s", "✗ web  1 failed, 1 skipped", "next: wr build data"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("the screen shows %q %d times, want once:\n%s", want, strings.Count(got, want), got)
		}
	}
	if strings.Contains(got, "⠋") {
		t.Errorf("a live line is left on the screen:\n%s", got)
	}
}

func TestALiveLineShowsProgressOfEachProject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := vt100.NewVT100(30, 60)
		live := ui.NewLive(crlf{screen}, ui.Style{}, func() int { return 60 })
		defer live.Close()
		for _, e := range story[:10] {
			live.Emit(e)
		}
		live.Emit(event.Event{Type: event.CaseStarted, Project: "web", Case: "test_b.py::test_with_a_name_that_is_longer_than_the_screen_is_wide"})
		live.Emit(event.Event{Type: event.CaseFinished, Project: "infra", Outcome: event.Passed})
		time.Sleep(time.Second) //nolint:forbidigo // inside synctest: a fake second
		synctest.Wait()
		got := content(screen)
		for _, want := range []string{"infra  test  1/1", "web  test  0/2  test_b.py::test_with", "1.00s"} {
			if !strings.Contains(got, want) {
				t.Errorf("the screen does not show %q:\n%s", want, got)
			}
		}
		for line := range strings.Lines(got) {
			if len([]rune(strings.TrimRight(line, " \n"))) > 59 {
				t.Errorf("line is wider than the screen: %q", line)
			}
		}
	})
}

func TestTablesAlignColumns(t *testing.T) {
	var out bytes.Buffer
	if err := ui.Table(&out, []string{"PROJECT", ">PASSED"}, [][]string{{"a", "1"}, {"größer", "12345678"}}); err != nil {
		t.Fatal(err)
	}
	want := "PROJECT    PASSED\na               1\ngrößer   12345678\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table differs (-want +got):\n%s", diff)
	}
}

// crlf does what a terminal's line discipline does to newlines.
type crlf struct{ screen *vt100.VT100 }

func (c crlf) Write(p []byte) (int, error) {
	if _, err := c.screen.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// content is the text on the screen, line by line.
func content(screen *vt100.VT100) string {
	var b strings.Builder
	for _, row := range screen.Content {
		b.WriteString(strings.TrimRight(string(row), " ") + "\n")
	}
	return b.String()
}
