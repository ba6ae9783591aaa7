package reporttest_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/report/reporttest"
)

// plain is what pytest 7.2 writes and prints with PlainArgs, in short.
const (
	plain = `<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest">
<testcase classname="test.test_a" name="test_pass[a b]" file="test/test_a.py" line="1"/>
<testcase classname="test.test_a.TestX" name="test_odd[x - y::z]" file="test/test_a.py" line="2"/>
<testcase classname="test.test_a" name="test_skip" file="test/test_a.py"><skipped type="pytest.skip" message="no"/></testcase>
<testcase classname="test.test_a" name="test_known" file="test/test_a.py"><skipped type="pytest.xfail" message="known"/></testcase>
<testcase classname="test.test_a" name="test_setup" file="test/test_a.py"><error message="failed on setup with &quot;no db&quot;"/></testcase>
<testcase classname="test.test_a" name="test_teardown" file="test/test_a.py"><error message="failed on teardown with &quot;open&quot;"/></testcase>
<testcase classname="test.test_a" name="test_both" file="test/test_a.py"><failure message="first"/></testcase>
<testcase classname="test.test_a" name="test_both" file="test/test_a.py"><error message="failed on teardown with &quot;open&quot;"/></testcase>
<testcase classname="test.test_a" name="test_inherited" file="../lib/cases.py"/>
<testcase classname="" name="test.test_broken" file="test/test_broken.py"><error message="collection failure"/></testcase>
<testcase classname="" name="test.test_gpu" file="test/test_gpu.py"><skipped message="collection skipped"/></testcase>
<testcase time="0.1"/>
</testsuite></testsuites>`
	printed = "rootdir: /app/infra, configfile: pytest.ini, testpaths: test\nXPASS test/test_a.py::TestX::test_odd[x - y::z] - fixed\n"
)

