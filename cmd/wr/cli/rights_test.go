package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
)

func TestOnlyTheRightsAreSaidThatWhatRunsHas(t *testing.T) {
	file, err := config.Parse("wr.toml", []byte("[rights]\ncapabilities = [\"NET_ADMIN\"]\nssh_agent = true\ncredentials = [\"git\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := workspace.Project{Path: "infra", Config: file}
	for name, tt := range map[string]struct {
		say  func(*app)
		want string
	}{
		"a command": {
			func(a *app) { a.sayRights(p, entered{Agent: true}.without()...) },
			"infra has rights: capabilities NET_ADMIN; ssh agent; credentials git\n",
		},
		"a notebook, which outlives wr and so the agent": {
			func(a *app) { a.sayRights(p, entered{}.without()...) },
			"infra has rights: capabilities NET_ADMIN; credentials git\n",
		},
		"tests": {
			func(a *app) {
				a.sayTestRights(plan.Selected{Project: p, Grant: plan.Grant{Rights: spec.Rights{Capabilities: []string{"CAP_NET_ADMIN"}}}})
			},
			"infra has rights: capabilities NET_ADMIN\ninfra: its tests run in fresh containers, since kept ones take such rights away\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			said := filepath.Join(t.TempDir(), "stderr")
			out, err := os.Create(said)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			tt.say(&app{Process: Process{Err: out}})
			if got, err := os.ReadFile(said); err != nil || string(got) != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}
