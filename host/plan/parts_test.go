package plan_test

import (
	"slices"
	"testing"

	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestPartsOfAProjectRunInTheContainersThatTheyNeed(t *testing.T) {
	ws, all := load(t)
	root, web := all[0], all[1]
	names := map[string]string{"web": web.Path}
	root.Parts = []place.Part{
		{Lender: root.Project, Default: ".", Names: names, Leave: []string{"test/test_there.py"}},
		{Lender: web.Project, Default: ".", Names: names, Take: []string{"test/test_there.py", "test/test_both.py"}},
	}
	web.Grant = plan.Grant{Rights: spec.Rights{Capabilities: []string{"CAP_NET_ADMIN"}}}
	lenders := map[string]plan.Selected{".": root, web.Path: web}
	options := plan.Options{Lenders: lenders, Paths: map[string][]string{".": {"test/test_there.py::test_a", "test/test_both.py", "test"}}}
	p := plan.TestRun(ws, []plan.Selected{root, web}, options)

	here, there, own := action(t, p, "test:."), action(t, p, "test:.[apps/web]"), action(t, p, "test:apps/web")
	if here.Container != "" || there.Container != web.Path || there.Project != "." {
		t.Errorf("containers %q, %q of project %q", here.Container, there.Container, there.Project)
	}
	if !slices.Equal(there.Needs, []string{"build:apps/web"}) || there.Test.Container.Image != own.Test.Container.Image {
		t.Errorf("needs %v, image %s", there.Needs, there.Test.Container.Image)
	}
	if there.Test.Container.Rights.None() || there.Test.Container.Network != spec.NetworkHost {
		t.Errorf("not the container of the lender: %+v", there.Test.Container)
	}
	if !slices.Equal(there.Test.Env, []string{"PYTHONPATH=/app:/app/apps/web"}) || there.Test.Dir != "/app" || len(here.Test.Env) != 0 {
		t.Errorf("env %v in %s", there.Test.Env, there.Test.Dir)
	}
	if got := here.Test.Places; !slices.Equal(got.Leave, []string{"/app/test/test_there.py"}) || got.Take != nil || got.Default != "." {
		t.Errorf("here: places %+v", got)
	}
	if got := there.Test.Places; !slices.Equal(got.Take, []string{"/app/test/test_there.py", "/app/test/test_both.py"}) || got.Names["web"] != "apps/web" {
		t.Errorf("there: places %+v", got)
	}
	if got := here.Test.Args; !slices.Equal(got, []string{"test/test_both.py", "test"}) {
		t.Errorf("here: arguments %v", got)
	}
	if got := there.Test.Args; !slices.Equal(got, options.Paths["."]) {
		t.Errorf("there: arguments %v", got)
	}
	if here.Key == there.Key {
		t.Error("both have one key")
	}
}

func TestAContainerThatCannotBeHadFailsOnlyWhatNeedsIt(t *testing.T) {
	ws, all := load(t)
	root, web := all[0], all[1]
	root.Parts = []place.Part{{Lender: root.Project}, {Lender: web.Project}}
	web.Refused = &fault.Error{Code: "rights.denied"}
	p := plan.TestRun(ws, []plan.Selected{root}, plan.Options{Lenders: map[string]plan.Selected{".": root, web.Path: web}})
	if here, there := action(t, p, "test:."), action(t, p, "test:.[apps/web]"); here.Fault != nil || there.Fault != web.Refused || there.Container != web.Path {
		t.Errorf("faults %v and %v", here.Fault, there.Fault)
	}
}
