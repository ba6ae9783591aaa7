package cli

import (
	"strings"
	"testing"

	"github.com/wr-build/wr/host/event"
)

func TestAReplaySaysWhenItsFilesMayBeOthers(t *testing.T) {
	a, b := &event.Revision{Commit: "aaa", Branch: "main"}, &event.Revision{Commit: "bbb"}
	dirty := &event.Revision{Commit: "aaa", Dirty: true}
	for name, c := range map[string]struct {
		before, now *event.Revision
		want        []string // in the warning; none = there is none
	}{
		"no repository":               {nil, nil, nil},
		"the same":                    {a, &event.Revision{Commit: "aaa", Branch: "other"}, nil},
		"before the first commit":     {&event.Revision{}, &event.Revision{}, nil},
		"another commit":              {a, b, []string{"commit aaa", "commit bbb", "git checkout aaa"}},
		"changes then":                {dirty, a, []string{"commit aaa with changes", "commit aaa now"}},
		"changes now":                 {a, dirty, []string{"commit aaa with changes now", "git stash"}},
		"changes both times":          {dirty, dirty, []string{"both", "aaa", "may differ"}},
		"another commit and changes":  {dirty, b, []string{"commit aaa with changes", "commit bbb now"}},
		"a run of which nobody asked": {nil, b, []string{"no commit that is known", "commit bbb"}},
		"a repository that is gone":   {a, nil, []string{"commit aaa", "no commit that is known"}},
		"a git that failed":           {a, &event.Revision{Unknown: "no git"}, []string{"commit aaa", "not known (no git)"}},
		"one that failed both times":  {&event.Revision{Unknown: "x"}, &event.Revision{Unknown: "x"}, []string{"not known (x)"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := otherRevision(c.before, c.now)
			if (got == nil) != (c.want == nil) {
				t.Fatalf("got %v", got)
			}
			for _, want := range c.want {
				if !strings.Contains(got.Message+" "+got.Next, want) {
					t.Errorf("got %q, next %q, want %q", got.Message, got.Next, want)
				}
			}
		})
	}
}
