package pyscan_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"github.com/wr-build/wr/host/pyscan"
)

const oneTest = "def test_x(): pass\n"

// discover fails the test if there is a fault.
func discover(t *testing.T, tree fs.FS, opts pyscan.Options) *pyscan.Tree {
	t.Helper()
	found, err := pyscan.Discover(t.Context(), tree, opts)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// names are the files of a tree with tests.
func names(tree *pyscan.Tree) []string {
	var all []string
	for _, f := range tree.Tests {
		all = append(all, f.Name)
	}
	return all
}

func TestFilesAreFound(t *testing.T) {
	tree := files(
		"test_a.py", oneTest, "sub/b_test.py", oneTest, "sub/other.py", oneTest, ".hidden/test_c.py", oneTest, "build/test_d.py", oneTest,
		"venv2/pyvenv.cfg", "", "venv2/test_e.py", oneTest, "__pycache__/test_f.py", oneTest, "x.egg/test_g.py", oneTest,
		"nested/test_h.py", oneTest, "sub/deep/er/test_i.py", oneTest, "node_modules/test_j.py", oneTest, "test_k.txt", "text", "test_l.pyc", "",
	)
	cases := map[string]struct {
		opts pyscan.Options
		want []string
	}{
		"all":                         {pyscan.Options{Skip: []string{"nested"}}, []string{"sub/b_test.py", "sub/deep/er/test_i.py", "test_a.py"}},
		"below a directory":           {pyscan.Options{Dir: "sub"}, []string{"sub/b_test.py", "sub/deep/er/test_i.py"}},
		"below an argument":           {pyscan.Options{Dir: "sub", Paths: []string{"deep"}}, []string{"sub/deep/er/test_i.py"}},
		"a file, whatever its name":   {pyscan.Options{Paths: []string{"sub/other.py::test_x"}}, []string{"sub/other.py"}},
		"a directory that is skipped": {pyscan.Options{Paths: []string{"build"}}, []string{"build/test_d.py"}},
		"arguments that overlap":      {pyscan.Options{Paths: []string{"sub", "sub/b_test.py"}}, []string{"sub/b_test.py", "sub/deep/er/test_i.py"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := discover(t, tree, c.opts)
			if got := names(found); !slices.Equal(got, c.want) || len(found.Reasons) > 0 {
				t.Errorf("got %q %+v, want %q", got, found.Reasons, c.want)
			}
		})
	}
}

func TestWhatIsNotSeenIsAReason(t *testing.T) {
	cases := map[string]struct {
		tree fs.FS
		opts pyscan.Options
		code string
	}{
		"an argument that is not there":  {files("test_a.py", oneTest), pyscan.Options{Paths: []string{"none"}}, pyscan.CodeUnreadable},
		"examples in a text":             {files("test_a.txt", ">>> 1\n1\n"), pyscan.Options{}, pyscan.CodeDoctest},
		"testpaths out of the workspace": {files("pytest.ini", "[pytest]\ntestpaths = ../x\n", "test_a.py", oneTest), pyscan.Options{}, pyscan.CodeOption},
		"options of pytest":              {files("pytest.ini", "[pytest]\naddopts = -m slow\n"), pyscan.Options{}, pyscan.CodeOption},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := discover(t, c.tree, c.opts)
			if len(found.Reasons) != 1 || found.Reasons[0].Code != c.code || found.Reasons[0].File == "" {
				t.Errorf("got %+v, want %s", found.Reasons, c.code)
			}
		})
	}
}

func TestNothingOutsideOfTheWorkspaceIsRead(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(outside, "test_out.py"), oneTest)
	write(filepath.Join(root, "real.py"), oneTest)
	for link, target := range map[string]string{"test_out.py": filepath.Join(outside, "test_out.py"), "test_in.py": "real.py", "dir": outside} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(root, "test_pipe.py"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	found := discover(t, opened.FS(), pyscan.Options{})
	if got := names(found); !slices.Equal(got, []string{"test_in.py"}) || len(found.Tests[0].Cases) != 1 {
		t.Errorf("got %q", got)
	}
	var at []string
	for _, r := range found.Reasons {
		at = append(at, r.File)
	}
	if slices.Sort(at); !slices.Equal(at, []string{"dir", "test_out.py"}) {
		t.Errorf("got the reasons %+v, want some for the links that lead out", found.Reasons)
	}
}

