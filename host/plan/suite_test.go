package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/mark"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/suite"
)

// sorted are suites: gpu runs in another way than the others.
func sorted() []suite.Suite {
	gpu := config.Suite{Workers: config.Workers{Count: 4}, Env: map[string]string{"CUDA": "1"}, Limits: config.Limits{Memory: 1 << 30}}
	return []suite.Suite{
		{Name: "gpu", Marks: mark.Name("gpu"), Suite: gpu},
		{Name: "slow", Marks: mark.Name("slow"), Suite: config.Suite{Timeout: config.Duration(time.Minute), Reruns: config.Reruns{Any: 1, Error: 2}}},
		{Name: "fast"},
	}
}

// fates are those of the suites of a test action, "-" for that of no suite.
func fates(a plan.Action) string {
	var all []string
	for _, s := range a.Test.Suites {
		all = append(all, map[bool]string{true: "-"}[s.Name == ""]+s.Name+"="+string(s.Fate))
	}
	return strings.Join(all, " ")
}

func TestSuitesThatRunTheSameWayShareAProcess(t *testing.T) {
	ws, all := load(t)
	ws.Config.Suites = map[string]config.Suite{"gpu": {}}
	all[0].Suites = sorted()
	for words, want := range map[string][]string{
		"":              {"test:. gpu=left slow=left fast=run -=left"},
		"fast,slow":     {"test:. gpu=left slow=run fast=run -=left"},
		"fast,gpu":      {"test:.:gpu gpu=run slow=left fast=other -=left", "test:. gpu=other slow=unasked fast=run -=unasked"},
		"all":           {"test:.:gpu gpu=run slow=other fast=other -=other", "test:. gpu=other slow=run fast=run -=run"},
		"gpu":           {"test:. gpu=run slow=left fast=left -=left"},
		"fast,slow,gpu": {"test:.:gpu gpu=run slow=other fast=other -=left", "test:. gpu=other slow=run fast=run -=unasked"},
	} {
		choice, err := suite.Chosen(ws, ws.Projects, split(words))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range plan.TestRun(ws, all[:1], plan.Options{Suites: choice}).Actions {
			if a.Kind == plan.Test {
				got = append(got, a.ID+" "+fates(a))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
}

func TestASuiteSaysHowItsTestsRun(t *testing.T) {
	ws, all := load(t)
	all[0].Suites = sorted()
	p := plan.TestRun(ws, all[:1], plan.Options{Suites: suite.Everything, Args: []string{"-x"}})
	gpu, rest := action(t, p, "test:.:gpu").Test, action(t, p, "test:.").Test
	if !slices.Equal(gpu.Args, []string{"-n", "4", "-x"}) || !slices.Equal(gpu.Env, []string{"CUDA=1"}) || gpu.Container.Memory != 1<<30 {
		t.Errorf("gpu: arguments %v, environment %v, memory %d", gpu.Args, gpu.Env, gpu.Container.Memory)
	}
	if !slices.Equal(rest.Args, []string{"-x"}) || len(rest.Env) != 0 || rest.Container.Memory != 0 {
		t.Errorf("the others: arguments %v, environment %v, memory %d", rest.Args, rest.Env, rest.Container.Memory)
	}
	if slow := rest.Suites[1]; slow.Timeout != time.Minute || slow.Reruns != (plan.Reruns{Any: 1, Error: 2}) {
		t.Errorf("slow: %+v", slow)
	}
	memory := config.Size(2 << 30)
	p = plan.TestRun(ws, all[:1], plan.Options{Suites: suite.Everything, Limits: plan.Limits{Memory: &memory}})
	if got := action(t, p, "test:.:gpu").Test.Container.Memory; got != 2<<30 {
		t.Errorf("a limit of the command line gives way to that of a suite: %d", got)
	}
}

func TestACaseThatIsNamedRunsWhateverSuiteItIsIn(t *testing.T) {
	ws, all := load(t)
	all[0].Suites, all[1].Suites = sorted()[1:], sorted()[1:]
	named := plan.Options{Paths: map[string][]string{".": {"test_a.py::test_slow"}, "apps/web": {"test_a.py"}}}
	p := plan.TestRun(ws, all[:2], named)
	if got := fates(action(t, p, "test:.")); got != "slow=run fast=run -=run" {
		t.Errorf("a case: %s", got)
	}
	if got := fates(action(t, p, "test:apps/web")); got != "slow=left fast=run -=left" {
		t.Errorf("a file: %s", got)
	}
}

func TestAProjectWithoutTheSuiteHasNothingToRun(t *testing.T) {
	ws, all := load(t)
	all[0].Suites, all[1].Suites = sorted(), sorted()[1:]
	ws.Config.Suites = map[string]config.Suite{"gpu": {}}
	choice, err := suite.Chosen(ws, ws.Projects, []string{"gpu"})
	if err != nil {
		t.Fatal(err)
	}
	p := plan.TestRun(ws, all[:2], plan.Options{Suites: choice})
	if got := action(t, p, "test:apps/web").None; got != "no suite gpu" {
		t.Errorf("none because of %q", got)
	}
	if action(t, p, "test:.").Test == nil {
		t.Error("the project that has it does not run")
	}
}

func split(words string) []string {
	return strings.FieldsFunc(words, func(r rune) bool { return r == ',' })
}

func TestNobodyKeepsTheTimeOfPytestThatPeopleRunThemselves(t *testing.T) {
	all := plan.AllSuites(sorted())
	if len(all) != 4 {
		t.Fatalf("got %+v", all)
	}
	for _, s := range all {
		if s.Fate != plan.Run || s.Policy != (plan.Policy{}) {
			t.Errorf("suite %q has %s, %+v", s.Name, s.Fate, s.Policy)
		}
	}
}
