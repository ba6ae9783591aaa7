package workspace

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// component is one part of a repository's name in the OCI distribution
// specification; label is one part of a host's name (RFC 1123).
var (
	component = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$`)
	label     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

func TestSlug(t *testing.T) {
	for path, want := range map[string]string{
		"infra": "infra", "apps/web": "apps--web", "amp_core/v1.2": "amp_core--v1.2", ".": "workspace__root",
	} {
		if got := (Project{Path: path}).Slug(); got != want {
			t.Errorf("slug of %q: got %q, want %q", path, got, want)
		}
	}
}

func TestTheSlugOfAWorkspaceFitsIntoAReferenceWhateverItsDirectoryIsCalled(t *testing.T) {
	for name, want := range map[string]string{
		"Acme": "acme", "amp_core": "amp_core", "My Repo": "my-repo---", "a..b": "a-b---", "x_": "x---", "ä": "workspace---",
	} {
		got := (&Workspace{Name: name}).Slug()
		if !strings.HasPrefix(got, want) || !component.MatchString(got) {
			t.Errorf("slug of %q: got %q, want %q... that is valid in a reference", name, got, want)
		}
	}
}

func TestNoTwoPathsShareASlug(t *testing.T) {
	long := strings.Repeat("a", 300)
	paths := []string{
		".", "root", "workspace__root", "workspace-root", "a/b", "a-b", "a--b", "a_b", "a__b", "a.b", "A/b", "a/B", "a b", "a  b", "a-", "-a", "a/-b",
		"a-/b", "ä", "ö", "\xff", "\xfe", "___", "..x", long, long + "b", long + "/b", strings.Repeat("a/", 60) + "a", "project",
	}
	for _, p := range paths[:10] { // what somebody could do on purpose
		paths = append(paths, Project{Path: p + " "}.Slug())
	}
	seen := map[string]string{}
	for _, path := range paths {
		slug := Project{Path: path}.Slug()
		if other, taken := seen[slug]; taken && other != path {
			t.Errorf("%q and %q share the slug %q", path, other, slug)
		}
		seen[slug] = path
	}
}

func FuzzSlug(f *testing.F) {
	for _, path := range []string{"a", "apps/web", "Ä/ö", "..", strings.Repeat("x-", 100)} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p := Project{Path: path, Name: path}
		if slug := p.Slug(); !component.MatchString(slug) || len(slug) > maxSlug {
			t.Errorf("slug %q of %q is not valid in a reference", slug, path)
		}
		if host := p.Hostname(); !label.MatchString(host) {
			t.Errorf("host name %q of %q is not valid", host, path)
		}
	})
}

func TestHostnames(t *testing.T) {
	for _, tt := range []struct{ path, name, want string }{
		{"infra", "infra", "infra"},
		{"apps/web_v2", "web_v2", "apps-web-v2"},
		{".", "Acme Corp", "acme-corp"},
		{"\xff", "x", "project"},
		{strings.Repeat("a", 62) + "/b", "b", strings.Repeat("a", 62)},
	} {
		t.Run(fmt.Sprintf("of %q", tt.path), func(t *testing.T) {
			if got := (Project{Path: tt.path, Name: tt.name}).Hostname(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