func TestHooksOfConftestFilesAreReasons(t *testing.T) {
	cases := map[string]struct {
		conftest string
		inner    pyscan.Doubt // of a/test_a.py; "" = none
		outer    pyscan.Doubt // of b/test_b.py
	}{
		"items that are changed are all items":   {"def pytest_collection_modifyitems(items): pass\n", pyscan.Cases, pyscan.Cases},
		"files are collected below":              {"def pytest_collect_file(file_path, parent): pass\n", pyscan.Cases, ""},
		"items are marked below":                 {"def pytest_itemcollected(item): pass\n", pyscan.Marks, ""},
		"ids are made for all":                   {"def pytest_make_parametrize_id(val): pass\n", pyscan.IDs, pyscan.IDs},
		"a hook under a condition":               {"if x:\n    def pytest_collect_file(): pass\n", pyscan.Cases, ""},
		"a hook from elsewhere":                  {"from plugin import pytest_collect_file\n", pyscan.Cases, ""},
		"hooks that only run tests":              {"def pytest_configure(config): pass\ndef pytest_runtest_setup(item): pass\n", "", ""},
		"an unknown module's names":              {"from elsewhere import *\n", pyscan.Cases, ""},
		"what is ignored is computed":            {"collect_ignore = [x for x in y]\n", pyscan.Cases, ""},
		"what is ignored under a condition":      {"if x:\n    collect_ignore = ['a']\n", pyscan.Cases, ""},
		"no Python":                              {"def\n", pyscan.Cases, ""},
		"a module of the workspace as a plugin":  {"pytest_plugins = ['local']\n", pyscan.Cases, pyscan.Cases},
		"a plugin of pytest":                     {"pytest_plugins = 'pytester'\n", "", ""},
		"a fixture with parameters for all":      {"import pytest\n@pytest.fixture(autouse=True, params=[1])\ndef f(): pass\n", "", ""},
		"a fixture that is made by hand, unused": {"import pytest\nf = pytest.fixture(lambda: 1)\n", "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			found := discover(t, files("a/conftest.py", c.conftest, "a/test_a.py", oneTest, "b/test_b.py", oneTest,
				"local.py", "def pytest_collection_modifyitems(items): pass\n"), pyscan.Options{})
			for i, want := range []pyscan.Doubt{c.inner, c.outer} {
				var got pyscan.Doubt
				for _, r := range found.Tests[i].Reasons {
					if got = r.Doubt; r.File == "" {
						t.Errorf("%+v does not say in which file", r)
					}
				}
				if got != want {
					t.Errorf("%s: got %+v, want %q", found.Tests[i].Name, found.Tests[i].Reasons, want)
				}
			}
		})
	}
}

func TestAResultCanBeKept(t *testing.T) {
	src := append(leaf(1), "@pytest.mark.x(1, -2.5, 12345678901234567890, None, [True], a='b', c=f())\ndef test_x(): exec('')\n"...)
	file := pyscan.Scan("test_x.py", src, pyscan.Rules{})
	data, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	var back pyscan.File
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, file) || back.Version != pyscan.Version {
		t.Errorf("got %+v, want %+v", back, file)
	}
}

func TestDiscoveryEndsWhenItIsNotWanted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := pyscan.Discover(ctx, files("test_a.py", oneTest), pyscan.Options{}); !errors.Is(err, enough) {
		t.Errorf("got %v, want %v", err, enough)
	}
}

func TestImportsAreFacts(t *testing.T) {
	src := `import os, a.b as c
from . import x
from ...p.q import (y as z, w)
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import never
else:
    import always
try:
    import maybe
except ImportError:
    import instead
try: import surely
finally: pass
def f():
    import later
    try:
        import later_maybe
    except: pass
class C: import inner
`
	want := []pyscan.Import{
		{Module: "os", Line: 1},
		{Module: "a.b", As: "c", Line: 1},
		{Level: 1, Names: []pyscan.Name{{Name: "x"}}, Line: 2},
		{Module: "p.q", Level: 3, Names: []pyscan.Name{{Name: "y", As: "z"}, {Name: "w"}}, Line: 3},
		{Module: "typing", Names: []pyscan.Name{{Name: "TYPE_CHECKING"}}, Line: 4},
		{Module: "never", Line: 6, TypeChecking: true},
		{Module: "always", Line: 8},
		{Module: "maybe", Line: 10, Guarded: true},
		{Module: "instead", Line: 12, Guarded: true},
		{Module: "surely", Line: 13},
		{Module: "later", Line: 16, Function: true},
		{Module: "later_maybe", Line: 18, Function: true, Guarded: true},
		{Module: "inner", Line: 20},
	}
	got := pyscan.Scan("x.py", []byte(src), pyscan.Rules{}).Imports
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestMarksHaveTheirArguments(t *testing.T) {
	src := `import pytest
@pytest.mark.timeout(5, method="thread", ratio=-0.5, names=["a", ("b", None)], flag=True, other=f())
def test_x(): pass
`
	want := []pyscan.Mark{{
		Name: "timeout", Line: 2, Args: []any{json.Number("5")},
		Kwargs: map[string]any{
			"method": "thread", "ratio": json.Number("-0.5"), "names": []any{"a", []any{"b", nil}}, "flag": true, "other": pyscan.Opaque,
		},
	}}
	got := pyscan.Scan("test_x.py", []byte(src), pyscan.Rules{}).Cases[0].Marks
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
