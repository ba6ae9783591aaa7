package workspace

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestTheWorkspacesAboveHaveASayInPolicies(t *testing.T) {
	top := tree(t, `
-- wr.toml --
[workspace]
[policy]
rights = []
-- a/wr.toml --
[project]
-- a/b/wr.toml --
[workspace]
[project]
`)
	for dir, want := range map[string][]string{
		"a":   {"wr.toml"},
		"a/b": {"wr.toml", filepath.Join(top, "wr.toml")},
	} {
		var got []string
		for _, p := range loaded(t, filepath.Join(top, dir)).Policies() {
			got = append(got, p.File)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is bounded by %q, want %q", dir, got, want)
		}
	}
}

func TestAPolicyAboveThatCannotBeReadIsAnError(t *testing.T) {
	for above, code := range map[string]string{
		"[workspace]\n[policy]\nrights = 1\n": "config.bad_type",
		"[workspace]\n[policy\n":              "config.syntax",
		"[project]\nname = \n":                "",
		"[workspace]\n[test]\npaths = 1\n":    "",
	} {
		top := tree(t, "-- wr.toml --\n"+above+"-- a/wr.toml --\n[workspace]\n[project]\n")
		_, err := Load(t.Context(), filepath.Join(top, "a"))
		if code == "" && err != nil || code != "" && !fault.HasCode(err, code) {
			t.Errorf("below %q: got %v, want %q", above, err, code)
		}
	}
}
