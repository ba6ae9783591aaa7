package cli

import (
	"slices"
	"testing"
	"time"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestCleaningUpKeepsWhatAProjectRunsAndItsNewestImage(t *testing.T) {
	ws := &workspace.Workspace{Name: "acme", Config: &config.File{}}
	web := workspace.Project{Path: "web"}
	made := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	images := []spec.Image{
		{Ref: "wr.local/acme/web:1", Created: made},
		{Ref: "wr.local/acme/web:3", Created: made.Add(2 * time.Hour)},
		{Ref: "wr.local/acme/web:2", Created: made.Add(time.Hour)},
		{Ref: "wr.local/acme/web--api:4", Created: made.Add(3 * time.Hour)},
	}
	for name, tt := range map[string]struct {
		selected plan.Selected
		want     []string
	}{
		"an older image, after a switch of branches": {plan.Selected{Project: web, ImageKey: "1"}, []string{"wr.local/acme/web:1", "wr.local/acme/web:3"}},
		"the newest image once":                      {plan.Selected{Project: web, ImageKey: "3"}, []string{"wr.local/acme/web:3"}},
		"the newest image while the project is broken": {
			plan.Selected{Project: web, Broken: &fault.Error{}},
			[]string{"wr.local/acme/web:3"},
		},
		"the image of another project": {
			plan.Selected{Project: workspace.Project{Path: "api"}, Maker: web, ImageKey: "2"},
			[]string{"wr.local/acme/web:2", "wr.local/acme/web:3"},
		},
		"the bases that it is pinned to": {
			plan.Selected{Project: web, ImageKey: "3", Bases: map[string]string{"docker.io/acme/py:latest": "docker.io/acme/py:sha256-a@sha256:a"}},
			[]string{"wr.local/acme/web:3", "docker.io/acme/py:sha256-a"},
		},
		"a finished image": {plan.Selected{Project: web, ImageKey: "5", Ref: "ghcr.io/acme/tools:1.4"}, []string{"ghcr.io/acme/tools:1.4"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := needed(ws, []plan.Selected{tt.selected}, images); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
