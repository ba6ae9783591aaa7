package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
)

// attempt is the end of one attempt of the case x of p.
func attempt(of event.Type, number int, o event.Outcome, text string) event.Event {
	return event.Event{Type: of, Project: "p", Case: "a.py::x", Attempt: number, Outcome: o, Text: text, Details: text + " at length", Stdout: "said"}
}

func TestAttemptsThatDoNotCountAreInTheFormOfSurefire(t *testing.T) {
	for name, tt := range map[string]struct {
		events []event.Event
		want   map[string]int // elements in the testcase
	}{
		"flaky": {
			[]event.Event{
				attempt(event.CaseRetried, 1, event.Errored, "no db"), attempt(event.CaseRetried, 2, event.Failed, "assert 0"),
				attempt(event.CaseFinished, 3, event.Passed, ""),
			}, map[string]int{"flakyError": 1, "flakyFailure": 1},
		},
		"failed in the end": {
			[]event.Event{
				attempt(event.CaseRetried, 1, event.Failed, "assert 0"), attempt(event.CaseRetried, 2, event.Errored, "no db"),
				attempt(event.CaseFinished, 3, event.Failed, "assert 0"),
			}, map[string]int{"failure": 1, "rerunFailure": 1, "rerunError": 1},
		},
		"repeated": {
			[]event.Event{
				attempt(event.CaseRetried, 1, event.Passed, ""), attempt(event.CaseRetried, 2, event.Failed, "assert 0"),
				attempt(event.CaseRetried, 3, event.Passed, ""), attempt(event.CaseFinished, 2, event.Failed, "assert 0"),
			}, map[string]int{"failure": 1},
		},
		"to be run again, which nobody came to": {
			[]event.Event{attempt(event.CaseRetried, 1, event.Failed, "assert 0"), attempt(event.CaseFinished, 1, event.Failed, "assert 0")},
			map[string]int{"failure": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := parse(t, fold(append(tt.events, ended("p", event.OK, nil))...)).all("testsuite")[0].all("testcase")
			got := map[string]int{}
			for _, c := range found[0].Children {
				if c.XMLName.Local != "system-out" {
					got[c.XMLName.Local]++
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || len(found) != 1 {
				t.Errorf("%d cases, the elements differ (-want +got):\n%s", len(found), diff)
			}
		})
	}
	first := parse(t, fold(attempt(event.CaseRetried, 1, event.Errored, "no db"), attempt(event.CaseFinished, 2, event.Passed, ""), ended("p", event.OK, nil))).
		all("testsuite")[0].all("testcase")[0].all("flakyError")[0]
	if first.attr("message") != "no db" || first.attr("type") != "errored" || first.all("stackTrace")[0].Text != "no db at length" || first.all("system-out")[0].Text != "said" {
		t.Errorf("the attempt is %+v", first)
	}
}

func TestTheDocumentHasTheAttemptsOfFailuresAndOfFlakyCases(t *testing.T) {
	r := fold(
		attempt(event.CaseRetried, 1, event.Failed, "assert 0"), attempt(event.CaseFinished, 2, event.Failed, "assert 1"),
		event.Event{Type: event.CaseRetried, Project: "p", Case: "flaky", Attempt: 1, Outcome: event.Errored},
		event.Event{Type: event.CaseFinished, Project: "p", Case: "flaky", Attempt: 2, Outcome: event.Passed, Earlier: []event.Outcome{event.Errored}},
	)
	d := r.Document()
	if got := d.Projects[0].Bad[0].Attempts; len(got) != 1 || got[0].Text != "assert 0" {
		t.Errorf("the failure has %+v", got)
	}
	if len(d.Flaky) != 1 || len(d.Flaky[0].Attempts) != 1 || d.Flaky[0].Attempts[0].Outcome != event.Errored {
		t.Errorf("flaky are %+v", d.Flaky)
	}
}

func TestAFlakyCaseFailsARunThatWasAskedTo(t *testing.T) {
	for asked, want := range map[bool]int{false: 0, true: 1} {
		r := fold(
			event.Event{Type: event.RunStarted, FailOnFlaky: asked},
			event.Event{Type: event.CaseFinished, Project: "p", Case: "x", Outcome: event.Passed, Earlier: []event.Outcome{event.Failed}},
			ended("p", event.OK, nil),
		)
		if got := report.ExitCode(r); got != want {
			t.Errorf("asked %v: exit %d, want %d", asked, got, want)
		}
	}
}
