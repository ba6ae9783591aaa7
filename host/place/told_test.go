package place_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// says is what a plugin tells of files: "FILE::ID SUITE CONTAINER", "-" for none, each
// at its line of a list. "FILE" alone is told of without any case.
func says(plugin string, priority int64, lines ...string) place.Told {
	out := place.Told{Plugin: plugin, Priority: priority}
	for i, line := range lines {
		words := strings.Fields(line)
		file, id, _ := strings.Cut(words[0], "::")
		f := abi.TestFile{File: file}
		if len(words) > 1 {
			none := func(word string) string { return strings.TrimPrefix(word, "-") }
			f.Cases = []abi.TestCase{{ID: id, Line: 70, Suite: none(words[1]), Container: none(words[2]), Said: &abi.Line{File: "infra/all.list", Line: i + 1}}}
		} else {
			f.Open = "only Python can tell"
		}
		out.Files = append(out.Files, f)
	}
	return out
}

// heard is what place.Of makes of it: a line for each part, then what is assigned,
// then files that pytest does not find.
func heard(t *testing.T, files map[string]string, paths []string, told ...place.Told) (string, error) {
	t.Helper()
	ws := load(t, files)
	p, err := ws.Named("infra")
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(ws.Root)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tests, err := place.Of(t.Context(), ws, root.FS(), p, place.Asked{Paths: paths, Told: told})
	var lines []string
	for _, part := range tests.Parts {
		line := part.Lender.Path
		if len(part.Leave) > 0 {
			line += fmt.Sprint(" without ", part.Leave)
		}
		if part.Take != nil {
			line += fmt.Sprint(" only ", part.Take)
		}
		lines = append(lines, line)
	}
	for _, a := range tests.Assigned {
		lines = append(lines, fmt.Sprintf("%s::%s %s/%s", a.File, a.ID, a.Suite, a.Container))
	}
	if len(tests.Further) > 0 {
		lines = append(lines, fmt.Sprint("further ", tests.Further))
	}
	return strings.Join(lines, "\n"), err
}

const two = "import pytest\ndef test_one(): pass\n@pytest.mark.parametrize('x', [1, 2])\ndef test_two(x): pass\n"

