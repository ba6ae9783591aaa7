package plan_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestInAContainerItsPartIsPlannedAndTheOthersAreTold(t *testing.T) {
	ws, all := load(t)
	root, web := all[0], all[1]
	here := place.Case{ID: "test_here", File: "test/test_both.py", Line: 1}
	there := place.Case{ID: "test_there", File: "test/test_there.py", Line: 2}
	mixed := place.Case{ID: "test_mixed", File: "test/test_both.py", Line: 3}
	root.Parts = []place.Part{
		{Lender: root.Project, Default: ".", Leave: []string{there.File}, Cases: []place.Case{here}},
		{Lender: web.Project, Default: ".", Take: []string{there.File, "test/test_both.py"}, Cases: []place.Case{there, mixed}},
	}
	at := func(parts ...string) string { return filepath.Join(append([]string{ws.Root}, parts...)...) }

	p := plan.Here(ws, []plan.Selected{root}, root.Project, plan.Options{})
	own := action(t, p, "test:.")
	if len(p.Actions) != 1 || p.Here != "." || own.Container != "" || own.Test.Dir != ws.Root || len(own.Needs) != 0 {
		t.Errorf("got %+v in %q", p.Actions, p.Here)
	}
	if got := own.Test.Places; !slices.Equal(got.Leave, []string{at("test/test_there.py")}) || got.Take != nil {
		t.Errorf("places %+v", got)
	}
	if c := own.Test.Container; c.Image != "" || c.Network != "" || !slices.Contains(c.Env, "WR_PROJECT=.") || !slices.Contains(c.Env, "PYTHONPATH="+ws.Root) {
		t.Errorf("the container is %+v", c)
	}
	if got := own.Test.NotHere; !slices.Equal(got, []plan.Elsewhere{{Case: "test/test_there.py::test_there", File: there.File, Line: 2, Belongs: web.Path}}) {
		t.Errorf("not here: %+v", got)
	}

	p = plan.Here(ws, []plan.Selected{root}, web.Project, plan.Options{Paths: map[string][]string{".": {"test/test_there.py"}}})
	lent := action(t, p, "test:.[apps/web]")
	if lent.Container != web.Path || !slices.Equal(lent.Test.Env, []string{"PYTHONPATH=" + ws.Root + ":" + at("apps/web")}) || len(lent.Test.NotHere) != 0 {
		t.Errorf("in the container of web: %+v", lent)
	}
	if got := lent.Test.Container.Mounts; !slices.Equal(got, []spec.Mount{{Source: ws.Root, Target: ws.Root, Owned: true}}) {
		t.Errorf("its workspace is %+v", got)
	}
}

func TestWhatCannotRunInAContainerSaysWhy(t *testing.T) {
	ws, all := load(t)
	root, web := all[0], all[1]
	untestable, broken := root, root
	untestable.Untestable = &fault.Error{Code: "test.container_unknown"}
	broken.Broken = &fault.Error{Code: "config.unknown_key"}
	left := web
	left.Parts = []place.Part{{Lender: web.Project, Leave: []string{"apps/web/test_a.py"}}, {Lender: root.Project, Take: []string{"apps/web/test_a.py"}}}
	for name, c := range map[string]struct {
		project plan.Selected
		want    string
	}{
		"another project":           {root, "test.not_here"},
		"one whose tests are wrong": {untestable, "test.container_unknown"},
		"one that is wrong":         {broken, "config.unknown_key"},
		"a file for another":        {left, "test.not_here"},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan.Here(ws, []plan.Selected{c.project}, web.Project, plan.Options{Paths: map[string][]string{web.Path: {"test_a.py"}}})
			if a := p.Actions[0]; len(p.Actions) != 1 || a.Test != nil || a.Fault == nil || a.Fault.Code != c.want {
				t.Errorf("got %+v", p.Actions)
			}
		})
	}
	if f := plan.Here(ws, []plan.Selected{root}, web.Project, plan.Options{}).Actions[0].Fault; !strings.Contains(f.Message, web.Path) {
		t.Errorf("the fault does not say where wr runs: %v", f)
	}
}
