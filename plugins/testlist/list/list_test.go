package list_test

import (
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/plugins/testlist/list"
	"github.com/wr-build/wr/sdk/go/abi"
)

// files are those that all lists name tests of.
func files(nameText ...string) fs.FS {
	tree := fstest.MapFS{
		"p/test_a.py":     {Data: []byte("import acme\ndef test_one(): pass\nclass TestB:\n    def test_two(self): pass\n")},
		"p/test_star.py":  {Data: []byte("from acme import *\n")},
		"q/test_q.py":     {Data: []byte("def test_q(): pass\n")},
		"p/bench/run.sh":  {Data: []byte("true\n")},
		"p/nested/x.list": {Data: []byte("nowhere.py\n")},
	}
	for i := 0; i < len(nameText); i += 2 {
		tree[nameText[i]] = &fstest.MapFile{Data: []byte(nameText[i+1])}
	}
	return tree
}

var params = abi.DiscoverParams{Work: abi.Work{Project: "p"}, Nested: []string{"p/nested"}}

// told is a line for each case: file, line, id, suite, container.
func told(found []abi.TestFile) []string {
	lines := []string{}
	for _, f := range found {
		for _, c := range f.Cases {
			lines = append(lines, fmt.Sprintf("%s:%d %q %s/%s", f.File, c.Line, c.ID, c.Suite, c.Container))
		}
	}
	return lines
}

func TestListsAreRead(t *testing.T) {
	const py = "p/test_a.py:2 \"test_one\" "
	tests := map[string]struct {
		list list.List
		name string
		text string
		want []string
	}{
		"lines": {
			list.List{File: "*.list"},
			"p/a.list", "# all\ntest_a.py::test_one slow optimizer # why\n\ntest_a.py::TestB - db\r\nbench/run.sh superslow\ntest_a.py::TestB::test_two[a b # c] fast",
			[]string{`p/bench/run.sh:0 "" superslow/`, py + "slow/optimizer", `p/test_a.py:4 "TestB" /db`, `p/test_a.py:4 "TestB::test_two[a b # c]" fast/`},
		},
		"lines from the root":                           {list.List{File: "lists/x.txt", From: list.FromRoot}, "p/lists/x.txt", "q/test_q.py::test_q\n", []string{`q/test_q.py:1 "test_q" /`}},
		"lines from the list":                           {list.List{File: "lists/x.txt", From: list.FromList}, "p/lists/x.txt", "../test_a.py::test_one\n../../q/test_q.py\n", []string{py + "/", `q/test_q.py:0 "" /`}},
		"a list that has one ending and another format": {list.List{File: "x.csv", Format: list.Lines}, "p/x.csv", "test_a.py::test_one slow\n", []string{py + "slow/"}},
		"csv": {
			list.List{File: "*.csv", Test: "id"},
			"p/t.csv", "suite,who,id,container\nslow,me,test_a.py::test_one, db\n# no\n,me,\"test_a.py::TestB::test_two[1,\n2]\"\n",
			[]string{py + "slow/db", `p/test_a.py:4 "TestB::test_two[1,` + `\n` + `2]" /`},
		},
		"csv without a head": {list.List{File: "*.csv", Columns: []string{"test", "container"}}, "p/t.csv", "test_a.py::test_one,db\n", []string{py + "/db"}},
		"toml, a list":       {list.List{File: "t.toml", At: "tests.all"}, "p/t.toml", "[tests]\nall = [\n  'test_a.py::test_one', # why\n]\n", []string{py + "/"}},
		"toml, tables": {
			list.List{File: "t.toml", At: "test", Test: "id", Suite: "in"},
			"p/t.toml", "[[test]]\nid = 'test_a.py::test_one'\nin = 'slow'\n[[test]]\nid = 'test_a.py::TestB'\ncontainer = 'db'\n",
			[]string{py + "slow/", `p/test_a.py:4 "TestB" /db`},
		},
		"toml, by keys": {
			list.List{File: "t.toml", At: "{container}.{suite}"},
			"p/t.toml", "web.slow = ['test_a.py::test_one']\n[db]\nfast = [{test = 'test_a.py::TestB', suite = 'special'}]\n",
			[]string{py + "slow/web", `p/test_a.py:4 "TestB" special/db`},
		},
		"json": {
			list.List{File: "t.json", At: "suites.{suite}"},
			"p/t.json", "{\"n\": 1, \"suites\": {\"slow\": [\"test_a.py::test_one\"],\n\"fast\": \"test_a.py::TestB\"}}",
			[]string{py + "slow/", `p/test_a.py:4 "TestB" fast/`},
		},
		"a test that is named twice":          {list.List{File: "*.list"}, "p/a.list", "test_a.py::test_one slow\ntest_a.py::test_one slow\n", []string{py + "slow/"}},
		"a test that only Python may see":     {list.List{File: "*.list"}, "p/a.list", "test_star.py::test_x\n", []string{`p/test_star.py:0 "test_x" /`}},
		"lists of nested projects are theirs": {list.List{File: "**/*.list"}, "p/a.list", "test_a.py::test_one\n", []string{py + "/"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config := list.Config{Lists: []list.List{tt.list}}
			if err := config.Valid(); err != nil {
				t.Fatal(err)
			}
			found, err := list.Discover(files(tt.name, tt.text), params, config)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, told(found)); diff != "" {
				t.Errorf("want, got:\n%s", diff)
			}
		})
	}
}

