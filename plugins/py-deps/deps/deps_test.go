package deps_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wr-build/wr/plugins/py-deps/deps"
	"github.com/wr-build/wr/sdk/go/abi"
)

// check gives a line for each diagnostic of project p, whose files are all those
// below it that the plugin is given.
func check(t *testing.T, config deps.Config, nameText ...string) []string {
	t.Helper()
	tree := fstest.MapFS{}
	for i := 0; i < len(nameText); i += 2 {
		tree[nameText[i]] = &fstest.MapFile{Data: []byte(nameText[i+1])}
	}
	var files []string
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if strings.HasPrefix(name, "p/") && (strings.HasSuffix(name, ".py") || strings.HasSuffix(name, "/pyproject.toml") || deps.IsRequirements(name)) {
			files = append(files, name)
		}
	}
	said, err := deps.Check(tree, "p", files, config)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, d := range said {
		what, _, _ := strings.Cut(d.Message, ",")
		lines = append(lines, fmt.Sprintf("%s:%d %s %s: %s", d.File, d.Range.Start.Line, d.Severity, d.Rule, what))
	}
	return lines
}

const (
	project = "[project]\nname = \"p\"\ndependencies = [\n  \"requests[socks] >= 2; python_version > '3.8'\",\n]\n"
	groups  = project + "[dependency-groups]\ndev = [\"pytest\", {include-group = \"lint\"}]\nlint = [\"ruff\"]\n"
	poetry  = "[tool.poetry]\nname = \"p\"\n[tool.poetry.dependencies]\npython = \"^3.11\"\nrequests = \"^2\"\nPillow = {version = \"*\", optional = true}\n" +
		"[tool.poetry.dependencies.numpy]\nversion = \"*\"\n[tool.poetry.group.dev.dependencies]\npytest = \"*\"\n[tool.poetry.dev-dependencies]\nmypy = \"*\"\n"
)