func TestWhatPluginsTellSaysWhereTestsRun(t *testing.T) {
	files := map[string]string{
		"infra/test_a.py": two, "infra/test_b.py": there, "infra/test_star.py": "from x import *\n", "infra/checks.py": "", "infra/nb/n.ipynb": "{}", "infra/run.yaml": "",
		"infra/test_m.py": mixed, "infra/deep/x.py": "",
	}
	const native = "web/optimizer only [infra/test_b.py infra/test_m.py]\nweb/tools only [infra/test_m.py]"
	for name, tt := range map[string]struct {
		told  []place.Told
		paths []string
		want  string
	}{
		"nothing": {want: "infra without [infra/test_b.py]\n" + native},
		"what marks say": {
			told: []place.Told{says("pytest", 0, "infra/test_a.py::test_one - -", "infra/test_b.py::test_there - optimizer", "infra/test_m.py::test_both[2] - tools", "infra/test_m.py::test_both - -", "infra/test_star.py", "infra", "infra/run.yaml", "infra/gone.py", "conftest.py", "infra/checks.py")},
			want: "infra without [infra/test_b.py]\n" + native,
		},
		"a case": {
			told: []place.Told{says("l", 0, "infra/test_a.py::test_one slow tools")}, paths: []string{"test_a.py"},
			want: "infra\nweb/tools only [infra/test_a.py]\ninfra/test_a.py::test_one slow/web/tools",
		},
		"a file": {
			told: []place.Told{says("l", 0, "infra/test_a.py:: - tools")}, paths: []string{"test_a.py"},
			want: "web/tools only [infra/test_a.py]\ninfra/test_a.py:: /web/tools",
		},
		"a file, but for a case": {
			told: []place.Told{says("l", 0, "infra/test_a.py:: - tools", "infra/test_a.py::test_two[1] - optimizer", "infra/test_a.py::test_one slow infra")}, paths: []string{"test_a.py"},
			want: "infra\nweb/optimizer only [infra/test_a.py]\nweb/tools only [infra/test_a.py]\ninfra/test_a.py::test_two[1] /web/optimizer\ninfra/test_a.py::test_one slow/infra\ninfra/test_a.py:: /web/tools",
		},
		"a file of which only Python knows the cases": {
			told: []place.Told{says("l", 0, "infra/test_star.py:: - tools")}, paths: []string{"test_star.py"},
			want: "web/tools only [infra/test_star.py]\ninfra/test_star.py:: /web/tools",
		},
		"a case that only Python knows": {
			told: []place.Told{says("l", 0, "infra/test_star.py::test_x - tools")}, paths: []string{"test_star.py"},
			want: "infra\nweb/tools only [infra/test_star.py]\ninfra/test_star.py::test_x /web/tools",
		},
		"a case that nobody sees": {
			told: []place.Told{says("l", 0, "infra/test_a.py::test_three - -")}, paths: []string{"test_a.py"},
			want: "infra\ninfra/test_a.py::test_three /",
		},
		"files that pytest does not find": {
			told: []place.Told{says("l", 0, "infra/checks.py::test_c slow -", "infra/nb/n.ipynb::cell[2] - tools", "infra/deep/x.py")}, paths: []string{"checks.py", "nb", "test_a.py"},
			want: "infra without [infra/nb/n.ipynb]\nweb/tools only [infra/nb/n.ipynb]\ninfra/checks.py::test_c slow/\ninfra/nb/n.ipynb::cell[2] /web/tools\nfurther [infra/nb/n.ipynb]",
		},
		"a notebook by name": {
			told: []place.Told{says("l", 0, "infra/nb/n.ipynb::cell[2] - tools")}, paths: []string{"nb/n.ipynb::cell[2]"},
			want: "web/tools only [infra/nb/n.ipynb]\ninfra/nb/n.ipynb::cell[2] /web/tools\nfurther [infra/nb/n.ipynb]",
		},
		"the plugin that goes first is right": {
			told: []place.Told{says("a", 1, "infra/test_a.py::test_one slow -"), says("b", 5, "infra/test_a.py:: fast tools")}, paths: []string{"test_a.py"},
			want: "web/tools only [infra/test_a.py]\ninfra/test_a.py:: fast/web/tools\ninfra/test_a.py::test_one slow/",
		},
		"two plugins, each of one thing": {
			told: []place.Told{says("a", 0, "infra/test_a.py::test_one slow -"), says("b", 0, "infra/test_a.py::test_one - tools")}, paths: []string{"test_a.py"},
			want: "infra\nweb/tools only [infra/test_a.py]\ninfra/test_a.py::test_one slow/\ninfra/test_a.py::test_one /web/tools",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := heard(t, files, tt.paths, tt.told...)
			if err != nil || got != tt.want {
				t.Errorf("error %v, got\n%s\nwant\n%s", err, got, tt.want)
			}
		})
	}
}

