package pyscan_test

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/wr-build/wr/host/pyscan"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// files makes a tree from names and texts by turns.
func files(namesAndTexts ...string) fs.FS {
	tree := fstest.MapFS{}
	for i := 0; i < len(namesAndTexts); i += 2 {
		tree[namesAndTexts[i]] = &fstest.MapFile{Data: []byte(namesAndTexts[i+1])}
	}
	return tree
}

func TestSettingsAreFoundAsPytestFindsThem(t *testing.T) {
	const ini, toolIni, pyproject = "[pytest]\n", "[tool:pytest]\n", "[tool.pytest.ini_options]\n"
	cases := map[string]struct {
		tree          fs.FS
		dir           string
		paths         []string
		rootDir, file string
	}{
		"nothing at all":                        {tree: files("p/x.py", ""), dir: "p", rootDir: "p"},
		"pytest.ini, even if empty":             {tree: files("p/pytest.ini", "", "p/tox.ini", ini), dir: "p", rootDir: "p", file: "p/pytest.ini"},
		"pytest.toml before pytest.ini":         {tree: files("p/pytest.ini", ini, "p/pytest.toml", ""), dir: "p", rootDir: "p", file: "p/pytest.toml"},
		".pytest.ini before pyproject.toml":     {tree: files("p/.pytest.ini", "", "p/pyproject.toml", pyproject), dir: "p", rootDir: "p", file: "p/.pytest.ini"},
		"pyproject.toml before tox.ini":         {tree: files("p/tox.ini", ini, "p/pyproject.toml", pyproject), dir: "p", rootDir: "p", file: "p/pyproject.toml"},
		"tox.ini before setup.cfg":              {tree: files("p/tox.ini", ini, "p/setup.cfg", toolIni), dir: "p", rootDir: "p", file: "p/tox.ini"},
		"setup.cfg":                             {tree: files("p/tox.ini", "[tox]\n", "p/setup.cfg", toolIni), dir: "p", rootDir: "p", file: "p/setup.cfg"},
		"a file above":                          {tree: files("tox.ini", ini, "p/q/x.py", ""), dir: "p/q", rootDir: ".", file: "tox.ini"},
		"the nearest file":                      {tree: files("pytest.ini", ini, "p/setup.cfg", toolIni), dir: "p", rootDir: "p", file: "p/setup.cfg"},
		"a pyproject.toml without settings":     {tree: files("p/pyproject.toml", "[project]\nname = 'x'\n"), dir: "p", rootDir: "p", file: "p/pyproject.toml"},
		"one above it with settings":            {tree: files("p/pyproject.toml", "", "pytest.ini", ini), dir: "p", rootDir: ".", file: "pytest.ini"},
		"setup.py":                              {tree: files("setup.py", "", "p/x.py", ""), dir: "p", rootDir: "."},
		"from what is above the arguments":      {tree: files("p/a/x.py", "", "p/b/y.py", "", "p/a/pytest.ini", ini, "p/tox.ini", ini), dir: "p", paths: []string{"a/x.py", "b"}, rootDir: "p", file: "p/tox.ini"},
		"from one argument":                     {tree: files("p/a/x.py", "", "p/a/pytest.ini", ini), dir: "p", paths: []string{"a/x.py::test_x"}, rootDir: "p/a", file: "p/a/pytest.ini"},
		"an argument that is not there":         {tree: files("p/pytest.ini", ini), dir: "p", paths: []string{"none"}, rootDir: "p", file: "p/pytest.ini"},
		"arguments above the directory":         {tree: files("a/x.py", "", "p/y.py", ""), dir: "p", paths: []string{"../a"}, rootDir: "."},
		"native settings of TOML":               {tree: files("p/pyproject.toml", "[tool.pytest]\ntestpaths = ['x']\n"), dir: "p", rootDir: "p", file: "p/pyproject.toml"},
		"a directory that is called pytest.ini": {tree: files("p/pytest.ini/x", ""), dir: "p", rootDir: "p"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			config, err := pyscan.Configure(c.tree, c.dir, c.paths...)
			if err != nil || config.RootDir != c.rootDir || config.File != c.file {
				t.Errorf("got %q in %q, %v; want %q in %q", config.File, config.RootDir, err, c.file, c.rootDir)
			}
		})
	}
}

