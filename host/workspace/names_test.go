package workspace

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestNamesAreThoseThatNamedFinds(t *testing.T) {
	ws := loaded(t, tree(t, `
-- wr.toml --
[workspace]
name = "acme"
[project]
-- devops/Dockerfile --
-- infra/devops/Dockerfile --
-- tools/devops/Dockerfile --
-- a/optimizer/devops/Dockerfile --
-- b/deep/tools/devops/Dockerfile --
-- b/deep/mail/devops/Dockerfile --
-- c/mail/devops/Dockerfile --
-- named/wr.toml --
[project]
name = "infra"
-- named/devops/Dockerfile --
-- other/wr.toml --
[project]
name = "mail"
-- other/devops/Dockerfile --
`))
	names := ws.Names()
	candidates := slices.Collect(maps.Keys(names))
	for _, p := range ws.Projects {
		candidates = append(candidates, p.Name)
		for rest, deeper := p.Path, true; deeper; _, rest, deeper = strings.Cut(rest, "/") {
			candidates = append(candidates, rest)
		}
	}
	for _, name := range candidates {
		want := ""
		if p, err := ws.Named(name); err == nil {
			want = p.Path
		}
		if names[name] != want {
			t.Errorf("%s is %q, Named finds %q", name, names[name], want)
		}
	}
	for name, want := range map[string]string{"acme": ".", "infra": "infra", "mail": "other", "deep/mail": "b/deep/mail", "optimizer": "a/optimizer"} {
		if names[name] != want {
			t.Errorf("%s is %q, want %q", name, names[name], want)
		}
	}
}
