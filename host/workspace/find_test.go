package workspace

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/target"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// several is a workspace in which names are hard to tell apart.
const several = `
-- wr.toml --
[workspace]
name = "acme"
-- infra/wr.toml --
[project]
name = "tools"
-- infra/test/test_a.py --
-- infra/test/unit/test_b.py --
-- infra/nested/devops/ --
-- infra/nested/test/test_c.py --
-- apps/web/devops/ --
-- apps/web/infra/devops/ --
-- apps/api/devops/ --
-- other/api/devops/ --
-- other/tools/devops/ --
-- docs/guide/index.md --
-- test_root.py --
-- link --
-> apps/web
`

func TestFind(t *testing.T) {
	root := tree(t, several)
	for _, tt := range []struct{ claim, cwd, name, want string }{
		{"by path from the root", ".", "apps/web", "apps/web"},
		{"by path from the current directory", "apps", "web", "apps/web"},
		{"the current directory goes before the root", "apps/web", "infra", "apps/web/infra"},
		{"by path from the root while in another directory", "docs/guide", "apps/web", "apps/web"},
		{"a path goes before a last part", ".", "infra", "infra"},
		{"by a last part that is unique", "docs", "nested", "infra/nested"},
		{"by last parts that are unique", "docs", "web/infra", "apps/web/infra"},
		{"by the configured name, which goes before a last part", ".", "tools", "infra"},
		{"by a typed directory", ".", "./infra", "infra"},
		{"by a directory above", "docs/guide", "../../infra", "infra"},
		{"by the directory above itself", "infra/test", "..", "infra"},
		{"by the current directory", "infra", ".", "infra"},
		{"by a host path", "docs", filepath.Join(root, "apps/api"), "apps/api"},
		{"through a symbolic link", ".", "link", "apps/web"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			w := loaded(t, filepath.Join(root, tt.cwd))
			got, err := w.Find(tt.name)
			if err != nil || got.Path != tt.want {
				t.Errorf("Find(%q) in %s = %q, %v; want %q", tt.name, tt.cwd, got.Path, err, tt.want)
			}
		})
	}
}

func TestFindSaysWhyItCannot(t *testing.T) {
	root := tree(t, several)
	for _, tt := range []struct{ claim, name, code, words string }{
		{"a typing mistake in a path gets the nearest", "aps/web", "project.unknown", "did you mean apps/web?"},
		{"a typing mistake in a name gets the nearest", "toolz", "project.unknown", "did you mean tools?"},
		{"nothing near gets no guess", "zzzzzzzzz", "project.unknown", `no project is called "zzzzzzzzz" [`},
		{"a typed directory is not taken for a name", "./nested", "project.unknown", "nested"},
		{"a directory outside of the workspace is unknown", "../x", "project.unknown", "../x"},
		{"a shared last part is ambiguous", "api", "project.ambiguous", "apps/api or other/api"},
		{"no name is unknown", "", "project.unknown", `""`},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			_, err := loaded(t, root).Find(tt.name)
			f := fault.Of(err)
			if f == nil || f.Code != tt.code || f.Class != fault.Usage || !strings.Contains(f.Error(), tt.words) || f.Next == "" {
				t.Errorf("Find(%q): got %v, want %s with %q", tt.name, err, tt.code, tt.words)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	root := tree(t, several)
	w := loaded(t, filepath.Join(root, "infra/test"))
	for _, tt := range []struct{ claim, dir, want string }{
		{"a project is nearest to itself", filepath.Join(root, "infra"), "infra"},
		{"a directory belongs to the project above", filepath.Join(root, "infra/test/unit"), "infra"},
		{"a nested project goes before its parent", filepath.Join(root, "infra/nested/test"), "infra/nested"},
		{"a relative path starts where the workspace was loaded", "unit", "infra"},
		{"what does not exist has a project as well", "no/such/dir", "infra"},
		{"no project above", filepath.Join(root, "docs/guide"), ""},
		{"outside of the workspace", "/", ""},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			got, ok := w.Nearest(tt.dir)
			if got.Path != tt.want || ok != (tt.want != "") {
				t.Errorf("Nearest(%q) = %q, %t; want %q", tt.dir, got.Path, ok, tt.want)
			}
		})
	}
}

func TestHere(t *testing.T) {
	root := tree(t, several)
	if p, err := loaded(t, filepath.Join(root, "infra/test")).Here(); err != nil || p.Path != "infra" {
		t.Errorf("got %+v, %v", p, err)
	}
	_, err := loaded(t, root).Here()
	if f := fault.Of(err); f == nil || f.Code != "project.none_here" || !strings.Contains(f.Next, "apps/web") || !strings.Contains(f.Next, "-r") {
		t.Errorf("got %v", err)
	}
}

