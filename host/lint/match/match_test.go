package match_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/lint/match"
	"github.com/wr-build/wr/sdk/go/abi"
)

// files are those of a workspace; a program runs in the project p.
type files map[string]string

func (f files) source(file string) ([]byte, error) {
	text, ok := f[file]
	if !ok {
		return nil, os.ErrNotExist
	}
	return []byte(text), nil
}

func (f files) path(name string) (string, bool) {
	if inside, ok := strings.CutPrefix(name, "/app/"); ok {
		return inside, true
	}
	if strings.HasPrefix(name, "/") {
		return "", false
	}
	return "p/" + name, true
}

// read has m read what a program has printed.
func (f files) read(t *testing.T, m abi.Matcher, exit int, text string) ([]abi.Diagnostic, error) {
	t.Helper()
	matcher, err := match.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return matcher.Read(match.Output{Exit: exit, Stdout: []byte(text), Stderr: []byte("talk\n"), File: "p/a.py", Path: f.path, Source: f.source})
}

// one is the only diagnostic in what a program has printed.
func (f files) one(t *testing.T, m abi.Matcher, text string) abi.Diagnostic {
	t.Helper()
	all, err := f.read(t, m, 1, text)
	if err != nil || len(all) != 1 {
		t.Fatalf("got %+v, %v, want one", all, err)
	}
	return all[0]
}

func TestTheExitCodeSaysAll(t *testing.T) {
	m := abi.Matcher{Format: match.Exit, Rule: "ok", Found: []int{1, 3}}
	if all, err := (files{}).read(t, m, 0, "fine\n"); err != nil || all != nil {
		t.Errorf("clean: %+v, %v", all, err)
	}
	all, err := (files{}).read(t, m, 3, "line 1\nline 2\n")
	want := []abi.Diagnostic{{File: "p/a.py", Severity: "error", Rule: "ok", Message: "line 1\nline 2"}}
	if err != nil || !reflect.DeepEqual(all, want) {
		t.Errorf("found: %+v, %v", all, err)
	}
	if all, err := (files{}).read(t, m, 1, ""); err != nil || all[0].Message != "talk" {
		t.Errorf("found, said on stderr: %+v, %v", all, err)
	}
	if _, err := (files{}).read(t, m, 2, ""); err == nil || !strings.Contains(err.Error(), "exited with 2") {
		t.Errorf("neither: %v", err)
	}
}

func TestAListHasAFileALine(t *testing.T) {
	m := abi.Matcher{Format: match.List, Message: "is not formatted", Severity: "warning"}
	all, err := (files{}).read(t, m, 1, "a.py\r\n\n/app/q/b.py\n/etc/passwd")
	want := []abi.Diagnostic{
		{File: "p/a.py", Severity: "warning", Message: "is not formatted"},
		{File: "q/b.py", Severity: "warning", Message: "is not formatted"},
		{Severity: "warning", Message: "/etc/passwd: is not formatted"},
	}
	if err != nil || !reflect.DeepEqual(all, want) {
		t.Errorf("got %+v, %v", all, err)
	}
}

func TestFoundWithoutAnythingToReadIsBroken(t *testing.T) {
	for format, text := range map[string]string{
		match.List: "\n", match.Regex: "nothing of the kind", match.SARIF: `{"version": "2.1.0", "runs": []}`, match.Checkstyle: "<checkstyle/>", match.Diff: "",
	} {
		if all, err := (files{}).read(t, abi.Matcher{Format: format, Pattern: "^(?P<file>[^:]+):$"}, 1, text); err == nil || !strings.Contains(err.Error(), "something was found") {
			t.Errorf("%s: %+v, %v", format, all, err)
		}
	}
}

