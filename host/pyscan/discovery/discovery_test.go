package discovery_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/pyscan/discovery"
	"github.com/wr-build/wr/sdk/go/abi"
)

func tree(nameText ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i := 0; i < len(nameText); i += 2 {
		files[nameText[i]] = &fstest.MapFile{Data: []byte(nameText[i+1])}
	}
	return files
}

const twoTests = `import pytest
from .. import util
from . import data
from acme.net import ping as p, wait
if TYPE_CHECKING:
    import never
pytestmark = pytest.mark.slow
@pytest.mark.container("db")
@pytest.mark.slow
def test_a(): pass
class TestB:
    @pytest.mark.parametrize("x", [1, pytest.param(2, marks=[pytest.mark.xfail, pytest.mark.container("web")])])
    def test_c(self, x):
        from .... import far
`

func TestWhatPyscanFindsIsSaidInWordsOfTheProtocol(t *testing.T) {
	imports := func(all ...any) (list []abi.Import) {
		for i := 0; i < len(all); i += 2 {
			list = append(list, abi.Import{Line: all[i].(int), Module: all[i+1].(string)})
		}
		return list
	}
	one := func(f abi.TestFile) []abi.TestFile { return []abi.TestFile{f} }
	tests := map[string]struct {
		files  fstest.MapFS
		params abi.DiscoverParams
		want   []abi.TestFile
	}{
		"no test": {tree("a.py", ""), abi.DiscoverParams{}, []abi.TestFile{}},
		"cases, marks, containers and imports": {tree("infra/test/test_x.py", twoTests), abi.DiscoverParams{Work: abi.Work{Project: "infra"}}, one(abi.TestFile{
			File: "infra/test/test_x.py",
			Cases: []abi.TestCase{
				{ID: "test_a", Line: 10, Marks: []string{"slow", "container"}, Container: "db"},
				{ID: "TestB::test_c[1]", Line: 13, Marks: []string{"parametrize", "slow"}},
				{ID: "TestB::test_c[2]", Line: 13, Marks: []string{"xfail", "container", "parametrize", "slow"}, Container: "web"},
			},
			Imports: imports(1, "pytest", 2, "infra", 2, "infra.util", 3, "infra.test", 3, "infra.test.data", 4, "acme.net", 4, "acme.net.ping", 4, "acme.net.wait", 14, "....", 14, "....far"),
		})},
		"relative imports at the root": {tree("test_x.py", "from . import a\nfrom .b import c\nfrom .. import d\nfrom ..e import f\n"), abi.DiscoverParams{}, one(abi.TestFile{
			File: "test_x.py", Imports: imports(1, "a", 2, "b", 2, "b.c", 3, "..", 3, "..d", 4, "..e", 4, "..e.f"),
		})},
		"paths and nested projects": {
			tree("p/t/test_a.py", "", "p/u/test_b.py", "", "p/t/n/test_c.py", ""),
			abi.DiscoverParams{Work: abi.Work{Project: "p"}, Paths: []string{"t"}, Nested: []string{"p/t/n"}},
			one(abi.TestFile{File: "p/t/test_a.py"}),
		},
		"ids that are not known": {tree("test_x.py", "import pytest\n@pytest.mark.parametrize('x', [1, object()])\ndef test_a(x): pass\n@pytest.mark.parametrize('x', XS)\ndef test_b(x): pass\n"), abi.DiscoverParams{}, one(abi.TestFile{
			File: "test_x.py", Imports: imports(1, "pytest"),
			Cases: []abi.TestCase{{ID: "test_a", Line: 3, Marks: []string{"parametrize"}}, {ID: "test_b", Line: 5, Marks: []string{"parametrize"}}},
			Open:  "test_x.py:4: the values of parametrize are computed",
		})},
		"ids that are not known, with marks": {tree("test_x.py", "import pytest\n@pytest.mark.parametrize('x', [1, pytest.param(object(), marks=pytest.mark.container('db'))])\ndef test_a(x): pass\n"), abi.DiscoverParams{}, one(abi.TestFile{
			File: "test_x.py", Imports: imports(1, "pytest"),
			Cases: []abi.TestCase{{ID: "test_a", Line: 3, Marks: []string{"parametrize"}}},
			Open:  "test_x.py:3: test_a has marks for some of its parameters, whose ids are not known",
		})},
		"ids that a hook makes": {tree("test_x.py", "import pytest\n@pytest.mark.parametrize('x', [1, 2])\ndef test_a(x): pass\n", "conftest.py", "def pytest_make_parametrize_id(): pass\n"), abi.DiscoverParams{}, one(abi.TestFile{
			File: "test_x.py", Imports: imports(1, "pytest"), Cases: []abi.TestCase{{ID: "test_a", Line: 3, Marks: []string{"parametrize"}}},
		})},
		"what a hook decides": {tree("test_x.py", "def test_a(): pass\n", "conftest.py", "\ndef pytest_collection_modifyitems(): pass\n"), abi.DiscoverParams{}, one(abi.TestFile{
			File: "test_x.py", Cases: []abi.TestCase{{ID: "test_a", Line: 1}}, Open: "conftest.py:2: pytest_collection_modifyitems",
		})},
		"several reasons": {tree("test_x.py", "from a import *\nfrom b import *\n"), abi.DiscoverParams{}, one(abi.TestFile{
			File: "test_x.py", Imports: imports(1, "a", 2, "b"), Open: "test_x.py:1: from a import *, and 1 more",
		})},
		"a setting under which nothing is decided": {tree("p/pytest.ini", "[pytest]\naddopts = --doctest-modules\n", "p/test_x.py", ""), abi.DiscoverParams{Work: abi.Work{Project: "p"}}, []abi.TestFile{
			{File: "p", Open: "p/pytest.ini: the option --doctest-modules in addopts"}, {File: "p/test_x.py"},
		}},
		"doctests in a text": {tree("p/test_x.txt", ">>> 1\n1\n", "p/test_x.py", ""), abi.DiscoverParams{Work: abi.Work{Project: "p"}}, []abi.TestFile{
			{File: "p/test_x.py"}, {File: "p/test_x.txt", Open: "p/test_x.txt: examples in a text file"},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := discovery.Of(t.Context(), tt.files, tt.params)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Files); diff != "" {
				t.Errorf("want, got:\n%s", diff)
			}
		})
	}
}

func TestWhatIsInAProjectWhoseSettingsPytestRefusesOnlyPytestCanTell(t *testing.T) {
	got, err := discovery.Of(t.Context(), tree("p/pytest.ini", "[pytest\n", "p/test_a.py", ""), abi.DiscoverParams{Work: abi.Work{Project: "p"}})
	if err != nil || len(got.Files) != 1 || got.Files[0].File != "p" || !strings.HasPrefix(got.Files[0].Open, "p/pytest.ini:1: pytest cannot read its settings") {
		t.Errorf("got %+v, %v", got, err)
	}
}
