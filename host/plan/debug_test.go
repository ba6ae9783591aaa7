package plan_test

import (
	"slices"
	"testing"
	"time"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/suite"
	"github.com/wr-build/wr/runtime/spec"
)

func TestNothingHurriesWhoDebugs(t *testing.T) {
	ws, all := load(t)
	all[0].Suites = sorted()
	all[0].Config.Limits.Timeout = config.Duration(time.Hour)
	o := plan.Options{Suites: suite.Everything, Debug: plan.Debug{Terminal: true}}
	p := plan.TestRun(ws, all[:1], o)
	gpu, rest := action(t, p, "test:.:gpu").Test, action(t, p, "test:.").Test
	if gpu.Timeout != 0 || rest.Timeout != 0 || len(gpu.Args) != 0 {
		t.Errorf("time limits %v and %v, arguments %v", gpu.Timeout, rest.Timeout, gpu.Args)
	}
	for _, s := range rest.Suites {
		if s.Policy != (plan.Policy{}) {
			t.Errorf("%s has %+v", s.Name, s.Policy)
		}
	}
	if p.Debug() != o.Debug || rest.Container.Role != spec.RoleTest {
		t.Errorf("the plan has %+v, in a container of role %q", p.Debug(), rest.Container.Role)
	}
	if all[0].Suites[1].Timeout == 0 {
		t.Error("the suites of the caller were changed")
	}
}

func TestTestsThatAnEditorAttachesToRunWhereItsPortLeads(t *testing.T) {
	ws, all := load(t)
	i := slices.IndexFunc(all, func(s plan.Selected) bool { return s.Path == "apps/web" })
	p := plan.TestRun(ws, all[i:i+1], plan.Options{Debug: plan.Debug{Port: 5678}})
	if got := action(t, p, "test:apps/web").Test.Container.Role; got != spec.RoleFresh {
		t.Errorf("the role is %q, want a container of its own", got)
	}
}

func TestAPlanOfPlainTestsSaysNothingOfDebugging(t *testing.T) {
	ws, all := load(t)
	if got := plan.TestRun(ws, all, plan.Options{}).Debug(); got != (plan.Debug{}) {
		t.Errorf("got %+v", got)
	}
}