func TestWithoutProjectsEveryQuestionGetsTheSameAnswer(t *testing.T) {
	w := loaded(t, tree(t, "-- .git/ --\n-- docs/index.md --\n"))
	_, here := w.Here()
	_, find := w.Find("infra")
	_, resolve := w.Resolve(target.Target{Project: "docs"})
	for asked, err := range map[string]error{"Here": here, "Find": find, "Resolve": resolve} {
		if !fault.HasCode(err, "workspace.no_projects") {
			t.Errorf("%s: got %v", asked, err)
		}
	}
}

func TestResolve(t *testing.T) {
	root := tree(t, several)
	for _, tt := range []struct{ claim, cwd, text, project, path string }{
		{"a project is all of it", ".", "infra", "infra", ""},
		{"a directory is a part of its project", ".", "infra/test", "infra", "test"},
		{"here is a part of the project above", "infra/test", ".", "infra", "test"},
		{"a directory from the root is found from anywhere", "docs", "infra/test/unit", "infra", "test/unit"},
		{"a file is a part of its project", ".", "infra/test/test_a.py", "infra", "test/test_a.py"},
		{"a file is relative to the current directory", "infra/test", "unit/test_b.py", "infra", "test/unit/test_b.py"},
		{"a file from the root is found from anywhere", "docs", "infra/test/test_a.py", "infra", "test/test_a.py"},
		{"a file belongs to the nested project", "infra", "nested/test/test_c.py", "infra/nested", "test/test_c.py"},
		{"a case keeps its node", "infra", "test/test_a.py::T::t[a b]", "infra", "test/test_a.py::T::t[a b]"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			parsed, err := target.Parse(tt.text)
			must(t, err)
			got, err := loaded(t, filepath.Join(root, tt.cwd)).Resolve(parsed)
			if err != nil || got.Project.Path != tt.project || got.Path != tt.path {
				t.Errorf("got %q below %q, %v; want %q below %q", got.Path, got.Project.Path, err, tt.path, tt.project)
			}
		})
	}
}

func TestResolveInARootThatIsAProject(t *testing.T) {
	w := loaded(t, tree(t, "-- .git/ --\n-- devops/ --\n-- test/test_a.py --\n"))
	got, err := w.Resolve(target.Target{Path: "test/test_a.py"})
	if err != nil || got.Project.Path != "." || got.Path != "test/test_a.py" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestResolveSaysWhyItCannot(t *testing.T) {
	root := tree(t, several)
	for _, tt := range []struct{ claim, text, code, words string }{
		{"a missing file gets the nearest", "infra/test/test_b.py", "target.no_file", "did you mean infra/test/test_a.py?"},
		{"a directory in no project", "docs", "project.none_here", "docs"},
		{"a file in no project", "test_root.py", "project.none_here", "test_root.py"},
		{"an unknown name", "infa", "project.unknown", "did you mean infra?"},
		{"a file outside of the workspace", "../x.py", "target.no_file", "../x.py"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			parsed, err := target.Parse(tt.text)
			must(t, err)
			_, err = loaded(t, root).Resolve(parsed)
			if f := fault.Of(err); f == nil || f.Code != tt.code || f.Class != fault.Usage || !strings.Contains(f.Error(), tt.words) {
				t.Errorf("got %v, want %s with %q", err, tt.code, tt.words)
			}
		})
	}
}

func TestBelowAndNested(t *testing.T) {
	w := loaded(t, tree(t, several))
	for _, tt := range []struct {
		claim, at string
		recursive bool
		want      string
	}{
		{"one project", "infra", false, "infra"},
		{"a project and all in it", "infra", true, "infra infra/nested"},
		{"a directory that is no project", "apps", true, "apps/api apps/web apps/web/infra"},
		{"a directory that is no project, alone", "apps", false, ""},
		{"everything", ".", true, "apps/api apps/web apps/web/infra infra infra/nested other/api other/tools"},
		{"nothing with the same beginning", "app", true, ""},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			if got := paths(w.Below(tt.at, tt.recursive)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := strings.Join(w.NestedIn(Project{Path: "apps/web"}), " "); got != "apps/web/infra" {
		t.Errorf("nested in apps/web: got %q", got)
	}
	if got := len(w.NestedIn(Project{Path: "."})); got != len(w.Projects) {
		t.Errorf("nested in the root: got %d", got)
	}
}