func TestImportsAreComparedWithWhatIsDeclared(t *testing.T) {
	uses := "import requests\n"
	tests := map[string]struct {
		config deps.Config
		files  []string
		want   []string
	}{
		"all as it should be": {files: []string{"p/pyproject.toml", project, "p/a.py", "import os.path\nfrom requests.auth import X\nfrom . import b\n"}},
		"a module nobody declares": {
			files: []string{"p/pyproject.toml", project, "p/a.py", uses + "import numpy.linalg\nfrom numpy import x\nimport yaml\n", "p/b.py", "import numpy\n"},
			want: []string{
				"p/a.py:2 error missing: numpy.linalg is imported", "p/a.py:4 error missing: yaml is imported", "p/b.py:1 error missing: numpy is imported",
			},
		},
		"a dependency nobody imports": {
			files: []string{"p/pyproject.toml", project, "p/a.py", "import os\n"},
			want:  []string{"p/pyproject.toml:4 warning unused: requests is declared"},
		},
		"names are normal": {files: []string{"p/requirements.txt", "Foo.Bar_baz==1\n", "p/a.py", "import foo_bar_baz\n"}},
		"well-known modules": {files: []string{
			"p/requirements.txt", "pillow\nPyYAML\nopencv-python-headless\nscikit_learn\nbeautifulsoup4\npython-dateutil\n",
			"p/a.py", "import PIL.Image, yaml\nimport cv2\nfrom sklearn import svm\nfrom bs4 import BeautifulSoup\nimport dateutil.parser\n",
		}},
		"modules of the config": {
			config: deps.Config{Modules: map[string][]string{"acme": {"acme-sdk"}, "other.deep": {"Deep_One"}}},
			files:  []string{"p/requirements.txt", "acme-sdk\ndeep.one\n", "p/a.py", "import acme.x\nfrom other import deep\n"},
		},
		"packages of one namespace": {
			files: []string{"p/requirements.txt", "google-cloud-storage\nzope.interface\n", "p/a.py", "from google.cloud import storage\nimport zope.interface\nimport google.cloud.bigquery\n"},
			want:  []string{"p/a.py:3 error missing: google.cloud.bigquery is imported"},
		},
		"for development only": {
			files: []string{"p/pyproject.toml", groups, "p/a.py", uses + "import pytest\nimport ruff\n", "p/test_a.py", "import pytest\n", "p/tests/util.py", "import pytest\n", "p/conftest.py", "import pytest\n"},
			want:  []string{"p/a.py:2 error dev-import: pytest is imported by code that is shipped", "p/a.py:3 error dev-import: ruff is imported by code that is shipped"},
		},
		"files of the config are not shipped": {
			config: deps.Config{DevFiles: []string{"tools/**"}},
			files:  []string{"p/pyproject.toml", groups, "p/a.py", uses, "p/tools/x/a.py", "import pytest\n"},
		},
		"declared for both": {files: []string{"p/requirements.txt", "pytest\n", "p/requirements-dev.txt", "pytest\n", "p/a.py", "import pytest\n"}},
		"optional imports": {
			files: []string{"p/pyproject.toml", groups, "p/a.py", uses + "try:\n    import ujson\nexcept ImportError:\n    import simplejson\ntry:\n    import pytest\nexcept ImportError:\n    pytest = None\n"},
		},
		"in a function it is needed too": {
			files: []string{"p/pyproject.toml", project, "p/a.py", uses + "def f():\n    import numpy\n"},
			want:  []string{"p/a.py:3 error missing: numpy is imported"},
		},
		"for types development is enough": {
			files: []string{"p/pyproject.toml", groups, "p/a.py", uses + "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pytest\n    import pandas\n"},
			want:  []string{"p/a.py:5 warning missing: pandas is imported"},
		},
		"extras": {
			files: []string{"p/pyproject.toml", project + "[project.optional-dependencies]\nimages = [\"pillow\", \"torch\"]\ntest = [\"pytest\", \"p[images]\"]\n", "p/a.py", uses + "import PIL\nimport pytest\n"},
			want:  []string{"p/a.py:3 error dev-import: pytest is imported by code that is shipped", "p/pyproject.toml:7 warning unused: torch is declared"},
		},
		"modules of the workspace": {files: []string{
			"p/pyproject.toml", project, "p/a.py", uses + "import p.b, other.x, lib, space, here\n", "p/pkg/sub/test_c.py", "import helper\nfrom pkg.sub import d\n",
			"p/pkg/__init__.py", "", "p/pkg/sub/__init__.py", "", "p/pkg/sub/helper.py", "", "p/src/lib/x.py", "", "p/space/deep/x.py", "", "p/here.py", "", "other/x.py", "",
		}},
		"a directory without Python is no module": {
			files: []string{"p/pyproject.toml", project, "p/a.py", uses + "import docker\n", "p/docker/Dockerfile", "FROM a"},
			want:  []string{"p/a.py:2 error missing: docker is imported"},
		},
		"named as own or to be ignored": {
			config: deps.Config{FirstParty: []string{"made"}, Ignore: []string{"Native_Thing", "requests"}},
			files:  []string{"p/pyproject.toml", project, "p/a.py", "import made.x\nimport native_thing\n"},
		},
		"poetry": {
			files: []string{"p/pyproject.toml", poetry, "p/a.py", "import PIL\nimport pytest\nimport mypy\n"},
			want: []string{
				"p/a.py:2 error dev-import: pytest is imported by code that is shipped", "p/a.py:3 error dev-import: mypy is imported by code that is shipped",
				"p/pyproject.toml:5 warning unused: requests is declared", "p/pyproject.toml:7 warning unused: numpy is declared",
			},
		},
		"poetry's table in one line": {
			files: []string{"p/pyproject.toml", "[tool.poetry]\ndependencies = {python = \"*\", requests = \"*\"}\n", "p/a.py", "import numpy\n"},
			want:  []string{"p/a.py:1 error missing: numpy is imported", "p/pyproject.toml:2 warning unused: requests is declared"},
		},
		"uv and pdm": {files: []string{
			"p/pyproject.toml", "[project]\nname=\"p\"\n[tool.uv]\ndev-dependencies = [\"pytest\"]\n[tool.pdm.dev-dependencies]\nx = [\"mypy\"]\n", "p/test_a.py", "import pytest, mypy\n",
		}},
		"requirements as pip reads them": {
			files: []string{
				"p/requirements.txt", "# comment\n--index-url https://x/simple\n-r requirements-dev.txt\n-r more.txt\nrequests==2 \\\n    --hash=sha256:1\nflask@ https://x/y.zip # why\n" +
					"git+https://x/y@main#egg=numpy\n-e ./lib\n./wheels/x.whl\nhttps://x/z.whl\n\npandas ; python_version<'3.9'",
				"p/requirements-dev.txt", "pytest\n", "p/a.py", "import os\n",
			},
			want: []string{
				"p/requirements.txt:4 warning unread: more.txt is included and was not read: files of requirements are requirements*.txt",
				"p/requirements.txt:5 warning unused: requests is declared", "p/requirements.txt:7 warning unused: flask is declared",
				"p/requirements.txt:8 warning unused: numpy is declared", "p/requirements.txt:13 warning unused: pandas is declared",
			},
		},
		"requirements in a directory":                 {files: []string{"p/requirements/base.txt", "requests\n", "p/requirements/dev.txt", "pytest\n", "p/a.py", uses, "p/test_a.py", "import pytest\n"}},
		"requirements in a directory for development": {files: []string{"p/requirements.txt", "requests\n", "p/docs/requirements.txt", "sphinx\n", "p/a.py", uses}},
		"setup.py has what builds the project":        {files: []string{"p/requirements.txt", "requests\n", "p/setup.py", "import setuptools, numpy\n", "p/a.py", uses}},
		"locked requirements need not be imported": {files: []string{
			"p/requirements.in", "requests\n", "p/requirements.txt", "#\n# This file is autogenerated by pip-compile with Python 3.11\n#\nidna==3\nrequests==2\n", "p/a.py", uses,
		}},
		"what is run and not imported": {files: []string{"p/requirements.txt", "gunicorn\ntypes-requests\npandas-stubs\n", "p/a.py", ""}},
		"groups of the config": {
			config: deps.Config{DevGroups: []string{"extra", "requirements-x.txt"}},
			files:  []string{"p/pyproject.toml", project + "[project.optional-dependencies]\nextra = [\"torch\"]\n", "p/requirements-x.txt", "jax\n", "p/a.py", uses + "import torch\nimport jax\n"},
			want:   []string{"p/a.py:2 error dev-import: torch is imported by code that is shipped", "p/a.py:3 error dev-import: jax is imported by code that is shipped"},
		},
		"nothing is declared": {
			files: []string{"p/pyproject.toml", "[tool.ruff]\n", "p/a.py", uses},
			want:  []string{"p/a.py:0 info unread: imports are not compared: the project has neither dependencies in a pyproject.toml nor a file of requirements"},
		},
		"dynamic without a file": {
			files: []string{"p/pyproject.toml", "[project]\nname=\"p\"\ndynamic=[\"version\", \"dependencies\"]\n", "p/a.py", uses},
			want:  []string{"p/a.py:0 info unread: imports are not compared: the project has neither dependencies in a pyproject.toml nor a file of requirements"},
		},
		"dynamic with a file": {
			files: []string{"p/pyproject.toml", "[project]\nname=\"p\"\ndynamic=[\"dependencies\"]\n", "p/requirements.txt", "", "p/a.py", uses},
			want:  []string{"p/a.py:1 error missing: requests is imported"},
		},
		"no TOML": {
			files: []string{"p/pyproject.toml", "[project]\nname = \n", "p/a.py", uses},
			want:  []string{"p/pyproject.toml:2 error unread: toml: unexpected character U+000A at start of value"},
		},
		"no Python": {files: []string{"p/pyproject.toml", "[tool.x]\n"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := check(t, tt.config, tt.files...); !slices.Equal(got, tt.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(tt.want, "\n     "))
			}
		})
	}
}

