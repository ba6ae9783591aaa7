package report_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
)

func TestWhatOtherContainersHaveIsCounted(t *testing.T) {
	elsewhere := func(project, belongs string) event.Event {
		return event.Event{Type: event.CaseElsewhere, Project: project, Case: "a.py::" + belongs, Belongs: belongs}
	}
	again := elsewhere("p", "web")
	again.Slice = "slow" // another process for the same cases
	unasked := event.Event{Type: event.CaseElsewhere, Project: "p", Case: "a.py::slow", Belongs: "web", Text: "not asked for"}
	left := event.Event{Type: event.CaseDeselected, Project: "p", Case: "a.py::slow", Text: "suite slow was not asked for"}
	alsoUnasked := unasked
	alsoUnasked.Slice = "slow"
	story := []event.Event{elsewhere("p", "web"), again, elsewhere("q", "web"), elsewhere("p", "infra"), elsewhere("p", "?typo"), unasked, alsoUnasked, left, ended("p", event.OK, nil), ended("q", event.OK, nil)}
	r := fold(append([]event.Event{{Type: event.RunStarted, Here: "p"}}, story...)...)
	want := []report.NotHere{{Container: "infra", Cases: 1}, {Container: "web", Cases: 2}}
	if got := r.Document(); got.Here != "p" || !slices.Equal(got.NotHere, want) {
		t.Errorf("the document has %q, %v, want %v", got.Here, got.NotHere, want)
	}
	var junit bytes.Buffer
	if err := report.JUnit(&junit, r); err != nil {
		t.Fatal(err)
	}
	for _, property := range []string{`name="here" value="p"`, `name="not_here.infra" value="1"`} {
		if !strings.Contains(junit.String(), property) {
			t.Errorf("%s is not in\n%s", property, &junit)
		}
	}
	if got := strings.Count(junit.String(), `name="not_here.web" value="1"`); got != 3 {
		t.Errorf("%d testsuites say what they left to web, want all 3", got)
	}
	if got := fold(story...).NotHere(); got != nil {
		t.Errorf("where all containers are made: %v", got)
	}
}