func TestEveryWayInWhichACaseOfPytestEndsIsToldApart(t *testing.T) {
	got, err := reporttest.OfPytest([]byte(plain), []byte(printed), "/app")
	if err != nil {
		t.Fatal(err)
	}
	const here = "infra/test/test_a.py infra.test.test_a"
	want := []reporttest.Case{
		{here + "::test_pass[a b]", "passed"},
		{here + ".TestX::test_odd[x - y::z]", "xpassed"},
		{here + "::test_skip", "skipped"},
		{here + "::test_known", "xfailed"},
		{here + "::test_setup", "error before"},
		{here + "::test_teardown", "error in teardown"},
		{here + "::test_both", "failed"},
		{"lib/cases.py infra.test.test_a::test_inherited", "passed"},
		{"infra.test.test_broken", "not collected"},
		{"infra.test.test_gpu", "skipped"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cases differ (-want +got):\n%s", diff)
	}
}

func TestAttemptsThatAPluginRunsAgainAreNoCases(t *testing.T) {
	const one = `<testcase classname="test_a" name="test_x" file="test_a.py">%</testcase>`
	attempt, failure := strings.Replace(one, "%", "", 1), strings.Replace(one, "%", "<failure/>", 1)
	const said = "rootdir: /app\n"
	for name, c := range map[string]struct {
		junit, output string
		want          []string
	}{
		"all attempts in the report": {attempt + attempt + failure, said + "RERUN test_a.py::test_x\nRERUN test_a.py::test_x - why\n", []string{"failed"}},
		"only the last one":          {failure, said + "RERUN test_a.py::test_x\nRERUN test_a.py::test_x\n", []string{"failed"}},
		"another case runs again":    {attempt + failure, said + "RERUN test_a.py::test_xy\n", []string{"passed", "failed"}},
		"no plugin does":             {attempt + attempt, said, []string{"passed", "passed"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := reporttest.OfPytest([]byte("<testsuites><testsuite>"+c.junit+"</testsuite></testsuites>"), []byte(c.output), "/app")
			var outcomes []string
			for _, one := range got {
				outcomes = append(outcomes, one.Outcome)
			}
			if diff := cmp.Diff(c.want, outcomes); err != nil || diff != "" {
				t.Errorf("%v, outcomes differ (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestWhatCannotBeToldApartIsAnError(t *testing.T) {
	const suite = `<testsuites><testsuite name="pytest"><testcase classname="a" name="b">%</testcase></testsuite></testsuites>`
	for name, c := range map[string]struct{ junit, output, want string }{
		"no XML":          {"oops", printed, "EOF"},
		"no testsuite":    {"<testsuites/>", printed, "no testsuite"},
		"no rootdir":      {plain, "1 passed", "does not say its rootdir"},
		"another rootdir": {plain, "rootdir: /application/x\n", "not in the workspace"},
		"an unknown skip": {strings.Replace(suite, "%", `<skipped type="pytest.new"/>`, 1), printed, `skipped as "pytest.new"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := reporttest.OfPytest([]byte(c.junit), []byte(c.output), "/app")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v, want an error that says %q", got, err, c.want)
			}
		})
	}
}

// ended is a run of infra in which the cases of plain have ended as they did there.
func ended() *report.Run {
	r := &report.Run{}
	for _, e := range []event.Event{
		{Case: "test/test_a.py::test_pass[a b]", Outcome: event.Passed},
		{Case: "test/test_a.py::TestX::test_odd[x - y::z]", Outcome: event.XPassed},
		{Case: "test/test_a.py::test_skip", Outcome: event.Skipped},
		{Case: "test/test_a.py::test_known", Outcome: event.XFailed},
		{Case: "test/test_a.py::test_setup", Outcome: event.Errored, Text: "setup: no db"},
		{Case: "test/test_a.py::test_teardown", Outcome: event.Errored, Text: "attempt 2: teardown: open"},
		{Case: "test/test_a.py::test_both", Outcome: event.Failed, Text: "first"},
		{Case: "test/test_a.py::test_inherited", Outcome: event.Passed, File: "lib/cases.py"},
		{Type: event.CollectFailed, Case: "test/test_broken.py", Text: "no such module"},
		{Case: "test/test_gpu.py", Outcome: event.Skipped},
		{Case: "test/test_a.py::test_left", Outcome: event.NotRun},
		{Type: event.ProjectFinished, Status: event.Bad},
	} {
		e.Project = "infra"
		if e.Type == "" {
			e.Type = event.CaseFinished
		}
		if e.File == "" {
			e.File = "infra/test/test_a.py"
		}
		r.Apply(e)
	}
	return r
}

// ofWr reads what r is as junit.xml, which edit may change before.
func ofWr(t *testing.T, r *report.Run, edit func(string) string) (map[string][]reporttest.Case, error) {
	t.Helper()
	var b bytes.Buffer
	if err := report.JUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	return reporttest.OfWr([]byte(edit(b.String())), r)
}

func as(junit string) string { return junit }

func TestTheSameCasesOfWrAreNoDifference(t *testing.T) {
	wr, err := ofWr(t, ended(), as)
	if err != nil || len(wr) != 1 {
		t.Fatalf("got %v, %v", wr, err)
	}
	pytest, err := reporttest.OfPytest([]byte(plain), []byte(printed), "/app")
	if err != nil {
		t.Fatal(err)
	}
	if diff := reporttest.Diff(pytest, wr["infra"]); diff != "" {
		t.Errorf("they differ:\n%s", diff)
	}
}

func TestAJUnitThatIsNotWhatTheEventsSayIsAnError(t *testing.T) {
	for name, edit := range map[string]func(string) string{
		"a case less":  func(s string) string { return cut(s, "<testcase", "</testcase>") },
		"another name": func(s string) string { return strings.Replace(s, `"test_both"`, `"test_bath"`, 1) },
		"another suite": func(s string) string {
			return strings.Replace(s, `<testsuite name="infra"`, `<testsuite name="web"`, 1)
		},
		"no suite of it": func(s string) string { return cut(s, "<testsuite ", "</testsuite>") },
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ofWr(t, ended(), edit); err == nil {
				t.Errorf("got %v and no error", got)
			}
		})
	}
}

// cut is s without its first part from begin to end.
func cut(s, begin, end string) string {
	before, rest, _ := strings.Cut(s, begin)
	_, after, _ := strings.Cut(rest, end)
	return before + after
}

func TestEveryDifferenceIsSaid(t *testing.T) {
	both := []reporttest.Case{{"a", "passed"}, {"b", "failed"}}
	for name, c := range map[string]struct {
		plain, wr []reporttest.Case
		want      string
	}{
		"none":               {both, []reporttest.Case{both[1], both[0]}, ""},
		"a case less":        {both, both[:1], "b: plain pytest has failed, wr has nothing\n"},
		"a case more":        {both[:1], both, "b: plain pytest has nothing, wr has failed\n"},
		"another outcome":    {both, []reporttest.Case{{"a", "passed"}, {"b", "passed"}}, "b: plain pytest has failed, wr has passed\n"},
		"one of two":         {append(both, both[1]), both, "b: plain pytest has failed and failed, wr has failed\n"},
		"not run":            {both, append(both, reporttest.Case{ID: "c", Outcome: "not run"}), ""},
		"not run by wr only": {both, []reporttest.Case{both[0], {"b", "not run"}}, "b: plain pytest has failed, wr has nothing\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := reporttest.Diff(c.plain, c.wr); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
