package workspace

import (
	"fmt"
	"strings"
	"testing"
)

func TestNearMisses(t *testing.T) {
	for _, tt := range []struct{ claim, tree, want string }{
		{"a project with its Dockerfile is none", "-- a/devops/Dockerfile --\n", ""},
		{"an ordinary directory is none", "-- a/b.txt --\n", ""},
		{"a Dockerfile without devops", "-- a/Dockerfile --\n", "a: it has a Dockerfile, but neither a devops folder nor a wr.toml"},
		{"a Dockerfile of [images] is none", "-- wr.toml --\n[workspace]\n[images.e2e]\ndockerfile = \"a/Dockerfile\"\n-- a/Dockerfile --\n", ""},
		{"a Dockerfile inside of devops is none", "-- a/devops/Dockerfile --\n-- a/devops/dev/Dockerfile --\n", ""},
		{"a Dockerfile of a tool is none", "-- .devcontainer/Dockerfile --\n", ""},
		{"a devops file", "-- a/devops --\n", "a: devops is a file, not a folder"},
		{"a devops folder in capitals", "-- a/DevOps/ --\n", "a: DevOps is not written in lower case"},
		{"a devops link that leads out", "-- a/devops --\n-> /usr\n", "a: devops is a symbolic link that leaves the workspace or leads nowhere"},
		{"a wr.toml link that leads nowhere", "-- a/wr.toml --\n-> x\n", "a: wr.toml is a symbolic link that leaves the workspace or leads nowhere"},
		{"a wr.toml without [project]", "-- a/wr.toml --\n[test]\n", "a: its wr.toml has no [project]"},
		{"the wr.toml of a sub-repo's root is none", "-- a/wr.toml --\n[workspace]\n", ""},
		{"devops without a Dockerfile", "-- a/devops/ --\n", "a: a project, but there is no devops/Dockerfile"},
		{"a project whose Dockerfile is missing", "-- a/wr.toml --\n[project]\n[image]\ndockerfile = \"x\"\n", "a: a project, but there is no x"},
		{"an ignored project", "-- a/.gitignore --\n# x\nb\n-- a/b/c/devops/ --\n", "a/b/c: left out by a/.gitignore:2"},
		{"an excluded project", "-- wr.toml --\n[workspace]\nexclude = [\"old/**\"]\n-- old/a/wr.toml --\n", `old/a: left out by [workspace] exclude = "old/**" in wr.toml`},
		{"a cache is none", "-- node_modules/a/devops/ --\n", ""},
		{"a link to a project", "-- a/devops/Dockerfile --\n-- b --\n-> a\n", "b: a symbolic link, which discovery does not follow"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			misses, err := loaded(t, tree(t, "-- .git/ --\n"+tt.tree)).NearMisses(t.Context())
			must(t, err)
			var got []string
			for _, m := range misses {
				got = append(got, fmt.Sprintf("%s: %s", m.Path, m.Why))
				if m.Next == "" {
					t.Errorf("%s: no next step", m.Path)
				}
			}
			if text := strings.Join(got, "\n"); text != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", text, tt.want)
			}
		})
	}
}
