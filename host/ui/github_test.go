package ui_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// told is the run that events tell of.
func told(events ...event.Event) *report.Run {
	r := &report.Run{}
	for _, e := range events {
		r.Emit(e)
	}
	return r
}

func annotations(t *testing.T, r *report.Run, prefix string) string {
	t.Helper()
	var out bytes.Buffer
	if err := ui.Annotations(&out, r, prefix); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWhatATestPrintedIsNoCommandOfGitHubs(t *testing.T) {
	var out bytes.Buffer
	lines := ui.NewLines(&out, ui.Style{GitHub: true})
	for _, e := range []event.Event{
		{Type: event.CaseFinished, Project: "web", Case: "a", Outcome: event.Failed, Details: "::add-mask::e\n::error::forged"},
		{Type: event.ProjectFinished, Project: "web", Status: event.Bad},
		{Type: event.CaseFinished, Project: "cut", Case: "a", Outcome: event.Failed, Details: "::endgroup::"},
	} {
		lines.Emit(e)
	}
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	tokens, stopped := map[string]bool{}, ""
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSpace(line) // as GitHub does
		token, stops := strings.CutPrefix(line, "::stop-commands::")
		switch {
		case stopped != "" && line == "::"+stopped+"::":
			stopped = ""
		case stopped != "":
		case stops:
			stopped, tokens[token] = token, true
		case strings.HasPrefix(line, "::") && line != "::endgroup::" && line != "::group::web" && line != "::group::cut":
			t.Errorf("GitHub obeys %q", line)
		}
	}
	if len(tokens) != 2 || stopped != "" {
		t.Errorf("commands were off %d times, and are off still: %q", len(tokens), stopped)
	}
}

func TestFailuresAreShownBesideTheCode(t *testing.T) {
	r := told(
		event.Event{
			Type: event.CaseFinished, Project: "web", Case: "t.py::t[a,b:c]", Outcome: event.Failed, File: "web/t.py", Line: 3,
			Text: "100% wrong\n::error::mine", Details: "E  assert\r\n", Stdout: "not shown",
		},
		event.Event{Type: event.CaseFinished, Project: "web", Case: "flaky", Outcome: event.Passed, File: "web/t.py", Line: 9, Earlier: []event.Outcome{event.Failed}},
		event.Event{Type: event.CaseFinished, Project: "web", Case: "fine", Outcome: event.Passed},
		event.Event{Type: event.ProjectFinished, Project: "data", Status: event.Broken, Fault: &fault.Error{
			Code: "image.build_failed", Message: "ended with 1", File: "data/devops/Dockerfile", Line: 3, Next: "wr build data",
		}},
	)
	want := `::error file=sub/web/t.py,line=3,title=web t.py%3A%3At[a%2Cb%3Ac]::100%25 wrong%0A::error::mine%0A%0AE  assert
::error file=sub/data/devops/Dockerfile,line=3,title=data wr::ended with 1%0A%0A%0A%0Awr build data
::warning file=sub/web/t.py,line=9,title=web flaky::flaky: it passed after an attempt that had not
`
	if diff := cmp.Diff(want, annotations(t, r, "sub")); diff != "" {
		t.Errorf("annotations differ (-want +got):\n%s", diff)
	}
}

func TestNoMoreIsAnnotatedThanGitHubShows(t *testing.T) {
	var events []event.Event
	for i := range 30 {
		events = append(events, event.Event{
			Type: event.CaseFinished, Project: "p", Case: fmt.Sprintf("c%d", i), Outcome: event.Failed, Text: "no", Details: strings.Repeat("long\n", 1<<20),
		})
	}
	got := annotations(t, told(events...), "")
	if n := strings.Count(got, "\n"); n != 10 || len(got) > 80<<10 {
		t.Errorf("%d lines of %d bytes", n, len(got))
	}
}

func jobSummary(t *testing.T, r *report.Run) string {
	t.Helper()
	var out bytes.Buffer
	if err := ui.JobSummary(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAJobSummaryHasTheTableAndTheFailures(t *testing.T) {
	got := jobSummary(t, told(append(story, event.Event{Type: event.RunFinished, Exit: 3})...))
	for _, want := range []string{
		"### wr: 2 of 4 projects failed, 3 tests in 0.00s\n",
		"| web | 1 | 0 | 1 | 1 | 0 | 0 | 1.30s | failed |\n",
		"| data | &#45; | 0 | 0 | 0 | 1 | 0 | 0.00s | image.build&#95;failed |\n",
		"| total |  | 1 | 1 | 1 | 1 | 0 | 0.00s |  |\n",
		"<details><summary><b>web</b> <code>test&#95;b.py&#58;&#58;test&#95;b</code> failed</summary>\n\n```text\nassert 1 == 2[31m\n```\n\n```text\nseen\n```\n\n</details>\n",
		"\n```text\nwr build data\n```\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
}

func TestNothingInAFailureIsMarkdown(t *testing.T) {
	hostile := "</details>\n````\n# title | <b>x</b>\n![a](http://example.com)"
	got := jobSummary(t, told(event.Event{
		Type: event.CaseFinished, Project: "p", Case: hostile, Outcome: event.Failed, Text: hostile, Details: hostile, Stdout: hostile,
	}))
	outside := regexp.MustCompile("(?s)`````text\n.*?\n`````\n").ReplaceAllString(got, "")
	for _, sign := range []string{"![", "<b>x", "# title"} {
		if strings.Contains(outside, sign) {
			t.Errorf("%q is Markdown in\n%s", sign, got)
		}
	}
	if strings.Count(outside, "</details>") != 1 {
		t.Errorf("what a test said ends the details in\n%s", got)
	}
}

func TestAJobSummaryIsNoLongerThanGitHubTakes(t *testing.T) {
	var events []event.Event
	for i := range 400 {
		events = append(events, event.Event{
			Type: event.CaseFinished, Project: "p", Case: fmt.Sprintf("c%d", i), Outcome: event.Failed, Details: strings.Repeat("ą\n", 1<<14),
		})
	}
	got := jobSummary(t, told(events...))
	if len(got) > 1<<20 || !strings.Contains(got, " more failures, see `junit.xml`") {
		t.Errorf("it has %d bytes and ends with %q", len(got), got[len(got)-100:])
	}
}
