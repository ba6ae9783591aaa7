package cli

import (
	"slices"
	"testing"

	"github.com/wr-build/wr/runtime/daemon"
)

func TestContainersAreCalledByProjectAndImage(t *testing.T) {
	all := []daemon.Container{{Project: "infra"}, {Project: "infra", Container: "e2e"}, {Project: "web", Container: "e2e"}, {Project: "e2e"}, {}}
	for word, want := range map[string][]string{"infra": {"infra", "infra[e2e]"}, "e2e": {"infra[e2e]", "web[e2e]", "e2e"}, "web": {"web[e2e]"}, "none": nil} {
		var got []string
		for _, c := range chosen(slices.Clone(all), []string{word}) {
			got = append(got, name(c))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
	if got := name(daemon.Container{}); got != "-" {
		t.Errorf("one of no project is called %q", got)
	}
}
