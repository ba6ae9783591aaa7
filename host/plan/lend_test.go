package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
)

// lent is web, of whose tests some run in the image e2e, and that image.
func lent(t *testing.T) (ws *workspace.Workspace, web, e2e plan.Selected) {
	t.Helper()
	ws, all := load(t)
	web = all[1]
	web.Config.Limits.CPUs = 2
	web.Grant = plan.Grant{Rights: spec.Rights{Capabilities: []string{"CAP_SYS_PTRACE"}}}
	image := config.Default()
	image.Image = config.Image{Dockerfile: "e2e/Dockerfile", User: "pw", Entrypoint: spec.EntrypointOff}
	entry := workspace.Project{Path: "e2e", Dir: ws.Root, Dockerfile: "e2e/Dockerfile", Config: image, Entry: true}
	web.Parts = []place.Part{{Lender: web.Project, Default: web.Path}, {Lender: entry, Default: web.Path, Take: []string{"apps/web/test_e2e.py"}}}
	return ws, web, plan.Selected{Project: entry, ImageKey: strings.Repeat("0b", 32)}
}

// checkLent checks a unit of web in the image e2e: the image's are the user and
// the ENTRYPOINT, all else is the project's.
func checkLent(t *testing.T, a plan.Action, image string) {
	t.Helper()
	c := a.Test.Container
	if a.Project != "apps/web" || a.Container != "e2e" || c.Image != image || c.User != "pw" || c.Entrypoint != spec.EntrypointOff {
		t.Errorf("got %s[%s] in %s by %s, %s", a.Project, a.Container, c.Image, c.User, c.Entrypoint)
	}
	if !slices.Contains(c.Env, "MODE=test") || !slices.Contains(c.Env, "WR_PROJECT=e2e") || !slices.Equal(a.Test.Env, []string{"PYTHONPATH=/app:/app/apps/web"}) {
		t.Errorf("the environment is %q, then %q", c.Env, a.Test.Env)
	}
	if c.Network != spec.NetworkHost || c.CPUs != 2 || !slices.Equal(c.Rights.Capabilities, []string{"CAP_SYS_PTRACE"}) || c.Role == spec.RoleTest {
		t.Errorf("network %s, %v cpus, rights %v, role %q", c.Network, c.CPUs, c.Rights, c.Role)
	}
	if c.Labels["wr.project"] != "apps/web" || c.Labels["wr.image"] != "e2e" {
		t.Errorf("it is labelled %v", c.Labels)
	}
}

func TestInAnImageAllElseIsTheProjects(t *testing.T) {
	ws, web, e2e := lent(t)
	p := plan.TestRun(ws, []plan.Selected{web}, plan.Options{Lenders: map[string]plan.Selected{"e2e": e2e}})
	there, own := action(t, p, "test:apps/web[e2e]"), action(t, p, "test:apps/web")
	checkLent(t, there, "wr.local/acme/e2e:"+strings.Repeat("0b", 16))
	if !slices.Equal(there.Needs, []string{"build:e2e"}) || own.Test.Container.User != "app" || own.Test.Container.Labels["wr.image"] != "" {
		t.Errorf("it needs %v, and that of the project is %+v", there.Needs, own.Test.Container)
	}
	b := action(t, p, "build:e2e").Build
	if b.Context != ws.Root || b.Folder != "." || b.Dockerfile != "e2e/Dockerfile" || b.Project != "e2e" {
		t.Errorf("the build is %+v", b)
	}
	if web.Config.Image.User != "app" || e2e.Config.Image.User != "pw" || e2e.Config.Limits.CPUs != 0 {
		t.Error("what they say has changed")
	}
}

func TestAReplayInAnImageHasWhatTheRunHad(t *testing.T) {
	ws, web, e2e := lent(t)
	lenders := map[string]plan.Selected{"apps/web": web, "e2e": e2e}
	was := action(t, plan.TestRun(ws, []plan.Selected{web}, plan.Options{Lenders: lenders}).Recorded(), "test:apps/web[e2e]")
	again := plan.Replay(ws, []plan.Recording{{Action: was, Image: "wr.local/acme/e2e:old"}}, lenders, plan.Options{})
	checkLent(t, action(t, again, "test:apps/web[e2e]"), "wr.local/acme/e2e:old")
}

func TestAWrInAnImageTestsWhatBelongsThere(t *testing.T) {
	ws, web, e2e := lent(t)
	a := action(t, plan.Here(ws, []plan.Selected{web}, e2e.Project, plan.Options{}), "test:apps/web[e2e]")
	if env := a.Test.Container.Env; !slices.Contains(env, "MODE=test") || !slices.Contains(env, "WR_PROJECT=e2e") {
		t.Errorf("the environment is %q", env)
	}
	if a.Test.Dir != ws.Root+"/apps/web" || !slices.Equal(a.Test.Places.Take, []string{ws.Root + "/apps/web/test_e2e.py"}) {
		t.Errorf("it starts in %s and takes %v", a.Test.Dir, a.Test.Places.Take)
	}
}

func TestAContainerIsThatOfWhoLendsItOrTheProjectsInItsImage(t *testing.T) {
	ws, web, e2e := lent(t)
	c := plan.Options{}.ContainerIn(ws, web.Project, e2e.Project, "image", spec.NetworkNone)
	if c.Image != "image" || c.User != "pw" || c.CPUs != 2 || c.Network != spec.NetworkNone || !slices.Contains(c.Env, "MODE=test") || c.Labels["wr.project"] != "apps/web" || c.Labels["wr.image"] != "e2e" {
		t.Errorf("in the image of an entry: %+v", c)
	}
	c = plan.Options{}.ContainerIn(ws, e2e.Project, web.Project, "image", spec.NetworkNone)
	if c.User == "pw" || c.CPUs != 2 || !slices.Contains(c.Env, "MODE=test") || c.Labels["wr.project"] != "apps/web" || c.Labels["wr.image"] != "" {
		t.Errorf("in the container of a project: %+v", c)
	}
}
