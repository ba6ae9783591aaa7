package workspace

import (
	"path"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/target"
	"github.com/wr-build/wr/runtime/spec/fault"
)

const pictures = `
-- wr.toml --
[workspace]
[images.e2e]
dockerfile = "e2e/Dockerfile"
[images.gone]
[images.lost]
dockerfile = "lost/Dockerfile"
[images.tools]
ref = "tools:1"
-- e2e/Dockerfile --
-- apps/web/devops/Dockerfile --
-- apps/web/e2e/test_web.py --
`

func TestAnEntryOfImagesIsDescribedAsAProjectAndIsNone(t *testing.T) {
	w := loaded(t, tree(t, pictures))
	if paths(w.Projects) != "apps/web" || paths(w.Images) != "e2e gone lost tools" || paths(w.Containers()) != "apps/web e2e gone lost tools" {
		t.Fatalf("projects %s, images %s", paths(w.Projects), paths(w.Images))
	}
	e, ok := w.Image("e2e")
	if !ok || e.Dir != w.Root || e.Dockerfile != "e2e/Dockerfile" || e.Folder() != "." || e.ConfigFile() != "wr.toml" || e.Slug() != "e2e" || e.Fault != nil {
		t.Errorf("got %+v", e)
	}
	if w.Names()["e2e"] != "e2e" || len(w.NestedIn(e)) > 0 {
		t.Errorf("a mark finds %q, and it has the projects %v", w.Names()["e2e"], w.NestedIn(e))
	}
	for name, line := range map[string]int{"gone": 4, "lost": 6, "tools": 0} {
		if e, _ := w.Image(name); line == 0 && e.Fault != nil || line > 0 && (e.Fault == nil || e.Fault.Line != line || e.Fault.File != "wr.toml") {
			t.Errorf("%s: got the fault %+v, want one of line %d", name, e.Fault, line)
		}
	}
}

func TestAMarkNamesAProjectOrAnImage(t *testing.T) {
	w := loaded(t, tree(t, pictures))
	for name, want := range map[string]string{"web": "apps/web", "apps/web": "apps/web", "e2e": "e2e"} {
		if got, err := w.Container(name); err != nil || got.Path != want {
			t.Errorf("%s is %q, %v", name, got.Path, err)
		}
	}
	for name, hint := range map[string]string{"wbe": "web", "tolos": "tools"} {
		_, err := w.Container(name)
		if f := fault.Of(err); f == nil || f.Code != "project.unknown" || f.Hint != hint || !strings.HasPrefix(f.Message, "no project and no image") || !strings.Contains(f.Next, "apps/web, e2e, gone") {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}

func TestACommandOnProjectsTakesNoImage(t *testing.T) {
	root := tree(t, pictures)
	for at, told := range map[string]bool{"e2e": true, "apps/tools": false, "apps/web/e2e": true} {
		w := loaded(t, path.Join(root, path.Dir(at)))
		_, err := w.Resolve(target.Target{Project: path.Base(at)})
		if f := fault.Of(err); f == nil || f.Code != "project.is_image" || f.File != "wr.toml" || f.Line == 0 || strings.Contains(f.Next, "./e2e") != told {
			t.Errorf("%s: got %+v", at, f)
		}
	}
	s, err := loaded(t, path.Join(root, "apps/web")).Resolve(target.Target{Project: "./e2e"})
	if err != nil || s.Project.Path != "apps/web" || s.Path != "e2e" {
		t.Errorf("a directory of that name is %+v, %v", s, err)
	}
}

func TestANameIsThatOfAProjectOrOfAnImage(t *testing.T) {
	for name, archive := range map[string]string{
		"its path":              "-- e2e/devops/Dockerfile --\n",
		"the end of its path":   "-- apps/e2e/devops/Dockerfile --\n",
		"one of several ends":   "-- a/e2e/devops/Dockerfile --\n-- b/e2e/devops/Dockerfile --\n",
		"the name that it says": "-- other/wr.toml --\n[project]\nname = \"e2e\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(t.Context(), tree(t, "-- wr.toml --\n[workspace]\n[images.e2e]\nref = \"e2e:1\"\n"+archive))
			if f := fault.Of(err); f == nil || f.Code != "config.name_taken" || f.File != "wr.toml" || f.Line != 2 {
				t.Errorf("got %+v", f)
			}
		})
	}
	_, err := Load(t.Context(), tree(t, "-- wr.toml --\n[workspace]\nname = \"e2e\"\n[project]\n[images.e2e]\nref = \"e2e:1\"\n"))
	if !fault.HasCode(err, "config.name_taken") {
		t.Errorf("the root project's: got %v", err)
	}
	w := loaded(t, tree(t, "-- wr.toml --\n[workspace]\n[images.e2e]\nref = \"e2e:1\"\n-- e2e/sub/devops/Dockerfile --\n-- my-e2e/devops/Dockerfile --\n"))
	if e, _ := w.Image("e2e"); len(w.NestedIn(e)) > 0 {
		t.Errorf("projects in a folder of its name are said to be in it: %v", w.NestedIn(e))
	}
}
