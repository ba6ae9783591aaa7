package report_test

import (
	"testing"

	"github.com/wr-build/wr/host/report"
)

func TestAFailureCanBeRunAgainByOneLine(t *testing.T) {
	for _, c := range []struct{ project, id, want string }{
		{"web", "test/test_a.py::test_b", "wr test web/test/test_a.py::test_b"},
		{".", "test_a.py::TestC::test_b", "wr test test_a.py::TestC::test_b"},
		{"web", "test_a.py::test_b[it's a|b]", `wr test 'web/test_a.py::test_b[it'\''s a|b]'`},
		{"web", ".", "wr test web"},
		{"web", "", "wr test web"},
		{"web", "test_a.py::test_b[x\ny]", ""},
	} {
		if got := report.Again(c.project, c.id); got != c.want {
			t.Errorf("%s, %q: got %s, want %s", c.project, c.id, got, c.want)
		}
	}
}
