package scaffold

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

var update = flag.Bool("update", false, "write what the plans are into testdata")

// tree makes a directory called "acme" with those files of an archive that
// start with prefix, and returns its path without symbolic links.
func tree(t *testing.T, archive *txtar.Archive, prefix string) string {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	root := filepath.Join(top, "acme")
	must(t, os.Mkdir(root, 0o755))
	for _, f := range archive.Files {
		name, ok := strings.CutPrefix(f.Name, prefix)
		path := filepath.Join(root, name)
		switch {
		case !ok:
		case strings.HasSuffix(name, "/"):
			must(t, os.MkdirAll(path, 0o755))
		default:
			must(t, os.MkdirAll(filepath.Dir(path), 0o755))
			must(t, os.WriteFile(path, f.Data, 0o644))
		}
	}
	return root
}

// files is tree for an archive given as text.
func files(t *testing.T, archive string) string {
	t.Helper()
	return tree(t, txtar.Parse([]byte(archive)), "")
}

// must ends the test when a step of its set-up failed.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// me is the user who runs the tests.
func me() spec.Owner { return spec.Owner{UID: os.Getuid(), GID: os.Getgid()} }

// TestInit compares plans with testdata/*.txtar, in which "before/" is the
// repository, "plan/" what is written and "notes" what the user is told.
func TestInit(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	must(t, err)
	if len(names) < 6 {
		t.Fatalf("found only %v", names)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		must(t, err)
		t.Run(strings.TrimSpace(string(archive.Comment)), func(t *testing.T) {
			root := tree(t, archive, "before/")
			plan, err := Init(t.Context(), root, Options{})
			must(t, err)
			comparePlan(t, name, archive, plan)
			must(t, plan.Write(me()))
			checkReady(t, root, len(plan.Notes) == 0)
		})
	}
}

// comparePlan compares a plan with what the archive expects, or renews that.
func comparePlan(t *testing.T, name string, archive *txtar.Archive, plan Plan) {
	t.Helper()
	got := txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		if strings.HasPrefix(f.Name, "before/") {
			got.Files = append(got.Files, f)
		}
	}
	for _, f := range plan.Files {
		got.Files = append(got.Files, txtar.File{Name: "plan/" + f.Path, Data: []byte(f.Content)})
	}
	if len(plan.Notes) > 0 {
		got.Files = append(got.Files, txtar.File{Name: "notes", Data: []byte(strings.Join(plan.Notes, "\n") + "\n")})
	}
	if *update {
		must(t, os.WriteFile(name, txtar.Format(&got), 0o644))
	} else if text, want := string(txtar.Format(&got)), string(txtar.Format(archive)); text != want {
		t.Errorf("got:\n%s\nwant:\n%s", text, want)
	}
}

// checkReady checks that what was written holds: every project is sound, and
// planning again finds nothing to do.
func checkReady(t *testing.T, root string, complete bool) {
	t.Helper()
	w, err := workspace.Load(t.Context(), root)
	must(t, err)
	for _, p := range w.Projects {
		if p.Fault != nil {
			t.Errorf("%s: %v", p.Path, p.Fault)
		}
	}
	again, err := Init(t.Context(), root, Options{})
	must(t, err)
	if len(again.Files) > 0 || complete && len(again.Notes) > 0 {
		t.Errorf("a second plan is not empty: %+v", again)
	}
}

func TestInitTakesTheUsersBaseAndName(t *testing.T) {
	root := files(t, "-- a/setup.py --\n")
	plan, err := Init(t.Context(), root, Options{Base: "python:3.13", Name: "My Company!"})
	must(t, err)
	text := ""
	for _, f := range plan.Files {
		text += f.Content
	}
	if !strings.Contains(text, "FROM python:3.13\n") || !strings.Contains(text, `name = "My-Company"`) || strings.Contains(text, "[bases") {
		t.Errorf("got:\n%s", text)
	}
}

