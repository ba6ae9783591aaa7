package task_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/wr-build/wr/host/task"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// load makes a workspace of the files in an archive and loads it.
func load(t *testing.T, archive string) *workspace.Workspace {
	t.Helper()
	root := t.TempDir()
	for _, file := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(root, file.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, file.Data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	ws, err := workspace.Load(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

// project is the one of ws at path.
func project(t *testing.T, ws *workspace.Workspace, path string) workspace.Project {
	t.Helper()
	i := slices.IndexFunc(ws.Projects, func(p workspace.Project) bool { return p.Path == path })
	if i < 0 || ws.Projects[i].Fault != nil {
		t.Fatalf("no good project %s in %+v", path, ws.Projects)
	}
	return ws.Projects[i]
}

// acme is a workspace whose tasks need each other.
const acme = `
-- wr.toml --
[workspace]
[tasks.lint]
run = "ruff ."
[tasks.both]
run = "of the root"
-- a/wr.toml --
[project]
[tasks.both]
run = "of the project"
[tasks.top]
run = "true"
needs = ["left", "right", "build", "b:build"]
[tasks.left]
run = "true"
needs = ["b:base", "build"]
[tasks.right]
run = "true"
needs = ["b:base", "lint"]
[tasks.lost]
run = "true"
needs = ["lefd"]
[tasks.far]
run = "true"
needs = ["bb:base"]
[tasks.round]
run = "true"
needs = ["left",
  "trip"]
[tasks.trip]
run = "true"
needs = ["round"]
[tasks.self]
run = "true"
needs = ["self"]
[tasks.greedy]
run = "true"
needs = ["picky"]
[tasks.picky]
run = "true"
args = [{ name = "x", required = true }, { name = "y" }]
-- b/wr.toml --
[project]
[tasks.base]
run = "true"
`

func TestTasksOfTheRootAreThereInEveryProject(t *testing.T) {
	ws := load(t, acme)
	var names []string
	for _, one := range task.Of(ws, project(t, ws, "b")) {
		names = append(names, one.ID()+" "+one.File)
	}
	if want := []string{"b:base b/wr.toml", "b:both wr.toml", "b:lint wr.toml"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	both, err := task.Find(ws, project(t, ws, "a"), "both")
	if err != nil || both.Run.Line != "of the project" {
		t.Errorf("got %+v, %v, want the project's own", both, err)
	}
}

func TestWhatIsNeededComesFirstAndOnce(t *testing.T) {
	ws := load(t, acme)
	top, err := task.Find(ws, project(t, ws, "a"), "top")
	if err != nil {
		t.Fatal(err)
	}
	steps, err := task.Steps(ws, top)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range steps {
		if s.Task == nil {
			got = append(got, s.Project.Path+":build")
		} else {
			got = append(got, s.Task.ID())
		}
	}
	want := []string{"b:base", "a:build", "a:left", "a:lint", "a:right", "b:build", "a:top"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAWrongNeedSaysWhereItIs(t *testing.T) {
	ws := load(t, acme)
	for name, want := range map[string]string{
		"lost":   "a/wr.toml:15: task lost needs lefd, and a has no such task (did you mean left?) [task.unknown]",
		"far":    `a/wr.toml:18: task far needs bb:base: `,
		"round":  "a/wr.toml:25: tasks need each other in a circle: a:round -> a:trip -> a:round [task.cycle]",
		"self":   "a/wr.toml:28: tasks need each other in a circle: a:self -> a:self [task.cycle]",
		"greedy": "a/wr.toml:31: task greedy needs picky, which must be given x [task.needs_arguments]",
	} {
		t.Run(name, func(t *testing.T) {
			found, err := task.Find(ws, project(t, ws, "a"), name)
			if err != nil {
				t.Fatal(err)
			}
			_, err = task.Steps(ws, found)
			if err == nil || !strings.HasPrefix(err.Error(), want) || fault.Of(err).Class != fault.Usage {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func TestAnUnknownTaskSaysWhatWasMeant(t *testing.T) {
	ws := load(t, acme)
	_, err := task.Find(ws, project(t, ws, "a"), "tpo")
	if f := fault.Of(err); f == nil || f.Hint != "top" {
		t.Errorf("got %v, want a hint", err)
	}
	_, err = task.Find(ws, project(t, ws, "a"), "b")
	if f := fault.Of(err); f == nil || f.Hint == "" && !strings.Contains(f.Next, "wr run b:") {
		t.Errorf("got %+v, want the way to run the project's own command", f)
	}
}

func TestSplit(t *testing.T) {
	for text, want := range map[string][2]string{
		"migrate": {"", "migrate"}, "infra:migrate": {"infra", "migrate"}, "infra:": {"infra", ""}, "a:b:c": {"a:b", "c"}, ":": {"", ""},
	} {
		if project, name := task.Split(text); project != want[0] || name != want[1] {
			t.Errorf("Split(%q) = %q, %q, want %q", text, project, name, want)
		}
	}
}