func TestADependencyThatHasItsLinesIsTakenOut(t *testing.T) {
	tests := map[string]struct{ name, text, want string }{
		"a line of a file":             {"p/requirements.txt", "a\nrequests==2 \\\n  --hash=sha256:1\nb\n", "a\nb\n"},
		"the last line":                {"p/requirements.txt", "a\nrequests", "a\n"},
		"an item with its line":        {"p/pyproject.toml", "[project]\ndependencies = [\n  'a',\n  'requests>=2',\n  'b',\n]\n", "[project]\ndependencies = [\n  'a',\n  'b',\n]\n"},
		"an item among others":         {"p/pyproject.toml", "[project]\ndependencies = ['a', 'requests']\n", ""},
		"an item with a comment":       {"p/pyproject.toml", "[project]\ndependencies = [\n  'requests', # why\n]\n", ""},
		"a key":                        {"p/pyproject.toml", "[tool.poetry.dependencies]\na = '*'\nrequests = {version = '*'}\n", "[tool.poetry.dependencies]\na = '*'\n"},
		"a key with a value of lines":  {"p/pyproject.toml", "[tool.poetry]\n[tool.poetry.dependencies]\nrequests = [\n  {version = '*'},\n]\n", ""},
		"a key in a table in one line": {"p/pyproject.toml", "[tool.poetry]\ndependencies = {requests = '*'}\n", ""},
		"a table":                      {"p/pyproject.toml", "[tool.poetry]\n[tool.poetry.dependencies.requests]\nversion = '*'\n", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tree := fstest.MapFS{tt.name: {Data: []byte(tt.text)}, "p/a.py": {Data: []byte("import a, b\n")}}
			said, err := deps.Check(tree, "p", []string{"p/a.py", tt.name}, deps.Config{FirstParty: []string{"a", "b"}})
			if err != nil || len(said) != 1 || said[0].Rule != deps.RuleUnused {
				t.Fatalf("got %+v, %v", said, err)
			}
			fixes := said[0].Fixes
			if tt.want == "" {
				if fixes != nil {
					t.Errorf("got %+v, want none", fixes)
				}
				return
			}
			if len(fixes) != 1 || fixes[0].Safe || len(fixes[0].Edits) != 1 {
				t.Fatalf("got %+v, want one that is not safe", fixes)
			}
			e := fixes[0].Edits[0]
			if got := tt.text[:e.Start] + e.Text + tt.text[e.End:]; e.File != tt.name || got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAFileThatIsNotThereIsAnError(t *testing.T) {
	if said, err := deps.Check(fstest.MapFS{}, "p", []string{"p/a.py"}, deps.Config{}); err == nil {
		t.Errorf("got %+v", said)
	}
}

func TestAConfigThatCannotBeMeantIsRefused(t *testing.T) {
	for name, config := range map[string]deps.Config{
		"no glob": {DevFiles: []string{"["}}, "no name": {Modules: map[string][]string{"a": {"b==1"}}},
	} {
		if err := config.Valid(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := (deps.Config{DevFiles: []string{"x/**"}, Modules: map[string][]string{"a": {"b.c-d"}}}).Valid(); err != nil {
		t.Error(err)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(groups, "requests\n", "import requests\n")
	f.Add(poetry, "-r x \\\n# y\n./z @ w", "from a.b import (c)\n")
	f.Fuzz(func(t *testing.T, pyproject, requirements, source string) {
		tree := fstest.MapFS{
			"p/pyproject.toml": {Data: []byte(pyproject)}, "p/requirements.txt": {Data: []byte(requirements)}, "p/a.py": {Data: []byte(source)},
		}
		said, err := deps.Check(tree, "p", slices.Sorted(maps.Keys(tree)), deps.Config{})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range said {
			for _, fix := range d.Fixes {
				inside(t, fix.Edits, tree)
			}
		}
	})
}

func inside(t *testing.T, edits []abi.Edit, tree fstest.MapFS) {
	t.Helper()
	for _, e := range edits {
		if e.Start < 0 || e.Start >= e.End || e.End > int64(len(tree[e.File].Data)) {
			t.Errorf("%+v is not inside of its file", e)
		}
	}
}
