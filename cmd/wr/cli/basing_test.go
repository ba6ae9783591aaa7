package cli

import (
	"context"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestAPinnedBaseThatIsNowhereIsSaidBeforeTheBuild(t *testing.T) {
	ws := &workspace.Workspace{Config: &config.File{
		Workspace: &config.Workspace{Registry: fakeRegistry + "/acme"},
		Bases:     map[string]config.Base{"acme/python": {Suite: "bookworm"}},
	}}
	fake := fakeEngine{t.TempDir()}
	noMaking := func(context.Context) (Engine, error) { return fake, nil }
	e := &basing{Engine: fake, app: &app{Process: Process{Connect: noMaking}}, ws: ws, declared: declaredBases(ws)}
	digest := "sha256:" + strings.Repeat("0a", 32)
	const ref = "docker.io/acme/python:latest"
	b := spec.Build{Bases: map[string]string{ref: "docker.io/acme/python:sha256-" + strings.Repeat("0a", 32) + "@" + digest}}
	_, err := e.Build(t.Context(), b, nil)
	f := fault.Of(err)
	if f == nil || f.Code != "base.pin_missing" || f.Details != "missing: "+fakeRegistry+"/acme/acme/python@"+digest || !strings.Contains(f.Next, "wr image push") {
		t.Errorf("got %+v", f)
	}
}

func TestAPinHoldsForOneDeclarationAndPlatform(t *testing.T) {
	base := config.Base{Suite: "bookworm", Include: []string{"git", "jq"}}
	ws := func(b config.Base, registry string) *workspace.Workspace {
		return &workspace.Workspace{Config: &config.File{
			Workspace: &config.Workspace{Registry: registry}, Bases: map[string]config.Base{"acme/tools:1": b},
		}}
	}
	const ref = "docker.io/acme/tools:1"
	d := declaredBases(ws(base, "reg.test/acme"))[ref]
	if d.remote != "reg.test/acme/acme/tools--1" {
		t.Errorf("its repository is %s", d.remote)
	}
	known := pins{bases: map[string]string{d.key(): d.pin("sha256:1")}}
	for name, tt := range map[string]struct {
		base           config.Base
		registry, want string
	}{
		"the same":                  {base, "reg.test/acme", "sha256:1"},
		"in another order":          {config.Base{Suite: "bookworm", Include: []string{"jq", "git"}}, "reg.test/acme", "sha256:1"},
		"of another release":        {config.Base{Suite: "trixie", Include: base.Include}, "reg.test/acme", ""},
		"from a mirror":             {config.Base{Suite: "bookworm", Include: base.Include, Mirror: "http://snapshot.test/1"}, "reg.test/acme", ""},
		"without a registry to ask": {base, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := declaredBases(ws(tt.base, tt.registry))[ref].pinned(known); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