func TestABaseThatNothingUsesYetIsNamedInTheNextCommand(t *testing.T) {
	root := files(t, "-- wr.toml --\n[workspace]\n[bases.\"acme/python\"]\nsuite = \"bookworm\"\ninclude = [\"python3-pytest\"]\n")
	for base, want := range map[string]string{"": "`wr new DIR` starts", "python:3.13": "`wr new DIR --base python:3.13` starts"} {
		plan, err := Init(t.Context(), root, Options{Base: base})
		must(t, err)
		if len(plan.Notes) != 1 || !strings.Contains(plan.Notes[0], want) {
			t.Errorf("with --base %q: %q, want %q", base, plan.Notes, want)
		}
	}
}

func TestInitRefusesABrokenWorkspace(t *testing.T) {
	_, err := Init(t.Context(), files(t, "-- wr.toml --\n[workspace]\nnam = 1\n"), Options{})
	if !fault.HasCode(err, "config.unknown_key") {
		t.Errorf("got %v", err)
	}
}

func TestWriteNeverOverwritesAndLeavesNothingBehind(t *testing.T) {
	root := files(t, "-- b/c/wr.toml --\nmine\n")
	plan := Plan{Root: root, Files: []File{{Path: "a/x/wr.toml", Content: "new"}, {Path: "b/c/wr.toml", Content: "new"}}}
	err := plan.Write(me())
	if f := fault.Of(err); f == nil || f.Code != "scaffold.exists" || f.File != "b/c/wr.toml" {
		t.Errorf("got %v", err)
	}
	if data, _ := os.ReadFile(filepath.Join(root, "b/c/wr.toml")); string(data) != "mine\n" {
		t.Errorf("the file was overwritten: %q", data)
	}
	if _, err := os.Stat(filepath.Join(root, "a")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was written before the conflict is still there: %v", err)
	}
}

