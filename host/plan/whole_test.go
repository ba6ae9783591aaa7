package plan_test

import (
	"testing"

	"github.com/wr-build/wr/host/plan"
)

func TestWhetherAFileIsCollectedAsAWhole(t *testing.T) {
	for name, tt := range map[string]struct {
		tests        plan.Tests
		unseen, seen bool
	}{
		"nothing said":           {plan.Tests{}, true, true},
		"flags":                  {plan.Tests{Args: []string{"-v", "-k", "a and b", "-o", "testpaths=x", "--tb=short"}}, true, true},
		"what may be a path":     {plan.Tests{Args: []string{"-v", "test"}}, false, true},
		"a case":                 {plan.Tests{Args: []string{"test_a.py::test_a"}}, false, false},
		"a case that wr named":   {plan.Tests{Args: []string{"d/test_b.py::test_b"}, Named: []string{"d/test_b.py::test_b"}}, false, false},
		"the file":               {plan.Tests{Args: []string{"d/test_a.py"}, Named: []string{"./d/test_a.py"}}, false, true},
		"the file, as wr has it": {plan.Tests{Args: []string{"d/test_a.py"}, Named: []string{"d/test_a.py"}}, true, true},
		"a directory above it":   {plan.Tests{Args: []string{"d"}, Named: []string{"d"}}, true, true},
		"another file":           {plan.Tests{Args: []string{"d/test_b.py"}, Named: []string{"d/test_b.py"}}, false, false},
		"what failed last":       {plan.Tests{Args: []string{"--lf"}}, false, false},
		"what is left out":       {plan.Tests{Args: []string{"--deselect=d/test_a.py::x"}}, false, false},
		"a run that is repeated": {plan.Tests{Order: []string{"x"}}, false, false},
	} {
		if got := tt.tests.Whole("d/test_a.py", false); got != tt.unseen {
			t.Errorf("%s, and nothing was seen: %v", name, got)
		}
		if got := tt.tests.Whole("d/test_a.py", true); got != tt.seen {
			t.Errorf("%s: %v", name, got)
		}
	}
}