func TestWhereAListSaysSomethingIsTold(t *testing.T) {
	found, err := list.Discover(files("p/a.list", "\ntest_a.py::test_one slow\n"), params, list.Config{Lists: []list.List{{File: "*.list"}}})
	if err != nil || len(found) != 1 {
		t.Fatalf("got %+v, %v", found, err)
	}
	if got, want := found[0].Cases[0].Said, (&abi.Line{File: "p/a.list", Line: 2}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatIsWrongWithAListIsToldWithItsLine(t *testing.T) {
	lines, toml, json := list.List{File: "l.list"}, list.List{File: "l.toml", At: "tests"}, list.List{File: "l.json", At: "tests"}
	tests := map[string]struct {
		list list.List
		text string
		want string
	}{
		"a file that is not there":   {lines, "# x\ntest_a.py::test_one\ntest_c.py::test_one slow\n", "p/l.list:3: there is no file p/test_c.py"},
		"a test that is not there":   {lines, "\ntest_a.py::test_onne[1]\n", "p/l.list:2: p/test_a.py has no test test_onne; did you mean test_one?"},
		"nothing that is like it":    {lines, "test_a.py::TestZ::x\n", "p/l.list:1: p/test_a.py has no test TestZ::x"},
		"out of the workspace":       {lines, "../../etc/passwd\n", "p/l.list:1: ../../etc/passwd is not in the workspace"},
		"too many words":             {lines, "test_a.py slow db x\n", `p/l.list:1: more than a test, a suite and a container: "x"`},
		"two suites":                 {lines, "test_a.py::test_one slow\ntest_a.py::test_one fast\n", "p/l.list:2: test_a.py::test_one is in another suite or container at p/l.list:1"},
		"all that is wrong":          {lines, "b.py\na.py\n", "p/l.list:1: there is no file p/b.py\np/l.list:2: there is no file p/a.py"},
		"a CSV without the column":   {list.List{File: "l.csv"}, "a,b\n1,2\n", `p/l.csv:1: there is no column "test"`},
		"no CSV":                     {list.List{File: "l.csv"}, "test\ntest_a.py\n\"x\" y\n", "p/l.csv:3: extraneous or missing \" in quoted-field"},
		"a line of a CSV":            {list.List{File: "l.csv"}, "test\ntest_a.py\n\"c\n.py\"\nd.py\n", "p/l.csv:3: there is no file p/c\n.py\np/l.csv:5: there is no file p/d.py"},
		"no TOML":                    {toml, "x = 1\ntests = [\n", "p/l.toml:2: toml: array is incomplete"},
		"a line of TOML":             {toml, "x = 1\ntests = [\n  'test_a.py',\n  'b.py',\n]\n", "p/l.toml:4: there is no file p/b.py"},
		"a table of TOML":            {toml, "\n[[tests]]\nsuite = 'x'\n", `p/l.toml:2: this has no "test"`},
		"a number":                   {toml, "tests = [\n  'test_a.py', 3]\n", "p/l.toml:2: this is no test"},
		"nothing at the key":         {toml, "test = []\n", "p/l.toml:1: there is nothing at tests"},
		"no JSON":                    {json, "{\n\"tests\": [\n\"test_a.py\"\n", "p/l.json:3: EOF"},
		"more than JSON":             {json, "{\"tests\": []}\n\n1", "p/l.json:3: there is more behind the document"},
		"deep JSON":                  {json, strings.Repeat("[", 2000), "p/l.json:1: values lie too deep in one another"},
		"a line of JSON":             {json, "{\n\"tests\": [\n\"test_a.py\",\n{\"test\":\"b.py\"}]}", "p/l.json:4: there is no file p/b.py"},
		"no list is there":           {list.List{File: "x*.list"}, "", "no file of p is called x*.list, which lists names"},
		"more than anyone will read": {lines, strings.Repeat("x.py a b c\n", 25), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			file := "p/l" + tt.list.File[strings.LastIndexByte(tt.list.File, '.'):]
			_, err := list.Discover(files(file, tt.text), params, list.Config{Lists: []list.List{tt.list}})
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); tt.want != "" && got != tt.want || tt.want == "" && !strings.HasSuffix(got, "\nand 5 more") {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestAConfigThatCannotBeMeantIsRefused(t *testing.T) {
	for name, config := range map[string]list.Config{
		"no file":         {Lists: []list.List{{}}},
		"a file above":    {Lists: []list.List{{File: "../x.list"}}},
		"no glob":         {Lists: []list.List{{File: "["}}},
		"no format":       {Lists: []list.List{{File: "x", Format: "yaml"}}},
		"from nowhere":    {Lists: []list.List{{File: "x", From: "here"}}},
		"TOML without at": {Lists: []list.List{{File: "x.toml"}}},
		"JSON without at": {Lists: []list.List{{File: "x", Format: list.JSON}}},
		"notebooks":       {Notebooks: list.Notebooks{Files: "["}},
	} {
		if config.Valid() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzDiscover(f *testing.F) {
	f.Add("test_a.py::test_one[a b] slow\n", "test,suite\n\"a\nb\",c\n", "a.b = [{x.y = 1}]\n[[tests]]\n", `{"tests": [{"test": "x"}, [1]]}`, `{"cells": [{"cell_type": "code", "source": ["x\n"]}]}`)
	f.Fuzz(func(t *testing.T, lines, csv, toml, json, notebook string) {
		config := list.Config{Notebooks: list.Notebooks{Files: "*.ipynb"}}
		for _, name := range []string{"a.list", "a.csv", "a.toml", "a.json"} {
			config.Lists = append(config.Lists, list.List{File: name, At: "{suite}"})
		}
		tree := files("p/a.list", lines, "p/a.csv", csv, "p/a.toml", toml, "p/a.json", json, "p/a.ipynb", notebook)
		found, err := list.Discover(tree, params, config)
		if err == nil && slices.ContainsFunc(found, func(f abi.TestFile) bool { return f.File == "" }) {
			t.Errorf("a file without a name: %+v", found)
		}
	})
}
