package testrun_test

import (
	"maps"
	"testing"

	"github.com/wr-build/wr/host/plan"
)

func TestATestThatAPluginTellsOfAndNobodyCollectsIsAnError(t *testing.T) {
	const a, b = "test_a.py::test_a", "nb.ipynb::cell[2]"
	entry := func(file, id string) plan.Assigned {
		return plan.Assigned{File: "/app/p/" + file, ID: id, Plugin: "testlist", At: "p/a.list:7"}
	}
	uncollected := func(id string) map[string]string {
		return map[string]string{"p": "failed", "p " + a: "passed", "p " + id: "errored: plugin testlist tells of it (p/a.list:7), and pytest has not collected it"}
	}
	fine := map[string]string{"p": "ok", "p " + a: "passed"}
	for name, tt := range map[string]struct {
		told        plan.Assigned
		said        said
		args, named []string
		order       []string
		want        map[string]string
	}{
		"a case":                      {told: entry("test_a.py", "test_z"), said: said{passed: []string{a}}, want: uncollected("test_a.py::test_z")},
		"a file":                      {told: entry("test_z.py", ""), said: said{passed: []string{a}}, want: uncollected("test_z.py")},
		"a case of a file that is as": {told: entry("test_a.py", "test_"), said: said{passed: []string{a}}, want: uncollected("test_a.py::test_")},
		"one that was":                {told: entry("test_a.py", "test_a"), said: said{passed: []string{a}}, want: fine},
		"a file that was":             {told: entry("test_a.py", ""), said: said{passed: []string{a}}, want: fine},
		"one that was deselected":     {told: entry("nb.ipynb", "cell[2]"), said: said{passed: []string{a}, deselected: []string{b}}, want: fine},
		"in a directory that was":     {told: entry("test_a.py", "test_z"), said: said{passed: []string{a}}, named: []string{"."}, want: uncollected("test_a.py::test_z")},
		"one that was not asked for":  {told: entry("test_a.py", "test_z"), said: said{passed: []string{a}}, named: []string{a}, want: fine},
		"one of another file":         {told: entry("test_z.py", "test_z"), said: said{passed: []string{a}}, named: []string{"test_a.py"}, want: fine},
		"one that was ignored":        {told: entry("test_z.py", "test_z"), said: said{passed: []string{a}}, args: []string{"-v", "--ignore=test_z.py"}, want: fine},
		"a path by hand":              {told: entry("test_z.py", "test_z"), said: said{passed: []string{a}}, args: []string{"--", "test_a.py"}, want: fine},
		"what failed last":            {told: entry("test_a.py", "test_z"), said: said{passed: []string{a}}, args: []string{"--lf"}, want: fine},
		"of a run that is repeated":   {told: entry("test_a.py", "test_z"), said: said{passed: []string{a}}, order: []string{a}, want: fine},
	} {
		t.Run(name, func(t *testing.T) {
			actions := unitOf("p")
			actions[1].Test.Assigned, actions[1].Test.Args, actions[1].Test.Named, actions[1].Test.Order = []plan.Assigned{tt.told, tt.told}, tt.args, tt.named, tt.order
			r := &rounds{T: t, first: actions, containers: &tellers{tell: map[string][]said{"p": {tt.said}}}}
			result := r.do(t.Context())
			if got := ends(result); !maps.Equal(got, tt.want) || (result.Exit == 0) != (len(tt.want) == 2) {
				t.Errorf("exit %d, got %v, want %v", result.Exit, got, tt.want)
			}
		})
	}
}

func TestWhoContradictsAPluginIsToldSo(t *testing.T) {
	const c = "test_a.py::test_c"
	r := &rounds{T: t, first: unitOf("p"), containers: &tellers{tell: map[string][]said{"p": {{passed: []string{"test_a.py::test_a"}, elsewhere: [][2]string{{c, "?!its mark says o, and p/a.list:1 says p"}}}}}}}
	result := r.do(t.Context())
	if got := ends(result)["p "+c]; got != "errored: its mark says o, and p/a.list:1 says p" || result.Exit != 1 {
		t.Errorf("exit %d, got %s", result.Exit, got)
	}
}
