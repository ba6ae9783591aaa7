package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/wr-build/wr/host/plan"
)

// TestWhatTwoRoundsTestedIsCollectedByOne has all ways in which two rounds can say
// which of three files they collect.
func TestWhatTwoRoundsTestedIsCollectedByOne(t *testing.T) {
	files := []string{"a", "b", "c"}
	var all []plan.Places
	for subset := range 8 {
		var some []string
		for i, file := range files {
			if subset>>i&1 == 1 {
				some = append(some, file)
			}
		}
		all = append(all, plan.Places{Leave: some}, plan.Places{Take: append([]string{}, some...)}, plan.Places{Take: []string{"a", "b"}, Leave: some})
	}
	for _, first := range all {
		for _, second := range all {
			r := plan.Recording{Action: plan.Action{Test: &plan.Tests{Places: first}}}
			r.Join(plan.Action{Test: &plan.Tests{Places: second}})
			for _, file := range append(files, "new") {
				if got, want := r.Test.Places.Collect(file), first.Collect(file) || second.Collect(file); got != want {
					t.Errorf("%s of %+v and %+v: %t", file, first, second, got)
				}
			}
		}
	}
}

func TestWhatWasAskedForInTwoRoundsIsAskedForInOne(t *testing.T) {
	first := &plan.Tests{
		Args: []string{"-v", "test_a.py", "dir"}, Named: []string{"test_a.py", "dir"},
		Suites: []plan.Suite{{Name: "slow", Fate: plan.Left}, {Name: "fast", Fate: plan.Run}, {Name: "gpu", Fate: plan.Left}},
	}
	before := fmt.Sprint(*first)
	r := plan.Recording{Action: plan.Action{Test: first}}
	r.Join(plan.Action{Test: &plan.Tests{
		Args: []string{"-v", "dir", "test_b.py"}, Named: []string{"dir", "test_b.py"},
		Suites: []plan.Suite{{Name: "slow", Fate: plan.Run}, {Name: "fast", Fate: plan.Left}, {Name: "gpu", Fate: plan.Left}},
	}})
	for i, want := range []plan.Fate{plan.Run, plan.Run, plan.Left} {
		if got := r.Test.Suites[i]; got.Fate != want {
			t.Errorf("suite %s is %s, want %s", got.Name, got.Fate, want)
		}
	}
	if want := []string{"-v", "test_a.py", "dir", "test_b.py"}; !slices.Equal(r.Test.Args, want) {
		t.Errorf("got %q", r.Test.Args)
	}
	if after := fmt.Sprint(*first); after != before {
		t.Errorf("what was recorded has changed: %s", after)
	}
}

func TestNobodyHasToLookIntoWhatIsRepeated(t *testing.T) {
	ws, all := load(t)
	was := action(t, plan.TestRun(ws, all, plan.Options{Args: []string{"--pdb", "-k", "x"}, Debug: plan.Debug{Terminal: true}}), "test:apps/web")
	again := plan.Replay(ws, []plan.Recording{{Action: was}}, map[string]plan.Selected{all[1].Path: all[1]}, plan.Options{})
	if now := action(t, again, "test:apps/web").Test; now.Debug != (plan.Debug{}) || slices.Contains(now.Args, "--pdb") || !slices.Contains(now.Args, "x") {
		t.Errorf("got %+v, %q", now.Debug, now.Args)
	}
}
