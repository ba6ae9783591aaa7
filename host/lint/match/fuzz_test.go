package match_test

import (
	"testing"

	"github.com/wr-build/wr/host/lint/match"
	"github.com/wr-build/wr/sdk/go/abi"
)

// FuzzRead has every format read anything: what comes of it lies in the file.
func FuzzRead(f *testing.F) {
	f.Add("a.py\n", "x\n", 1)
	f.Add("a.py:1:1: E1 x\n", "é\n", 1)
	f.Add(result(`"ruleId": "E1", "message": {"text": "odd"}, `+here), "x\n", 0)
	f.Add("<checkstyle><file name='a.py'><error line='1' column='2'/></file></checkstyle>", "x\n", 1)
	f.Add("--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n--- x\n-++ y\n+++ z\n+-- w\n", "-- x\n++ y\n", 1)
	f.Add("--- a.py\n+++ a.py\n@@ -0,0 +1 @@\n+new\n", "", 1)
	f.Fuzz(func(t *testing.T, output, content string, exit int) {
		for _, format := range []string{match.Exit, match.List, match.Regex, match.SARIF, match.Checkstyle, match.Diff} {
			all, err := files{"p/a.py": content}.read(t, abi.Matcher{Format: format, Pattern: `^(?P<file>[^:\n]+):(?P<line>\d+):(?P<column>\d+)`}, exit, output)
			if err != nil {
				continue
			}
			for _, d := range all {
				for _, fix := range d.Fixes {
					for _, e := range fix.Edits {
						if e.File != "p/a.py" || e.Start < 0 || e.End < e.Start || e.End > int64(len(content)) {
							t.Errorf("%s: an edit outside of the file: %+v", format, e)
						}
					}
				}
				if d.Severity == "" {
					t.Errorf("%s: %+v", format, d)
				}
			}
		}
	})
}
