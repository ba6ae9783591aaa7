package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// suites are workspaces with many tests.
type suites struct {
	discovery    string // 2,000 tests in 200 files, which are only looked for
	eight        built  // 8 projects of 20 tests, each of which computes for some 10 ms
	twoHundred   built  // one project, tests that do nothing
	fiveThousand built  // the same
}

// makeSuites writes the workspaces with tests, and builds the images of those
// that run.
func (b *bench) makeSuites(ctx context.Context) (err error) {
	b.suites.discovery = filepath.Join(b.dir, "2000")
	if err := write(b.suites.discovery, discoveryFiles()); err != nil {
		return err
	}
	for _, suite := range []struct {
		built *built
		name  string
		files map[string]string
	}{
		{&b.suites.eight, "eight", eightFiles()},
		{&b.suites.twoHundred, "200", plainFiles(10, 20)},
		{&b.suites.fiveThousand, "5000", plainFiles(50, 100)},
	} {
		dir := filepath.Join(b.dir, suite.name)
		if err := write(dir, suite.files); err != nil {
			return err
		}
		if *suite.built, err = b.buildAll(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

// discoveryFiles are 200 files of 10 tests in 10 directories.
func discoveryFiles() map[string]string {
	files := map[string]string{
		"wr.toml":              "[workspace]\nname = \"many\"\n[project]\n",
		"pytest.ini":           "[pytest]\nmarkers =\n    slow\n    container\n",
		"devops/Dockerfile":    "FROM acme/python\n",
		"db/devops/Dockerfile": "FROM acme/python\n",
		"shop/__init__.py":     "",
		"shop/models.py":       "class Thing:\n    def __init__(self, path):\n        self.path = path\n",
		"conftest.py":          "import pytest\n\nfrom shop.models import Thing\n\n\n@pytest.fixture\ndef thing(tmp_path):\n    return Thing(tmp_path)\n",
	}
	for n := range 200 {
		files[fmt.Sprintf("part%d/test/test_%03d.py", n%10, n)] = strings.ReplaceAll(discoveryFile, "NUMBER", strconv.Itoa(n))
	}
	return files
}

// discoveryFile is one file of 10 tests, with what such files have: imports,
// constants, a fixture, a class, marks, parameters.
const discoveryFile = `"""What the shop promises, part NUMBER."""

import os
import sys
from pathlib import Path

import pytest

from shop.models import Thing

PRICES = {"a": [1, 2, 3], "b": (4, 5)}


@pytest.fixture
def other(thing, tmp_path):
    return Thing(tmp_path / "other")


def test_path(thing, other):
    value = {"path": Path(thing.path) / os.sep, "platform": f"{sys.platform!r:>10}"}
    for key, prices in PRICES.items():
        assert len(prices) > 1, "a message (of a few words)"
    assert value["platform"].strip()  # not empty


@pytest.mark.container("db")
def test_database(thing):
    value = {"path": Path(thing.path) / os.sep, "platform": f"{sys.platform!r:>10}"}
    for key, prices in PRICES.items():
        assert len(prices) > 1, "a message (of a few words)"
    assert value["platform"].strip()  # not empty


@pytest.mark.skipif(sys.platform == "win32", reason="needs a slash")
def test_slash(other):
    value = {"path": Path(other.path) / os.sep, "platform": f"{sys.platform!r:>10}"}
    for key, prices in PRICES.items():
        assert len(prices) > 1, "a message (of a few words)"
    assert value["platform"].strip()  # not empty


@pytest.mark.parametrize(("price", "name"), [(1, "low"), (20, "high"), (300, "top")])
def test_price(price, name, thing):
    """Prices have names."""
    names = {limit: name for limit, name in ((10, "low"), (100, "high"), (1000, "top"))}
    assert next(found for limit, found in names.items() if price < limit) == name


@pytest.mark.slow
class TestThings:
    limit = 10

    def test_first(self, thing):
        value = {"path": Path(thing.path) / os.sep, "platform": f"{sys.platform!r:>10}"}
        for key, prices in PRICES.items():
            assert len(prices) < self.limit, "a message (of a few words)"
        assert value["platform"].strip()  # not empty

    def test_second(self, thing, other):
        with pytest.raises(KeyError):
            PRICES[thing.path]
        assert other.path != thing.path

    def test_third(self, thing, monkeypatch):
        monkeypatch.setenv("SHOP", str(thing.path))
        assert os.environ["SHOP"] == str(thing.path)

    def test_fourth(self, tmp_path):
        file = tmp_path / "part-NUMBER"
        file.write_text("\n".join(str(n) for n in range(self.limit)))
        assert len(file.read_text().split()) == self.limit
`

// eightFiles are 8 projects with an image and 20 tests each.
func eightFiles() map[string]string {
	files := map[string]string{"wr.toml": "[workspace]\nname = \"eight\"\n"}
	for p := range 8 {
		files[fmt.Sprintf("p%d/devops/Dockerfile", p)] = fmt.Sprintf("FROM acme/python\nENV PROJECT=p%d\n", p)
		for f := range 4 {
			files[fmt.Sprintf("p%d/test/test_p%d_%d.py", p, p, f)] = testFile(5, "assert sum(i * i for i in range(150_000)) > 0")
		}
	}
	return files
}

// plainFiles are one project whose tests do nothing.
func plainFiles(files, tests int) map[string]string {
	all := map[string]string{
		"wr.toml":           "[workspace]\nname = \"plain\"\n[project]\n",
		"devops/Dockerfile": "FROM acme/python\n",
	}
	for f := range files {
		all[fmt.Sprintf("test/test_%02d.py", f)] = testFile(tests, "assert True")
	}
	return all
}

// testFile is a file of tests that all do the same.
func testFile(tests int, body string) string {
	var s strings.Builder
	for t := range tests {
		fmt.Fprintf(&s, "def test_%d():\n    %s\n\n\n", t, body)
	}
	return s.String()
}
