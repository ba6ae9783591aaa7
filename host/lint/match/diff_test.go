package match_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/lint/match"
	"github.com/wr-build/wr/sdk/go/abi"
)

// mended is text with all fixes of the diagnostics, which come in order.
func mended(text string, all []abi.Diagnostic) string {
	out, at := "", int64(0)
	for _, d := range all {
		for _, e := range d.Fixes[0].Edits {
			out += text[at:e.Start] + e.Text
			at = e.End
		}
	}
	return out + text[at:]
}

func TestADiffIsWhatMends(t *testing.T) {
	for name, tt := range map[string]struct {
		before, diff, after string
		at                  []abi.Range
	}{
		"lines among others": {
			"a\nb\nc\nd\n", "--- a.py\t2026-01-01 10:00:00 +0000\n+++ a.py\t2026-01-01 10:00:00 +0000\n@@ -1,4 +1,4 @@\n a\n-b\n-c\n+B\n+C\n d\n", "a\nB\nC\nd\n",
			[]abi.Range{{Start: abi.Position{Line: 2, Column: 1}, End: abi.Position{Line: 3, Column: 2}}},
		},
		"the prefixes of git": {
			"a\n", "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a\n+b\n", "b\n",
			[]abi.Range{{Start: abi.Position{Line: 1, Column: 1}, End: abi.Position{Line: 1, Column: 2}}},
		},
		"lines that look like headers": {
			"-- x\n++ y\n", "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n--- x\n-++ y\n+++ z\n+-- w\n", "++ z\n-- w\n",
			[]abi.Range{{Start: abi.Position{Line: 1, Column: 1}, End: abi.Position{Line: 2, Column: 5}}},
		},
		"only new lines, in front": {
			"a\n", "--- a.py\n+++ a.py\n@@ -0,0 +1 @@\n+new\n", "new\na\n",
			[]abi.Range{{Start: abi.Position{Line: 1, Column: 1}}},
		},
		"the end of the last line": {
			"a\nb", "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n", "a\nb\n",
			[]abi.Range{{Start: abi.Position{Line: 2, Column: 1}, End: abi.Position{Line: 2, Column: 2}}},
		},
		"lines that end as on Windows": {
			"a\r\nb\r\n", "--- a.py\n+++ a.py\n@@ -2 +2 @@\n-b\r\n+b\n", "a\r\nb\n",
			[]abi.Range{{Start: abi.Position{Line: 2, Column: 1}, End: abi.Position{Line: 2, Column: 2}}},
		},
		"two hunks and talk before": {
			"a\nb\nc\nd\ne\n", "would reformat a.py\n--- a.py\n+++ a.py\n@@ -1 +0,0 @@\n-a\n@@ -5 +4 @@\n-e\n+E\n", "b\nc\nd\nE\n",
			[]abi.Range{
				{Start: abi.Position{Line: 1, Column: 1}, End: abi.Position{Line: 1, Column: 2}},
				{Start: abi.Position{Line: 5, Column: 1}, End: abi.Position{Line: 5, Column: 2}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := files{"p/a.py": tt.before}.read(t, abi.Matcher{Format: match.Diff, Rule: "fmt"}, 1, tt.diff)
			if err != nil {
				t.Fatal(err)
			}
			if got := mended(tt.before, all); got != tt.after {
				t.Errorf("mended it is %q, want %q", got, tt.after)
			}
			var at []abi.Range
			for _, d := range all {
				at = append(at, d.Range)
				if d.File != "p/a.py" || d.Rule != "fmt" || d.Message != "is not formatted" || !d.Fixes[0].Safe {
					t.Errorf("got %+v", d)
				}
			}
			if diff := cmp.Diff(tt.at, at); diff != "" {
				t.Error(diff)
			}
		})
	}
}
