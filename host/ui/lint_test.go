package ui

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

func linted() *report.Lint {
	return &report.Lint{Exit: 3, Files: 3, Fixed: []string{"p/b.py"}, Linters: []report.Linted{
		{Linter: "ruff", Project: "p", Files: 3, Cached: 2, Diagnostics: []abi.Diagnostic{
			{
				File: "p/a.py", Range: abi.Range{Start: abi.Position{Line: 2, Column: 3}, End: abi.Position{Line: 2, Column: 7}}, Severity: "error", Rule: "E1", Message: "odd\nvery",
				Fixes: []abi.Fix{{Safe: true}},
			},
			{Severity: "warning", Rule: "W1", Message: "of no file"},
		}},
		{Linter: "fmt", Project: "p", Files: 3, Fault: &fault.Error{Code: "lint.broken", Message: "fmt did not work"}},
	}}
}

func view(s Style) LintView {
	return LintView{
		Style: s, Snippet: true, Name: func(file string) string { return "./" + file },
		Lines: func(file string, line int) (string, bool) { return "\té = 1\x1b", file == "p/a.py" && line == 2 },
	}
}

func TestFindingsAreShownWithTheirLines(t *testing.T) {
	var b bytes.Buffer
	if err := view(Style{}).Lint(&b, linted()); err != nil {
		t.Fatal(err)
	}
	want := `./p: warning W1 of no file
./p/a.py:2:3: error E1 odd
    very [fixable]
    2 | 	é = 1
      | 	 ^^^^
✗ fmt p
  error: fmt did not work [lint.broken]
fixed ./p/b.py
1 error, 1 warning, 1 broken linter  3 files by 2 linters in 0.00s, 2 of 6 results known from before, 1 fixable: wr lint --fix
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestWhatAPluginSaysIsShownAndNeverObeyed(t *testing.T) {
	forged := "a\x1b[2J\n::add-mask::e"
	l := &report.Lint{Linters: []report.Linted{
		{Linter: "bad", Diagnostics: []abi.Diagnostic{{Severity: "error", Rule: "R\x1b[8m\n::error::x", Message: forged}}},
		{Linter: "bad", Fault: &fault.Error{Code: "plugin.failed", Message: forged, Details: forged}},
	}}
	for _, s := range []Style{{}, {GitHub: true}} {
		var b bytes.Buffer
		if err := view(s).Lint(&b, l); err != nil {
			t.Fatal(err)
		}
		b.WriteString(s.Said("bad", "warn", forged))
		if strings.Contains(b.String(), "\x1b") || strings.Count(b.String(), "add-mask") != 4 {
			t.Errorf("got %q", b.String())
		}
		if s.GitHub {
			obeysNothing(t, b.String())
		}
	}
}

// obeysNothing fails if GitHub would find a command, besides those that turn
// commands off and on again.
func obeysNothing(t *testing.T, text string) {
	t.Helper()
	stopped := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		token, stops := strings.CutPrefix(line, "::stop-commands::")
		switch {
		case stopped != "" && line == "::"+stopped+"::":
			stopped = ""
		case stopped == "" && stops:
			stopped = token
		case stopped == "" && strings.HasPrefix(line, "::"):
			t.Errorf("GitHub obeys %q", line)
		}
	}
	if stopped != "" {
		t.Error("commands stay off")
	}
}

func TestQuietSaysNothingWhereNothingIsFound(t *testing.T) {
	var b bytes.Buffer
	if err := view(Style{Quiet: true}).Lint(&b, &report.Lint{Linters: []report.Linted{{Files: 1}}}); err != nil || b.Len() > 0 {
		t.Errorf("got %q, %v", b.String(), err)
	}
}

func TestGitHubShowsFindingsBesideTheCode(t *testing.T) {
	l := linted()
	for range mostAnnotations + 5 {
		l.Linters[0].Diagnostics = append(l.Linters[0].Diagnostics, abi.Diagnostic{File: "p/z.py", Severity: "error", Rule: "E2", Message: "x", Range: abi.Range{Start: abi.Position{Line: len(l.Linters[0].Diagnostics)}}})
	}
	var b bytes.Buffer
	if err := LintAnnotations(&b, l, "sub"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"::error title=ruff E1,file=sub/p/a.py,line=2,col=3,endLine=2,endColumn=7::odd%0Avery\n", "::warning title=ruff W1::of no file\n", "::error title=fmt p::fmt did not work",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q:\n%s", want, b.String())
		}
	}
	if got := strings.Count(b.String(), "::error title=ruff"); got != mostAnnotations {
		t.Errorf("shows %d errors, GitHub shows %d", got, mostAnnotations)
	}
}

func TestAJobSummaryHasWhatLintersFound(t *testing.T) {
	l := linted()
	l.Linters[0].Diagnostics[0].Message = "a|b <i>"
	var b bytes.Buffer
	if err := LintJobSummary(&b, l); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"### wr lint: 1 error, 1 warning, 1 broken linter  3 files by 2 linters", "**fmt** p: fmt did not work\n",
		"| p | warning | ruff W1 | of no file |\n", "| p/a.py&#58;2 | error | ruff E1 | a&#124;b &#60;i&#62; |\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q:\n%s", want, b.String())
		}
	}
	for range 2000 {
		l.Linters[0].Diagnostics = append(l.Linters[0].Diagnostics, abi.Diagnostic{File: "p/z.py", Severity: "error", Rule: rand.Text(), Message: strings.Repeat("x", 1000)})
	}
	b.Reset()
	if err := LintJobSummary(&b, l); err != nil || b.Len() > maxJobSummary || !strings.Contains(b.String(), " more findings.\n") {
		t.Errorf("%d bytes, %v, end %q", b.Len(), err, b.String()[b.Len()-100:])
	}
}
