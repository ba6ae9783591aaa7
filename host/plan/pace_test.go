package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/history"
	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/suite"
)

// known is a history of the root's tests, files a to f of some seconds each, and
// of those of apps/web.
func known() history.History {
	return history.History{Places: map[string]*history.Place{
		".":        {Start: 1000, Suites: map[string]map[string]history.Milliseconds{"fast": {"a.py": 6000, "b.py": 5000, "c.py": 4000, "d.py": 3000, "e.py": 2000}, "slow": {"a.py": 60000}}},
		"apps/web": {Start: 500, Suites: map[string]map[string]history.Milliseconds{"fast": {"apps/web/test/test_a.py": 2000}}},
	}}
}

// tests are the test actions of p as "ID ESTIMATE".
func tests(p plan.Plan) []string {
	var all []string
	for _, a := range p.Actions {
		if a.Kind == plan.Test {
			all = append(all, fmt.Sprint(a.ID, " ", a.Estimate))
		}
	}
	return all
}

func TestAnEstimateIsOfWhatIsToRun(t *testing.T) {
	ws, all := load(t)
	all[0].Suites, all[1].Suites = sorted(), sorted()
	slow, err := suite.Chosen(ws, ws.Projects, []string{"slow"})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		options plan.Options
		want    []string
	}{
		"all":         {plan.Options{}, []string{"test:. 21s", "test:apps/web 2.5s"}},
		"a suite":     {plan.Options{Suites: slow}, []string{"test:. 1m1s", "test:apps/web 0s"}},
		"files":       {plan.Options{Paths: map[string][]string{".": {"b.py", "d.py"}}}, []string{"test:. 9s", "test:apps/web 2.5s"}},
		"a directory": {plan.Options{Paths: map[string][]string{"apps/web": {"test"}}}, []string{"test:. 21s", "test:apps/web 2.5s"}},
	} {
		tt.options.Pace = plan.Pace{History: known(), Jobs: 2, CPUs: 2}
		if got := tests(plan.TestRun(ws, all[:2], tt.options)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestTestsArePartedWhereThatPays(t *testing.T) {
	ws, all := load(t)
	way := config.Suite{Shards: 3}
	all[0].Suites = []suite.Suite{{Name: "fast", Suite: way}}
	all[1].Suites = all[0].Suites
	run := func(jobs int) plan.Plan {
		return plan.TestRun(ws, all[:2], plan.Options{Pace: plan.Pace{History: known(), Jobs: jobs, CPUs: 8}})
	}
	if got := tests(run(1)); len(got) != 2 {
		t.Errorf("on one container at a time: %v", got)
	}
	p := run(2)
	if got, want := tests(p), []string{"test:.:1/2 12s", "test:.:2/2 10s", "test:apps/web 2.5s"}; !slices.Equal(got, want) {
		t.Fatalf("on two: %v, want %v", got, want)
	}
	first, last := action(t, p, "test:.:1/2"), action(t, p, "test:.:2/2")
	if got := first.Test.Places; !slices.Equal(got.Take, []string{"/app/a.py", "/app/d.py", "/app/e.py"}) {
		t.Errorf("the first takes %v", got.Take)
	}
	if last.Test.Places.Take != nil || !slices.Equal(last.Test.Places.Leave, first.Test.Places.Take) {
		t.Errorf("the last leaves %v and takes %v", last.Test.Places.Leave, last.Test.Places.Take)
	}
	if first.Key == last.Key || !slices.Equal(first.Needs, last.Needs) {
		t.Error("parts have one key, or not the same needs")
	}
	if got := tests(run(8)); len(got) != 4 || !strings.HasPrefix(got[2], "test:.:3/3") {
		t.Errorf("on eight: %v", got)
	}
	if got := tests(plan.TestRun(ws, all[:1], plan.Options{Pace: plan.Pace{Jobs: 8, CPUs: 8}})); len(got) != 1 {
		t.Errorf("of unknown length: %v", got)
	}
}

func TestPartsOfWhatAnotherContainerRunsKeepToItsFiles(t *testing.T) {
	ws, all := load(t)
	root, web := all[0], all[1]
	root.Suites = []suite.Suite{{Name: "fast", Suite: config.Suite{Shards: 2}}}
	root.Parts = []place.Part{{Lender: web.Project, Default: ".", Take: []string{"a.py", "b.py", "new.py"}}}
	h := history.History{Places: map[string]*history.Place{".[apps/web]": {Suites: map[string]map[string]history.Milliseconds{"fast": {"a.py": 8000, "b.py": 8000, "gone.py": 8000}}}}}
	p := plan.TestRun(ws, []plan.Selected{root}, plan.Options{
		Pace: plan.Pace{History: h, Jobs: 2}, Lenders: map[string]plan.Selected{web.Path: web},
	})
	var taken []string
	for _, a := range p.Actions {
		if a.Test != nil {
			taken = append(taken, strings.Join(a.Test.Places.Take, " "))
		}
	}
	if want := []string{"/app/a.py", "/app/b.py /app/new.py"}; !slices.Equal(taken, want) {
		t.Errorf("taken are %q, want %q", taken, want)
	}
}

func TestWorkersAreAsManyAsPay(t *testing.T) {
	ws, all := load(t)
	for name, tt := range map[string]struct {
		cpus  int
		limit float64
		ms    history.Milliseconds
		want  []string
	}{
		"short":              {8, 0, 4000, nil},
		"long":               {8, 0, 17000, []string{"-n", "3"}},
		"very long":          {4, 0, 170000, []string{"-n", "4"}},
		"with a limit":       {8, 2.5, 170000, []string{"-n", "2"}},
		"one processor":      {1, 0, 170000, nil},
		"of unknown length ": {8, 0, 0, nil},
	} {
		all[0].Suites = []suite.Suite{{Name: "fast", Suite: config.Suite{Workers: config.Workers{Auto: true}, Limits: config.Limits{CPUs: tt.limit}}}}
		h := history.History{Places: map[string]*history.Place{".": {Suites: map[string]map[string]history.Milliseconds{"fast": {"a.py": tt.ms}}}}}
		p := plan.TestRun(ws, all[:1], plan.Options{Pace: plan.Pace{History: h, CPUs: tt.cpus, Jobs: 1}})
		if got := action(t, p, "test:.").Test.Args; !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