func TestSettingsAreRead(t *testing.T) {
	for name, tree := range map[string]fs.FS{
		"sections": files("pytest.ini", "[pytest]\npython_files = a_*.py\n  'b c.py'\npython_functions: check\npythonpath = src lib/x\n"),
		"strings of TOML": files("pyproject.toml",
			"[tool.pytest.ini_options]\npython_files = \"a_*.py 'b c.py'\"\npython_functions = 'check'\npythonpath = 'src lib/x'\n"),
		"lists of TOML": files("pytest.toml", "[pytest]\npython_files = ['a_*.py', 'b c.py']\npython_functions = ['check']\npythonpath = ['src', 'lib/x']\n"),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := pyscan.Configure(tree, ".")
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(c.Files, []string{"a_*.py", "b c.py"}) || !slices.Equal(c.Functions, []string{"check"}) ||
				!slices.Equal(c.Path, []string{"src", "lib/x"}) || !slices.Equal(c.Classes, []string{"Test"}) || len(c.Reasons) > 0 {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestSettingsThatChangeCollectionAreReasons(t *testing.T) {
	cases := map[string]struct {
		text string
		want pyscan.Doubt // "" = none
	}{
		"-k":                            {"addopts = -ra -k 'not x'", pyscan.Cases},
		"-k with its value":             {"addopts = -kx", pyscan.Cases},
		"doctests of modules":           {"addopts = --doctest-modules", pyscan.Cases},
		"--ignore":                      {"addopts = --ignore=x", pyscan.Cases},
		"a path":                        {"addopts = tests", pyscan.Cases},
		"other options":                 {"addopts = -ra -q --strict-markers --tb=short --durations 10", ""},
		"imported tests":                {"collect_imported_tests = false", pyscan.Cases},
		"ids as they are":               {"disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true", pyscan.IDs},
		"quotes that are never closed":  {"python_files = 'a", pyscan.Cases},
		"settings for something else":   {"log_cli = true\nminversion = 7", ""},
		"markers that have any text":    {"markers =\n    slow: takes 'long\n    -k: x", ""},
		"a path of modules, not a test": {"pythonpath = 'src'", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			config, err := pyscan.Configure(files("pytest.ini", "[pytest]\n"+c.text+"\n"), ".")
			if err != nil {
				t.Fatal(err)
			}
			var got pyscan.Doubt
			for _, r := range config.Reasons {
				got = r.Doubt
			}
			if got != c.want {
				t.Errorf("got %+v, want %q", config.Reasons, c.want)
			}
		})
	}
}

func TestSettingsThatPytestRefusesAreFaults(t *testing.T) {
	cases := map[string]struct {
		name, text string
		line       int
	}{
		"a line without a value":     {"pytest.ini", "[pytest]\nx = 1\nnonsense\n", 3},
		"a section twice":            {"tox.ini", "[tox]\n[pytest]\n[pytest]\n", 3},
		"no TOML":                    {"pyproject.toml", "[project]\nname = \n", 2},
		"the old section":            {"setup.cfg", "[pytest]\n", 0},
		"two tables of TOML":         {"pyproject.toml", "[tool.pytest]\na = 1\n[tool.pytest.ini_options]\nb = 1\n", 0},
		"a file of several megabyte": {"pytest.ini", string(make([]byte, 2<<20)), 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := pyscan.Configure(files("p/"+c.name, c.text), "p")
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Code != "pytest.bad_config" || f.File != "p/"+c.name || f.Line != c.line || f.Class != fault.Usage || f.Next == "" {
				t.Errorf("got %+v", err)
			}
		})
	}
}
