package report_test

import (
	"bytes"
	"encoding/xml"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/lint/match"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// odd is a line of p/a b.py, and what linters say of it.
const odd = "x = 'é' # y"

var oddAt = abi.Range{Start: abi.Position{Line: 1, Column: 10}, End: abi.Position{Line: 1, Column: 13}}

func oddLines(file string, line int) (string, bool) { return odd, file == "p/a b.py" && line == 1 }

func linted() *report.Lint {
	mend := abi.Fix{Title: "mend", Safe: true, Edits: []abi.Edit{{File: "p/a b.py", Start: 9, End: 12, Text: "#"}}}
	return &report.Lint{Started: time.Unix(0, 0), Linters: []report.Linted{
		{Linter: "ruff", Project: "p", Files: 2, Cached: 1, Diagnostics: []abi.Diagnostic{
			{File: "p/a b.py", Range: oddAt, Severity: "warning", Rule: "E1", Message: "odd\x01", URL: "https://example.com/E1", Fixes: []abi.Fix{mend}},
			{File: "p/a b.py", Severity: "info", Rule: "E2", Message: "of the file"},
			{File: "p/a b.py", Severity: "info", Rule: "E2", Message: "of the file"},
		}},
		{Linter: "ruff", Project: "q", Files: 1},
		{Linter: "fmt", Project: "p", Files: 2, Fault: &fault.Error{Code: "lint.broken", Message: "fmt did not work", Details: "<tail>"}},
	}}
}

func TestSARIFThatIsWrittenIsWhatWasSaid(t *testing.T) {
	l := linted()
	var text bytes.Buffer
	if err := report.SARIF(&text, l, "", oddLines); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), `"uri": "p/a%20b.py"`) || !strings.Contains(text.String(), `"startColumn": 9`) {
		t.Errorf("got %s", text.String())
	}
	read := func() ([]abi.Diagnostic, error) {
		m, err := match.New(abi.Matcher{Format: match.SARIF})
		if err != nil {
			t.Fatal(err)
		}
		return m.Read(match.Output{
			Stdout: text.Bytes(), Path: func(name string) (string, bool) { return name, true },
			Source: func(file string) ([]byte, error) {
				if file != "p/a b.py" {
					return nil, os.ErrNotExist
				}
				return []byte(odd + "\n"), nil
			},
		})
	}
	if _, err := read(); err == nil || !strings.Contains(err.Error(), "fmt did not work") {
		t.Errorf("a linter that did not work reads as %v", err)
	}
	l.Linters[2].Fault = nil
	text.Reset()
	if err := report.SARIF(&text, l, "", oddLines); err != nil {
		t.Fatal(err)
	}
	var want []abi.Diagnostic
	for _, f := range l.Findings() {
		want = append(want, f.Diagnostic)
	}
	got, err := read()
	if diff := cmp.Diff(want, got); err != nil || diff != "" || len(got) != 2 {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestFilesInSARIFAreBelowTheRepository(t *testing.T) {
	var text bytes.Buffer
	if err := report.SARIF(&text, linted(), "sub", oddLines); err != nil || !strings.Contains(text.String(), `"uri": "sub/p/a%20b.py"`) {
		t.Errorf("%v in %s", err, text.String())
	}
}

func TestEachFindingIsACaseOfJUnit(t *testing.T) {
	for failing, counts := range map[abi.Severity]string{"error": "5 0 1 3", "warning": "5 1 1 2", "info": "5 3 1 0"} {
		var text bytes.Buffer
		if err := report.LintJUnit(&text, linted(), failing); err != nil {
			t.Fatal(err)
		}
		var doc node
		if err := xml.Unmarshal(text.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		got := strings.Join([]string{doc.attr("tests"), doc.attr("failures"), doc.attr("errors"), doc.attr("skipped")}, " ")
		if suites := doc.all("testsuite"); got != counts || len(suites) != 3 || suites[0].attr("name") != "p ruff" || suites[0].all("testcase")[0].attr("name") != "p/a b.py:1:10" {
			t.Errorf("from %s on, %s, want %s: %s", failing, got, counts, text.String())
		}
	}
}

func TestTheExitCodeOfLintersIsThatOfTheWorst(t *testing.T) {
	for name, tt := range map[string]struct {
		change  func(*report.Lint)
		failing abi.Severity
		want    int
	}{
		"a broken linter":                 {func(*report.Lint) {}, "error", 3},
		"nothing that fails":              {func(l *report.Lint) { l.Linters[2].Fault = nil }, "error", 0},
		"a warning, where those fail":     {func(l *report.Lint) { l.Linters[2].Fault = nil }, "warning", 1},
		"only infos, where warnings fail": {func(l *report.Lint) { l.Linters = l.Linters[1:2] }, "warning", 0},
		"an interruption":                 {func(l *report.Lint) { l.Interrupted = true }, "error", 130},
		"a severity that is none": {func(l *report.Lint) {
			l.Linters = l.Linters[:1]
			l.Linters[0].Diagnostics[0].Severity = "grave"
		}, "error", 1},
	} {
		l := linted()
		tt.change(l)
		if got := report.LintExitCode(l, tt.failing); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

func TestFindingsAreInOrderAndEachOnce(t *testing.T) {
	var got []string
	for _, f := range linted().Findings() {
		got = append(got, f.Place()+" "+f.Rule)
	}
	if want := []string{"p/a b.py E2", "p/a b.py:1:10 E1"}; !cmp.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got, want := linted().Sums(), (report.LintSums{Warnings: 1, Infos: 1, Fixable: 1, Broken: 1, Files: 5, Cached: 1}); got != want {
		t.Errorf("got %+v", got)
	}
}