func TestADocumentThatIsNoneIsBroken(t *testing.T) {
	for name, tt := range map[string]struct{ format, text string }{
		"no SARIF at all":        {match.SARIF, ""},
		"no JSON":                {match.SARIF, "Traceback"},
		"other JSON":             {match.SARIF, "{}"},
		"another version":        {match.SARIF, `{"version": "1.0.0", "runs": []}`},
		"a run that failed":      {match.SARIF, `{"version": "2.1.0", "runs": [{"invocations": [{"executionSuccessful": false}]}]}`},
		"an error of the tool":   {match.SARIF, `{"version": "2.1.0", "runs": [{"invocations": [{"executionSuccessful": true, "toolExecutionNotifications": [{"level": "error", "message": {"text": "no rules"}}]}]}]}`},
		"no checkstyle":          {match.Checkstyle, ""},
		"no XML":                 {match.Checkstyle, "boom"},
		"half a document":        {match.Checkstyle, "<checkstyle><file name='a'>"},
		"a diff of nothing here": {match.Diff, "--- x.py\n+++ x.py\n@@ -1 +1 @@\n-a\n+b\n"},
		"a diff that is cut":     {match.Diff, "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n-a\n"},
		"a diff of other lines":  {match.Diff, "--- a.py\n+++ a.py\n@@ -1 +1 @@\n-other\n+b\n"},
		"a diff from behind":     {match.Diff, "--- a.py\n+++ a.py\n@@ -9 +9 @@\n-x\n+b\n"},
		"a new file":             {match.Diff, "--- /dev/null\n+++ a.py\n@@ -0,0 +1 @@\n+b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := files{"p/a.py": "x\n"}.read(t, abi.Matcher{Format: tt.format}, 0, tt.text)
			if err == nil {
				t.Errorf("got %+v", all)
			}
		})
	}
}

func TestARegexTellsWhatItsGroupsHave(t *testing.T) {
	m := abi.Matcher{
		Format: match.Regex, Rule: "pep8",
		Pattern: `^(?P<file>[^:\n]+):(?P<line>\d+):(?P<column>\d+): (?:(?P<severity>[a-z]+) )?(?:(?P<rule>[A-Z]\d+) )?(?P<message>.*)$`,
	}
	f := files{"p/a.py": "x = 'é' # y\n"}
	all, err := f.read(t, m, 1, "checking\na.py:1:9: note E1 odd\na.py:7:3: plain\n")
	want := []abi.Diagnostic{
		{File: "p/a.py", Range: abi.Range{Start: abi.Position{Line: 1, Column: 10}}, Severity: "info", Rule: "E1", Message: "odd"},
		{File: "p/a.py", Range: abi.Range{Start: abi.Position{Line: 7}}, Severity: "error", Rule: "pep8", Message: "plain"},
	}
	if diff := cmp.Diff(want, all); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestOutputThatNamesNoFileIsOfTheFileLookedAt(t *testing.T) {
	m := abi.Matcher{Format: match.Regex, Pattern: `^line (?P<line>\d+)-(?P<end_line>\d+)$`, Message: "wrong"}
	if d := (files{}).one(t, m, "line 2-3\n"); d.File != "p/a.py" || d.Range.Start.Line != 2 || d.Range.End.Line != 3 || d.Message != "wrong" {
		t.Errorf("got %+v", d)
	}
	for want, m := range map[bool]abi.Matcher{true: m, false: {Format: match.Regex, Pattern: "(?P<file>x)"}} {
		if matcher, err := match.New(m); err != nil || matcher.Single() != want {
			t.Errorf("%q: single is %v, %v", m.Pattern, matcher.Single(), err)
		}
	}
}

func TestTheStreamCanBeTheOther(t *testing.T) {
	if d := (files{}).one(t, abi.Matcher{Format: match.Regex, Pattern: "(?P<message>talk)", Stream: "stderr"}, "talk of stdout\n"); d.Message != "talk" {
		t.Errorf("got %+v", d)
	}
}

func TestCheckstyleIsRead(t *testing.T) {
	all, err := files{}.read(t, abi.Matcher{Format: match.Checkstyle}, 1, `<?xml version='1.0' encoding='UTF-8'?>
<checkstyle version='4.3'><file name='a.sh'>
<error line='3' column='7' severity='info' message='Double &quot;quote&quot;.' source='ShellCheck.SC2086' />
<error line='4' severity='ignore' message='never' />
<error message='all of it' />
</file></checkstyle>`)
	want := []abi.Diagnostic{
		{File: "p/a.sh", Range: abi.Range{Start: abi.Position{Line: 3}}, Severity: "info", Rule: "ShellCheck.SC2086", Message: `Double "quote".`},
		{File: "p/a.sh", Severity: "error", Message: "all of it"},
	}
	if diff := cmp.Diff(want, all); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestAFormatThatIsNoneIsRefused(t *testing.T) {
	for _, m := range []abi.Matcher{{Format: "srif"}, {Format: match.Regex, Pattern: "("}} {
		if _, err := match.New(m); err == nil {
			t.Errorf("%+v is taken", m)
		}
	}
}
