package plan_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

const tree = `
-- wr.toml --
[workspace]
name = "Acme"
[project]
-- devops/Dockerfile --
FROM base
-- apps/web/wr.toml --
[project]
[image]
target = "dev"
args = { VERSION = "1" }
user = "app"
[test]
paths = ["test", "it's more"]
args = ["-x"]
network = "host"
[env]
allow = ["TOKEN"]
set = { MODE = "test" }
-- apps/web/devops/Dockerfile --
FROM base
-- infra/wr.toml --
[project]
[test]
none = "tools"
-- infra/devops/Dockerfile --
FROM base
`

// load writes the tree and returns its projects, with keys.
func load(t *testing.T) (*workspace.Workspace, []plan.Selected) {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(tree)).Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ws, err := workspace.Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []plan.Selected
	for _, p := range ws.Projects {
		all = append(all, plan.Selected{Project: p, ImageKey: strings.Repeat("0a", 32)})
	}
	return ws, all
}

func action(t *testing.T, p plan.Plan, id string) plan.Action {
	t.Helper()
	i := slices.IndexFunc(p.Actions, func(a plan.Action) bool { return a.ID == id })
	if i < 0 {
		t.Fatalf("the plan has no action %s", id)
	}
	return p.Actions[i]
}

func TestATestNeedsTheImageOfItsProject(t *testing.T) {
	ws, all := load(t)
	p := plan.TestRun(ws, all, plan.Options{})
	var ids []string
	for _, a := range p.Actions {
		ids = append(ids, a.ID)
	}
	want := []string{"build:.", "test:.", "build:apps/web", "test:apps/web", "test:infra"}
	if !slices.Equal(ids, want) {
		t.Errorf("actions are %v, want %v", ids, want)
	}
	if got := action(t, p, "test:apps/web").Needs; !slices.Equal(got, []string{"build:apps/web"}) {
		t.Errorf("the test needs %v", got)
	}
	if got := action(t, p, "test:infra").None; got != "tools" {
		t.Errorf("infra is declared to have none because of %q", got)
	}
}

func TestTheConfigDecidesHowAProjectIsBuiltAndTested(t *testing.T) {
	ws, all := load(t)
	p := plan.TestRun(ws, all, plan.Options{
		Args: []string{"-k", "login"}, HostEnv: map[string]string{"TOKEN": "x", "SECRET": "y"},
		Paths: map[string][]string{"apps/web": {"test/test_a.py::test_b"}},
	})
	build := action(t, p, "build:apps/web").Build
	if build.Ref != "wr.local/acme/apps--web:"+strings.Repeat("0a", 16) || build.Target != "dev" || build.Args["VERSION"] != "1" {
		t.Errorf("build is %+v", build)
	}
	test := action(t, p, "test:apps/web").Test
	wantArgs := []string{"-o", `testpaths=test 'it'"'"'s more'`, "-x", "-k", "login", "test/test_a.py::test_b"}
	if !slices.Equal(test.Args, wantArgs) {
		t.Errorf("arguments are %q, want %q", test.Args, wantArgs)
	}
	if want := []string{"test", "it's more"}; !slices.Equal(test.Paths, want) {
		t.Errorf("paths are %q, want %q", test.Paths, want)
	}
	wantEnv := []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*", "MODE=test", "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH=/app:/app/apps/web", "TOKEN=x", "WR_PROJECT=apps/web"}
	if !slices.Equal(test.Container.Env, wantEnv) {
		t.Errorf("environment is %q, want %q", test.Container.Env, wantEnv)
	}
	if test.Container.User != "app" || test.Container.Network != spec.NetworkHost || test.Dir != "/app/apps/web" {
		t.Errorf("container is %+v in %s", test.Container, test.Dir)
	}
}

func TestADockerfileThatAPluginMadeGoesWithTheBuild(t *testing.T) {
	ws, all := load(t)
	for i := range all {
		all[i].Made = &plan.Dockerfile{Plugin: "maker", Text: "FROM a\n", Ignore: []string{"**"}}
	}
	build := action(t, plan.Builds(ws, all, plan.Options{}), "build:apps/web").Build
	if build.Dockerfile != "Dockerfile of plugin maker" || build.Text != "FROM a\n" || !slices.Equal(build.Ignore, []string{"**"}) || build.Target != "dev" {
		t.Errorf("build is %+v", build)
	}
}

func TestNestedProjectsAreNotCollectedByTheOuterOne(t *testing.T) {
	ws, all := load(t)
	root := action(t, plan.TestRun(ws, all, plan.Options{}), "test:.").Test
	if want := []string{"/app/apps/web", "/app/infra"}; !slices.Equal(root.Nested, want) {
		t.Errorf("nested in the root are %v, want %v", root.Nested, want)
	}
	if root.Container.Network != spec.NetworkNone {
		t.Errorf("tests reach %q by default, want none", root.Container.Network)
	}
}

func TestABrokenProjectIsPlannedAsBroken(t *testing.T) {
	ws, all := load(t)
	all[1].Broken = &fault.Error{Code: "image.no_dockerfile"}
	all[2].Untestable = &fault.Error{Code: "test.none_but_tests"}
	p := plan.TestRun(ws, all, plan.Options{})
	if f := action(t, p, "test:apps/web").Fault; f == nil || f.Code != "image.no_dockerfile" {
		t.Errorf("apps/web has the fault %v", f)
	}
	if f := action(t, p, "test:infra").Fault; f == nil || f.Code != "test.none_but_tests" {
		t.Errorf("infra has the fault %v", f)
	}
	if f := action(t, p, "test:.").Fault; f != nil {
		t.Errorf("the root has the fault of another: %v", f)
	}
	if f := action(t, plan.Builds(ws, all, plan.Options{}), "build:infra").Fault; f != nil {
		t.Errorf("a project that cannot be tested cannot be built: %v", f)
	}
}

func TestAKeyIsTheSameOnEveryMachineAndChangesWithWhatCounts(t *testing.T) {
	key := func(change func(*plan.Selected, *plan.Options)) string {
		ws, all := load(t) // in another directory each time
		o := plan.Options{}
		change(&all[0], &o)
		return action(t, plan.TestRun(ws, all[:1], o), "test:.").Key
	}
	same := key(func(*plan.Selected, *plan.Options) {})
	for name, change := range map[string]func(*plan.Selected, *plan.Options){
		"caller": func(_ *plan.Selected, o *plan.Options) { o.Caller = spec.Owner{UID: 1000, GID: 1000} },
	} {
		if key(change) != same {
			t.Errorf("%s changes the key", name)
		}
	}
	for name, change := range map[string]func(*plan.Selected, *plan.Options){
		"image":     func(s *plan.Selected, _ *plan.Options) { s.ImageKey = strings.Repeat("0b", 32) },
		"arguments": func(_ *plan.Selected, o *plan.Options) { o.Args = []string{"-x"} },
	} {
		if key(change) == same {
			t.Errorf("%s does not change the key", name)
		}
	}
}

func TestAPlanSurvivesJSON(t *testing.T) {
	ws, all := load(t)
	p := plan.TestRun(ws, all, plan.Options{Args: []string{"-x"}})
	first, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back plan.Plan
	if err := json.Unmarshal(first, &back); err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("a plan differs after a round trip:\n%s\n%s", first, second)
	}
}