func TestInitHasGitIgnoreSettingsOfOnePersonOnce(t *testing.T) {
	const ours = "# wr: settings of one person\n/wr.local.toml\n"
	for before, want := range map[string]string{
		"":                                   ours,
		"*.pyc\n":                            "*.pyc\n" + ours,
		"*.pyc":                              "*.pyc\n" + ours,
		"*.pyc\r\n\r\n":                      "*.pyc\r\n\r\n" + ours,
		"sub/wr.local.toml\n":                "sub/wr.local.toml\n" + ours,
		"wr.local.toml\n!/wr.local.toml\n":   "wr.local.toml\n!/wr.local.toml\n" + ours,
		"# x\n/wr.local.toml\r\n*.pyc\n":     "# x\n/wr.local.toml\r\n*.pyc\n",
		"*.local.toml\n":                     "*.local.toml\n",
		"!wr.local.toml\n**/wr.local.toml\n": "!wr.local.toml\n**/wr.local.toml\n",
	} {
		t.Run(before, func(t *testing.T) {
			root := files(t, "-- wr.toml --\n[workspace]\n")
			path := filepath.Join(root, ".gitignore")
			if before != "" {
				must(t, os.WriteFile(path, []byte(before), 0o640))
			}
			for range 2 {
				plan, err := Init(t.Context(), root, Options{})
				must(t, err)
				must(t, plan.Write(me()))
				got, err := os.ReadFile(path)
				must(t, err)
				if string(got) != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}

func TestAFileThatCouldNotBeWrittenTakesBackWhatWasAppended(t *testing.T) {
	root := files(t, "-- a --\nmine\n-- b --\n")
	plan := Plan{Root: root, Files: []File{{Path: "a", Content: "more\n", Append: true}, {Path: "b", Content: "new"}}}
	if err := plan.Write(me()); !fault.HasCode(err, "scaffold.exists") {
		t.Errorf("got %v", err)
	}
	if data, _ := os.ReadFile(filepath.Join(root, "a")); string(data) != "mine\n" {
		t.Errorf("it is %q", data)
	}
}

func TestWriteStaysInsideOfTheRoot(t *testing.T) {
	root, outside := files(t, ""), t.TempDir()
	must(t, os.Symlink(outside, filepath.Join(root, "out")))
	for _, name := range []string{"out/x", "../x"} {
		if err := (Plan{Root: root, Files: []File{{Path: name}}}).Write(me()); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

func TestNewStartsAProjectThatPasses(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("this test needs python3 with pytest: ", err)
	}
	for claim, tt := range map[string]struct{ tree, cwd, name, at, pkg string }{
		"in an empty directory":               {"", ".", "hello", "hello", "hello"},
		"deeper in a workspace":               {"-- wr.toml --\n[workspace]\n-- apps/x --\n", "apps", "my-App.2", "apps/my-App.2", "my_app_2"},
		"with a name that Python uses":        {"", ".", "json", "json", "json_app"},
		"with a name that starts with digits": {"", ".", "3d", "3d", "p3d"},
	} {
		t.Run(claim, func(t *testing.T) {
			root := files(t, tt.tree)
			plan, err := New(t.Context(), filepath.Join(root, tt.cwd), tt.name, Options{})
			must(t, err)
			must(t, plan.Write(me()))
			w, err := workspace.Load(t.Context(), root)
			must(t, err)
			p, err := w.Find(tt.at)
			if err != nil || p.Fault != nil || p.Dockerfile != "devops/Dockerfile" || p.Config.Project.Version != "0.1.0" {
				t.Fatalf("got %+v, %v", p, err)
			}
			if _, err := os.Stat(filepath.Join(p.Dir, tt.pkg, "__init__.py")); err != nil {
				t.Error(err)
			}
			pytest := exec.CommandContext(t.Context(), python, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test")
			pytest.Dir = p.Dir
			pytest.Env = append(os.Environ(), "PYTHONPATH="+root+string(os.PathListSeparator)+p.Dir)
			if out, err := pytest.CombinedOutput(); err != nil || !strings.Contains(string(out), "1 passed") {
				t.Errorf("pytest: %v\n%s", err, out)
			}
		})
	}
}

func TestNewSaysWhyItCannot(t *testing.T) {
	root := files(t, "-- wr.toml --\n[workspace]\n[images.e2e]\nref = \"e2e:1\"\n-- taken/file --\n-- file --\n")
	for claim, tt := range map[string]struct{ name, code string }{
		"a directory that is not empty": {"taken", "scaffold.not_empty"},
		"a file":                        {"file", "scaffold.not_empty"},
		"outside of the workspace":      {"../x", "scaffold.bad_name"},
		"the root":                      {".", "scaffold.bad_name"},
		"a name with a quote":           {`a"b`, "scaffold.bad_name"},
		"a name with a space":           {"a b", "scaffold.bad_name"},
		"a hidden name":                 {"a/.b", "scaffold.bad_name"},
		"where nobody looks":            {"web/node_modules", "scaffold.bad_name"},
		"a project's own folder":        {"devops", "scaffold.bad_name"},
		"the name of an image":          {"apps/e2e", "scaffold.bad_name"},
	} {
		t.Run(claim, func(t *testing.T) {
			plan, err := New(t.Context(), root, tt.name, Options{})
			if f := fault.Of(err); f == nil || f.Code != tt.code || f.Class != fault.Usage || len(plan.Files) > 0 {
				t.Errorf("got %+v, %v", plan, err)
			}
		})
	}
}

func TestNewUsesAnEmptyDirectory(t *testing.T) {
	root := files(t, "-- wr.toml --\n[workspace]\n-- here/ --\n")
	plan, err := New(t.Context(), root, "here", Options{Base: "b"})
	if err != nil || len(plan.Files) != 4 || len(plan.Notes) > 0 {
		t.Errorf("got %+v, %v", plan, err)
	}
}

func TestInitLeavesImagesAlone(t *testing.T) {
	root := files(t, "-- wr.toml --\n[workspace]\n[images.e2e]\ndockerfile = \"e2e/Dockerfile\"\n[images.tools]\nref = \"tools:1\"\n"+
		"-- e2e/Dockerfile --\nFROM a\n-- sub/tools/Dockerfile --\nFROM a\n-- web/Dockerfile --\nFROM a\n")
	plan, err := Init(t.Context(), root, Options{})
	must(t, err)
	var made []string
	for _, f := range plan.Files {
		made = append(made, f.Path)
	}
	if got := strings.Join(made, " "); got != ".gitignore web/wr.toml" {
		t.Errorf("it makes %s", got)
	}
	if len(plan.Notes) == 0 || !strings.HasPrefix(plan.Notes[0], "sub/tools is no project") {
		t.Errorf("it notes %q", plan.Notes)
	}
}
