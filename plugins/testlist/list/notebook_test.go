package list_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/plugins/testlist/list"
	"github.com/wr-build/wr/sdk/go/abi"
)

// notebook is one as Jupyter writes it. Its lines are counted below.
const notebook = `{
 "cells": [
  {"cell_type": "markdown", "source": ["def test_no(): pass"]},
  {"cell_type": "code", "metadata": {}, "source": [
    "%matplotlib inline\n",
    "import pytest\n",
    "from acme import net\n",
    "!ls\n",
    "x?"]},
  {"cell_type": "code", "metadata": {"tags": ["container:db", "suite:slow"]}, "source": [
    "@pytest.mark.slow\n",
    "def test_a():\n",
    "    assert net\n",
    "\n",
    "class TestB:\n",
    "    @pytest.mark.container('web')\n",
    "    def test_c(self): pass"]},
  {"cell_type": "code", "metadata": {"tags": ["test", "suite:fast"]}, "source": [
    "net.check()\n"]},
  {"cell_type": "code", "source": "%%bash\ndef test_bash(): pass"},
  {"cell_type": "code", "source": [
    "def test_last(): pass"]}
 ],
 "metadata": {"kernelspec": {"language": "python"}},
 "nbformat": 4
}
`

func TestTestsInNotebooksAreFound(t *testing.T) {
	config := list.Config{Notebooks: list.Notebooks{Files: "**/*.ipynb"}}
	found, err := list.Discover(files("p/deep/n.ipynb", notebook, "p/nested/x.ipynb", notebook), params, config)
	want := []abi.TestFile{{
		File: "p/deep/n.ipynb",
		Cases: []abi.TestCase{
			{ID: "test_a", Line: 12, Marks: []string{"slow"}, Suite: "slow", Container: "db"},
			{ID: "TestB::test_c", Line: 17, Marks: []string{"container"}, Suite: "slow", Container: "web"},
			{ID: "cell[3]", Line: 19, Suite: "fast"},
			{ID: "test_last", Line: 22},
		},
		Imports: []abi.Import{{Module: "pytest", Line: 6}, {Module: "acme", Line: 7}, {Module: "acme.net", Line: 7}},
	}}
	if diff := cmp.Diff(want, found); diff != "" || err != nil {
		t.Errorf("%v, want, got:\n%s", err, diff)
	}
}

func TestNotebooksThatAreNotAllPython(t *testing.T) {
	tests := map[string]struct {
		tag, text string
		want      []abi.TestFile
		err       string
	}{
		"another language": {text: strings.Replace(notebook, `"language": "python"`, `"language": "julia"`, 1), err: "p/n.ipynb:19: this cell is tagged as a test, and not of Python"},
		"what only Python can tell": {text: `{"cells": [{"cell_type": "code", "source": "from x import *\ndef test_a(): pass"}]}`, want: []abi.TestFile{{
			File: "p/n.ipynb", Cases: []abi.TestCase{{ID: "test_a", Line: 1}}, Imports: []abi.Import{{Module: "x", Line: 1}}, Open: "p/n.ipynb: cells define tests that only Python can tell",
		}}},
		"imports that may be tests": {text: `{"cells": [{"cell_type": "code", "source": "from x import *"}]}`},
		"tests in a cell that is one": {text: `{"cells": [{"cell_type": "code", "metadata": {"tags": ["test"]}, "source": "def test_a(): pass"}]}`, want: []abi.TestFile{{
			File: "p/n.ipynb", Cases: []abi.TestCase{{ID: "cell[1]", Line: 1}},
		}}},
		"another tag":   {tag: "check", text: `{"cells": [{"cell_type": "code", "metadata": {"tags": ["check"]}, "source": []}]}`, want: []abi.TestFile{{File: "p/n.ipynb", Cases: []abi.TestCase{{ID: "cell[1]", Line: 1}}}}},
		"without tests": {text: `{"cells": [{"cell_type": "code", "source": ["x = 1"]}]}`},
		"without cells": {text: `{}`},
		"no JSON":       {text: "{\n}}", err: "p/n.ipynb:2: there is more behind the document"},
		"half of one":   {text: "{\n\"cells\": [", err: "p/n.ipynb:2: EOF"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config := list.Config{Notebooks: list.Notebooks{Files: "*.ipynb", Tag: tt.tag}}
			found, err := list.Discover(files("p/n.ipynb", tt.text), params, config)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || err.Error() != tt.err) {
				t.Errorf("got error %v, want %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, found); diff != "" {
				t.Errorf("want, got:\n%s", diff)
			}
		})
	}
}

func TestListsSayMoreOfWhatIsInANotebook(t *testing.T) {
	config := list.Config{Lists: []list.List{{File: "*.list"}}, Notebooks: list.Notebooks{Files: "*.ipynb"}}
	tests := map[string]struct {
		list, err string
		want      []string
	}{
		"of all tests": {list: "n.ipynb slow db\n", want: []string{
			`p/n.ipynb:0 "" slow/db`, `p/n.ipynb:12 "test_a" slow/db`, `p/n.ipynb:17 "TestB::test_c" slow/web`, `p/n.ipynb:19 "cell[3]" fast/`, `p/n.ipynb:22 "test_last" /`,
		}},
		"of one": {list: "n.ipynb::cell[3] - web\n", want: []string{
			`p/n.ipynb:19 "cell[3]" fast/web`, `p/n.ipynb:12 "test_a" slow/db`, `p/n.ipynb:17 "TestB::test_c" slow/web`, `p/n.ipynb:22 "test_last" /`,
		}},
		"something else": {list: "\nn.ipynb::cell[3] slow\n", err: "p/a.list:2: tags of p/n.ipynb:19 say something else of cell[3]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := list.Discover(files("p/n.ipynb", notebook, "p/a.list", tt.list), params, config)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || err.Error() != tt.err) {
				t.Fatalf("got error %v, want %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, told(found)); tt.err == "" && diff != "" {
				t.Errorf("want, got:\n%s", diff)
			}
		})
	}
}
