package place_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// load makes a workspace with the projects infra, web/optimizer and web/tools,
// and further files.
func load(t *testing.T, files map[string]string) *workspace.Workspace {
	t.Helper()
	root := t.TempDir()
	all := map[string]string{
		"wr.toml": "[workspace]\nname = \"acme\"\n", "infra/devops/Dockerfile": "FROM a",
		"web/optimizer/devops/Dockerfile": "FROM a", "web/tools/devops/Dockerfile": "FROM a",
	}
	maps.Copy(all, files)
	for name, text := range all {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ws, err := workspace.Load(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

// placed is place.Of for infra, a line for each part.
func placed(t *testing.T, ws *workspace.Workspace, paths ...string) (string, error) {
	t.Helper()
	p, err := ws.Named("infra")
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(ws.Root)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tests, err := place.Of(t.Context(), ws, root.FS(), p, place.Asked{Paths: paths})
	var lines []string
	for _, part := range tests.Parts {
		line := part.Lender.Path
		if part.Leave != nil {
			line += fmt.Sprint(" without ", part.Leave)
		}
		if part.Take != nil {
			line += fmt.Sprint(" only ", part.Take)
		}
		lines = append(lines, line)
	}
	for _, link := range tests.Outside {
		lines = append(lines, link+" leads out")
	}
	return strings.Join(lines, "\n"), err
}

const (
	here  = "def test_here(): pass\n"
	there = "import pytest\npytestmark = pytest.mark.container('optimizer')\ndef test_there(): pass\n"
	mixed = "import pytest\ndef test_here(): pass\n@pytest.mark.container('optimizer')\ndef test_there(): pass\n" +
		"@pytest.mark.parametrize('x', [1, pytest.param(2, marks=pytest.mark.container('web/tools'))])\ndef test_both(x): pass\n"
)

func TestFilesGoWhereTheirCasesBelong(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		paths []string
		want  string
	}{
		"without any test":    {want: "infra"},
		"all here":            {files: map[string]string{"infra/test_a.py": here}, want: "infra"},
		"all there":           {files: map[string]string{"infra/test_a.py": there}, want: "web/optimizer only [infra/test_a.py]"},
		"of another project":  {files: map[string]string{"web/optimizer/test_a.py": there}, want: "infra"},
		"one here, one there": {files: map[string]string{"infra/test_a.py": here, "infra/test_b.py": there}, want: "infra without [infra/test_b.py]\nweb/optimizer only [infra/test_b.py]"},
		"one for three":       {files: map[string]string{"infra/test_a.py": mixed}, want: "infra\nweb/optimizer only [infra/test_a.py]\nweb/tools only [infra/test_a.py]"},
		"one file of two": {
			files: map[string]string{"infra/test_a.py": here, "infra/test_b.py": there}, paths: []string{"test_a.py"}, want: "infra",
		},
		"one case of three": {
			files: map[string]string{"infra/test_a.py": mixed}, paths: []string{"test_a.py::test_there"},
			want: "web/optimizer only [infra/test_a.py]",
		},
		"one set of parameters": {
			files: map[string]string{"infra/test_a.py": mixed}, paths: []string{"test_a.py::test_both[2]"},
			want: "web/tools only [infra/test_a.py]",
		},
		"one case and all of its file": {
			files: map[string]string{"infra/test_a.py": there + "@pytest.mark.container('infra')\ndef test_here(): pass\n"},
			paths: []string{"test_a.py::test_there", "test_a.py"},
			want:  "infra\nweb/optimizer only [infra/test_a.py]",
		},
		"one case and the directory above it": {
			files: map[string]string{"infra/t/test_a.py": mixed}, paths: []string{"t/test_a.py::test_here", "t"},
			want: "infra\nweb/optimizer only [infra/t/test_a.py]\nweb/tools only [infra/t/test_a.py]",
		},
		"a case that is not there": {
			files: map[string]string{"infra/test_a.py": there}, paths: []string{"test_a.py::test_their"}, want: "infra",
		},
		"a case of an id that looks like a path": {
			files: map[string]string{"infra/test_a.py": "import pytest\n@pytest.mark.container('optimizer')\n@pytest.mark.parametrize('x', ['a//b/../c'])\ndef test_p(x): pass\n" + here},
			paths: []string{"test_a.py::test_p[a//b/../c]"},
			want:  "web/optimizer only [infra/test_a.py]",
		},
		"by default there": {
			files: map[string]string{"infra/wr.toml": "[test]\ncontainer = \"tools\"\n", "infra/test_a.py": here, "infra/test_b.py": there},
			want:  "web/tools without [infra/test_b.py]\nweb/optimizer only [infra/test_b.py]",
		},
		"what only Python can tell also here": {
			files: map[string]string{"infra/test_a.py": there + "@pytest.mark.container(X)\ndef test_what(): pass\n"},
			want:  "infra\nweb/optimizer only [infra/test_a.py]",
		},
		"what hooks may say is told where the file is": {
			files: map[string]string{
				"infra/conftest.py": "pytest_plugins = ['some_plugin']\ndef pytest_collection_modifyitems(items): pass\n",
				"infra/test_a.py":   there + "def pytest_generate_tests(metafunc): pass\n", "infra/test_b.py": here,
			},
			want: "infra without [infra/test_a.py]\nweb/optimizer only [infra/test_a.py]",
		},
		"what is no Python here": {files: map[string]string{"infra/test_a.py": "def ("}, want: "infra"},
		"settings that pytest will refuse": {
			files: map[string]string{"infra/pytest.ini": "[pytest\n", "infra/test_a.py": here}, want: "infra",
		},
		"only what the config names": {
			files: map[string]string{"infra/wr.toml": "[test]\npaths = [\"t*\"]\n", "infra/tests/test_a.py": here, "infra/other/test_b.py": there},
			want:  "infra",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := placed(t, load(t, tt.files), tt.paths...)
			if err != nil || got != tt.want {
				t.Errorf("got %q, error %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestLinksOutOfTheWorkspaceAreTold(t *testing.T) {
	for name, tt := range map[string]struct{ link, to, want string }{
		"out":              {"infra/link", "/etc", "infra without [infra/test_a.py]\nweb/optimizer only [infra/test_a.py]\ninfra/link leads out"},
		"a file":           {"infra/test_b.py", "../../test_b.py", "infra without [infra/test_a.py]\nweb/optimizer only [infra/test_a.py]\ninfra/test_b.py leads out"},
		"to another place": {"infra/link", "../web", "infra without [infra/test_a.py]\nweb/optimizer only [infra/test_a.py]"},
		"to a file":        {"infra/test_b.py", "test_a.py", "web/optimizer only [infra/test_a.py infra/test_b.py]"},
		"to nowhere":       {"infra/link", "gone", "web/optimizer only [infra/test_a.py]"},
	} {
		t.Run(name, func(t *testing.T) {
			ws := load(t, map[string]string{"infra/test_a.py": there})
			if err := os.Symlink(tt.to, filepath.Join(ws.Root, tt.link)); err != nil {
				t.Fatal(err)
			}
			if got, err := placed(t, ws); err != nil || got != tt.want {
				t.Errorf("got %q, error %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestAContainerThatIsNoneIsAnErrorWithItsLine(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  fault.Error
	}{
		"a mark": {
			map[string]string{"infra/test_a.py": strings.ReplaceAll(mixed, "'optimizer'", "'optimiser'")},
			fault.Error{
				Message: `test_there wants the container "optimiser": no project is called "optimiser"`,
				Hint:    "optimizer", File: "infra/test_a.py", Line: 3,
			},
		},
		"a mark of parameters": {
			map[string]string{"infra/test_a.py": strings.ReplaceAll(mixed, "'web/tools'", "'web/tool'")},
			fault.Error{
				Message: `test_both wants the container "web/tool": no project is called "web/tool"`,
				Hint:    "web/tools", File: "infra/test_a.py", Line: 5,
			},
		},
		"the default": {
			map[string]string{"infra/wr.toml": "\n[test]\ncontainer = \"nowhere\"\n"},
			fault.Error{Message: `no project is called "nowhere"`, File: "infra/wr.toml", Line: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := placed(t, load(t, tt.files))
			got, ok := errors.AsType[*fault.Error](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if got.Code != "test.container_unknown" || got.Class != fault.Usage {
				t.Errorf("code %s, class %v", got.Code, got.Class)
			}
			if got := (fault.Error{Message: got.Message, Hint: got.Hint, File: got.File, Line: got.Line}); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestPartsNameTheCasesThatAreSeen(t *testing.T) {
	ws := load(t, map[string]string{"infra/test_m.py": mixed, "infra/test_t.py": there + "class TestA:\n    def test_in(self): pass\n"})
	p, err := ws.Named("infra")
	if err != nil {
		t.Fatal(err)
	}
	found, err := place.Of(t.Context(), ws, os.DirFS(ws.Root), p, place.Asked{})
	parts := found.Parts
	if err != nil || len(parts) != 3 {
		t.Fatalf("got %v, %v", found, err)
	}
	const m, there = "infra/test_m.py", "infra/test_t.py"
	for i, want := range [][]place.Case{
		{{ID: "test_here", File: m, Line: 2}, {ID: "test_both[1]", File: m, Line: 6}},
		{{ID: "test_there", File: m, Line: 4}, {ID: "test_there", File: there, Line: 3}, {ID: "TestA::test_in", File: there, Line: 5}},
		{{ID: "test_both[2]", File: m, Line: 6}},
	} {
		if got := parts[i].Cases; !slices.Equal(got, want) {
			t.Errorf("%s has %+v, want %+v", parts[i].Lender.Path, got, want)
		}
	}
	for file, want := range map[string][]bool{m: {true, true, true}, there: {false, true, false}, "infra/data.py": {true, false, false}} {
		for i, part := range parts {
			if got := part.Collects(file); got != want[i] {
				t.Errorf("%s collects %s: %v", part.Lender.Path, file, got)
			}
		}
	}
}

func TestImagesAreContainersToo(t *testing.T) {
	ws := load(t, map[string]string{
		"wr.toml":         "[workspace]\n[images.e2e]\nref = \"e2e:1\"\n",
		"infra/test_a.py": strings.ReplaceAll(mixed, "'optimizer'", "'e2e'"),
		"infra/test_b.py": "import pytest\n@pytest.mark.container('e2e')\ndef test_there(): pass\n",
	})
	got, err := placed(t, ws)
	want := "infra without [infra/test_b.py]\ne2e only [infra/test_a.py infra/test_b.py]\nweb/tools only [infra/test_a.py]"
	if err != nil || got != want {
		t.Errorf("got\n%s\n%v, want\n%s", got, err, want)
	}

	ws = load(t, map[string]string{
		"wr.toml": "[workspace]\n[images.e2e]\nref = \"e2e:1\"\n", "infra/wr.toml": "[test]\ncontainer = \"e2e\"\n", "infra/test_a.py": here,
	})
	if got, err = placed(t, ws); err != nil || got != "e2e" {
		t.Errorf("for a whole project: got %s, %v", got, err)
	}

	ws = load(t, map[string]string{
		"wr.toml": "[workspace]\n[images.e2e]\nref = \"e2e:1\"\n", "infra/test_a.py": strings.ReplaceAll(there, "'optimizer'", "'e2f'"),
	})
	_, err = placed(t, ws)
	if f := fault.Of(err); f == nil || f.Code != "test.container_unknown" || f.Hint != "e2e" || f.File != "infra/test_a.py" || f.Line != 2 {
		t.Errorf("a name that is none: got %+v", f)
	}
}