func TestWhatPluginsTellWrongIsAnErrorWithItsLine(t *testing.T) {
	files := map[string]string{
		"infra/test_a.py": two, "infra/test_m.py": mixed, "web/optimizer/test_o.py": "", "infra/test_s.py": "import pytest\n@pytest.mark.slow\ndef test_s(): pass\n",
		"infra/in/devops/Dockerfile": "FROM a", "infra/in/test_i.py": "", "infra/test_gone.py": "import pytest\n@pytest.mark.container('gone')\ndef test_g(): pass\n",
	}
	for name, tt := range map[string]struct {
		told []place.Told
		want fault.Error
	}{
		"a suite": {
			[]place.Told{says("l", 0, "infra/test_a.py::test_two fast -", "infra/test_a.py::test_one slwo -")},
			fault.Error{Code: "suite.unknown", File: "infra/all.list", Line: 2, Hint: "slow", Message: `test_one is to be in the suite "slwo", and infra has none of that name`},
		},
		"a container": {
			[]place.Told{says("l", 0, "infra/test_a.py:: - optimiser")},
			fault.Error{Code: "test.container_unknown", File: "infra/all.list", Line: 1, Hint: "optimizer", Message: `test_a.py is to run in the container "optimiser": no project is called "optimiser"`},
		},
		"a file": {
			[]place.Told{says("l", 0, "infra/test_z.py:: slow -")},
			fault.Error{Code: "test.told_missing", File: "infra/all.list", Line: 1, Message: "plugin l tells of tests in infra/test_z.py, and there is no such file"},
		},
		"a file of another project": {
			[]place.Told{says("l", 0, "web/optimizer/test_o.py:: slow -")},
			fault.Error{Code: "test.told_foreign", File: "infra/all.list", Line: 1, Message: "plugin l tells of tests in web/optimizer/test_o.py, which is no file of infra"},
		},
		"a file of a project further down": {
			[]place.Told{says("l", 0, "infra/in/test_i.py:: - -")},
			fault.Error{Code: "test.told_foreign", File: "infra/all.list", Line: 1, Message: "plugin l tells of tests in infra/in/test_i.py, which is no file of infra"},
		},
		"out of the workspace": {
			[]place.Told{says("l", 0, "../x.py:: slow -")},
			fault.Error{Code: "test.told_foreign", File: "infra/all.list", Line: 1, Message: "plugin l tells of tests in ../x.py, which is no file of infra"},
		},
		"another container than a mark": {
			[]place.Told{says("l", 0, "infra/test_m.py::test_there - tools")},
			fault.Error{Code: "test.contradiction", File: "infra/test_m.py", Line: 3, Message: `test_there: its mark wants the container "optimizer", and infra/all.list:1 says "web/tools" (plugin l)`},
		},
		"another container than a mark, of all": {
			[]place.Told{says("l", 0, "infra/test_m.py:: - tools")},
			fault.Error{Code: "test.contradiction", File: "infra/test_m.py", Line: 3, Message: `test_there: its mark wants the container "optimizer", and infra/all.list:1 says "web/tools" (plugin l)`},
		},
		"another suite than a mark": {
			[]place.Told{says("l", 0, "infra/test_s.py::test_s fast -")},
			fault.Error{Code: "test.contradiction", File: "infra/test_s.py", Line: 3, Message: `test_s: its marks put it into the suite "slow", and infra/all.list:1 into "fast" (plugin l)`},
		},
		"a mark that names no container": {
			[]place.Told{says("l", 0, "infra/test_gone.py:: - tools")},
			fault.Error{Code: "test.container_unknown", File: "infra/test_gone.py", Line: 2, Message: `test_g wants the container "gone": no project is called "gone"`},
		},
		"two plugins": {
			[]place.Told{says("a", 3, "infra/test_a.py::test_one slow -"), says("b", 3, "infra/test_a.py::test_one fast tools")},
			fault.Error{Code: "test.contradiction", File: "infra/all.list", Line: 1, Message: `test_one is in suite "fast" and container "web/tools" for plugin b, and in suite "slow" for plugin a at infra/all.list:1`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := files
			if name != "a mark that names no container" {
				all = map[string]string{}
				for file, text := range files {
					if file != "infra/test_gone.py" {
						all[file] = text
					}
				}
			}
			_, err := heard(t, all, nil, tt.told...)
			got, ok := errors.AsType[*fault.Error](err)
			if !ok || got.Class != fault.Usage {
				t.Fatalf("error %v", err)
			}
			if got := (fault.Error{Code: got.Code, Message: got.Message, Hint: got.Hint, File: got.File, Line: got.Line}); !errors.Is(&got, &tt.want) || got.Error() != tt.want.Error() {
				t.Errorf("got  %v\nwant %v", &got, &tt.want)
			}
		})
	}
}

func TestCasesThatOnlyAPluginKnowsAreNamedInTheirPart(t *testing.T) {
	ws := load(t, map[string]string{"infra/n.ipynb": "{}"})
	p, err := ws.Named("infra")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := place.Of(t.Context(), ws, os.DirFS(ws.Root), p, place.Asked{Told: []place.Told{says("l", 0, "infra/n.ipynb::cell[1] - tools")}})
	if want := []place.Case{{ID: "cell[1]", File: "infra/n.ipynb", Line: 70}}; err != nil || len(tests.Parts) != 1 || !slices.Equal(tests.Parts[0].Cases, want) {
		t.Errorf("got %+v, %v", tests.Parts, err)
	}
}
