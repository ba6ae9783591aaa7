package match_test

import (
	"strings"
	"testing"

	"github.com/wr-build/wr/host/lint/match"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestFailuresAreReadBesidesFindings(t *testing.T) {
	list := abi.Matcher{Format: match.List, Message: "is not formatted"}
	sarif := abi.Matcher{Format: match.SARIF}
	onStderr := &abi.Matcher{Format: match.Regex, Stream: "stderr", Pattern: `^(?P<file>[^:]+): (?P<message>.+)$`, Rule: "syntax"}
	otherCode := &abi.Matcher{Format: match.Regex, Stream: "stderr", Pattern: onStderr.Pattern, Rule: "syntax", Found: []int{2}}
	last := &abi.Matcher{Format: match.Exit, Stream: "stderr", Rule: "syntax", Found: []int{2}}
	for name, tt := range map[string]struct {
		findings       abi.Matcher
		failures       *abi.Matcher
		exit           int
		stdout, stderr string
		want           string // file and message of each; with "!" it is an error with those words
	}{
		"nothing":                         {list, onStderr, 0, "", "", ""},
		"findings":                        {list, onStderr, 1, "a.py\n", "", "p/a.py is not formatted"},
		"a failure":                       {list, onStderr, 1, "", "a.py: bad\n", "p/a.py bad"},
		"both":                            {list, onStderr, 1, "b.py\n", "a.py: bad\n", "p/a.py bad, p/b.py is not formatted"},
		"a failure in spite of its code":  {list, onStderr, 0, "", "a.py: bad\n", "p/a.py bad"},
		"a code of failures":              {list, otherCode, 2, "b.py\n", "a.py: bad\n", "p/a.py bad, p/b.py is not formatted"},
		"a code of failures without one":  {list, otherCode, 2, "", "odd\n", "!exited with 2, which means that something was found, and its stderr"},
		"a code of findings without any":  {list, onStderr, 1, "", "odd\n", "!exited with 1, which means that something was found, and its stdout"},
		"a code of neither":               {list, otherCode, 3, "a.py\n", "a.py: bad\n", "!exited with 3, which is none of clean [0], found [1] and failure [2]"},
		"no document, because it failed":  {sarif, otherCode, 2, "", "a.py: bad\n", "p/a.py bad"},
		"no document, though it did not":  {sarif, otherCode, 1, "", "a.py: bad\n", "!printed nothing"},
		"no document, and no failure":     {sarif, otherCode, 2, "", "odd\n", "!printed nothing"},
		"half a document":                 {sarif, otherCode, 2, `{"version"`, "a.py: bad\n", "p/a.py bad"},
		"one that means both, and none":   {sarif, onStderr, 1, "", "a.py: bad\n", "p/a.py bad"},
		"one that means both, and half":   {sarif, onStderr, 1, `{"version"`, "a.py: bad\n", "!read as SARIF"},
		"a failure that names no file":    {list, last, 2, "", "cannot\n", "p/a.py cannot"},
		"that is not told for other ends": {list, last, 1, "a.py\n", "talk\n", "p/a.py is not formatted"},
	} {
		t.Run(name, func(t *testing.T) {
			both, err := match.NewBoth(tt.findings, tt.failures)
			if err != nil {
				t.Fatal(err)
			}
			all, err := both.Read(match.Output{Exit: tt.exit, Stdout: []byte(tt.stdout), Stderr: []byte(tt.stderr), File: "p/a.py", Path: files{}.path, Source: files{}.source})
			var got []string
			for _, d := range all {
				got = append(got, d.File+" "+d.Message)
			}
			switch words, isError := strings.CutPrefix(tt.want, "!"); {
			case isError && (err == nil || !strings.Contains(err.Error(), words)):
				t.Errorf("got %q, %v", got, err)
			case !isError && (err != nil || strings.Join(got, ", ") != tt.want):
				t.Errorf("got %q, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestOutputWithoutFilesIsOfOneFile(t *testing.T) {
	list, exit := abi.Matcher{Format: match.List}, abi.Matcher{Format: match.Exit}
	for name, tt := range map[string]struct {
		findings abi.Matcher
		failures *abi.Matcher
		want     bool
	}{
		"files in both":        {list, &list, false},
		"no failures":          {list, nil, false},
		"none in the findings": {exit, &list, true},
		"none in the failures": {list, &exit, true},
	} {
		both, err := match.NewBoth(tt.findings, tt.failures)
		if err != nil || both.Single() != tt.want {
			t.Errorf("%s: got %t, %v", name, both.Single(), err)
		}
	}
	said := abi.Matcher{Format: match.List, Stream: "stderr"}
	for _, tt := range []struct {
		findings abi.Matcher
		failures *abi.Matcher
		want     bool
	}{{list, nil, false}, {list, &list, false}, {said, nil, true}, {list, &said, true}} {
		if both, err := match.NewBoth(tt.findings, tt.failures); err != nil || both.Stderr() != tt.want {
			t.Errorf("%+v: reads stderr: %t, %v", tt, both.Stderr(), err)
		}
	}
	if _, err := match.NewBoth(list, &abi.Matcher{Format: match.Regex, Pattern: "("}); err == nil {
		t.Error("a pattern that is none was taken")
	}
}
