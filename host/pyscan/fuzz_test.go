package pyscan_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/pyscan"
)

// FuzzScan looks for inputs that end in a panic, or in a result that nobody can
// keep or show: lines that the file does not have.
func FuzzScan(f *testing.F) {
	for _, src := range sources(f) {
		f.Add(src)
	}
	for _, hostile := range hostiles {
		f.Add([]byte(hostile(3)))
	}
	f.Fuzz(checkScan)
}

// sources are the files of the corpus.
func sources(t testing.TB) [][]byte {
	t.Helper()
	var all [][]byte
	err := fs.WalkDir(os.DirFS("testdata/corpus"), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".py" {
			return err
		}
		src, err := os.ReadFile(path.Join("testdata/corpus", name))
		all = append(all, src)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// checkScan scans a source and looks at what comes out.
func checkScan(t *testing.T, src []byte) {
	file := pyscan.Scan("test_x.py", src, pyscan.Rules{Classes: []string{"Test", "*[a-c]"}})
	if _, err := json.Marshal(file); err != nil {
		t.Fatal(err)
	}
	last := 2 + bytes.Count(src, []byte("\n")) + bytes.Count(src, []byte("\r"))
	checkLines(t, file.Reasons, last)
	for _, c := range file.Cases {
		checkLines(t, c.Reasons, last)
		if c.Line < 1 || c.Line > last {
			t.Errorf("%s is at line %d of %d", c.Name, c.Line, last)
		}
	}
}

func checkLines(t *testing.T, reasons []pyscan.Reason, last int) {
	for _, r := range reasons {
		if r.Line < 1 || r.Line > last {
			t.Errorf("%+v is not at a line of %d", r, last)
		}
	}
}

// TestNoPartOfASourceIsTooLittle cuts the corpus everywhere: what a file looks
// like while somebody types.
func TestNoPartOfASourceIsTooLittle(t *testing.T) {
	const step = 7 // every byte was tried once, and found nothing else
	for _, src := range sources(t) {
		for at := 0; at < len(src); at += step {
			checkScan(t, src[:at])
			checkScan(t, src[at:])
			checkScan(t, append(bytes.Clone(src[:at]), src[at+1:]...))
		}
	}
}

// FuzzConfigure looks for settings that end in a panic.
func FuzzConfigure(f *testing.F) {
	f.Add("pytest.ini", []byte("[pytest]\npython_files = a 'b c'\n  d\n# x\n[x]\n"))
	f.Add("pyproject.toml", []byte("[tool.pytest.ini_options]\npython_files = ['a', 3]\naddopts = '-k x'\n"))
	f.Add("setup.cfg", []byte("[tool:pytest]\nnorecursedirs: [!a] ]b[ [z-a]\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if !fs.ValidPath(name) {
			return // no name that a tree can have
		}
		_, _ = pyscan.Configure(oneFile{name, data}, ".")
	})
}

// hostiles are sources that grow with n, each hard in a way of its own.
var hostiles = map[string]func(n int) string{
	"brackets":        func(n int) string { return strings.Repeat("(", n) + strings.Repeat(")", n) },
	"open brackets":   func(n int) string { return "x = " + strings.Repeat("[1,", n) },
	"many brackets":   func(n int) string { return strings.Repeat("f(((1)))\n", n) },
	"indents":         func(n int) string { return nested(min(n, 2000), "if x:") },
	"decorators":      func(n int) string { return strings.Repeat("@a.b(1)\n", n) + "def test_x(): pass\n" },
	"deletes":         func(n int) string { return strings.Repeat("x = 1\ndel x\n", n) },
	"rebinding":       func(n int) string { return strings.Repeat("def test_x(): pass\n", n) },
	"touching":        func(n int) string { return "class TestX: pass\n" + strings.Repeat("f(TestX)\n", n) },
	"strings":         func(n int) string { return "x = " + strings.Repeat("'a' ", n) },
	"open strings":    func(n int) string { return strings.Repeat(`"""a`+"\n", n) },
	"f-strings":       func(n int) string { return strings.Repeat(`f"{`, n) },
	"formats":         func(n int) string { return `f"{x` + strings.Repeat(":{y", n) + strings.Repeat("}", n) + `}"` },
	"names in braces": func(n int) string { return `f"` + strings.Repeat(`\N{`, n) + `"` },
	"lambdas":         func(n int) string { return "x = " + strings.Repeat("lambda: ", n) + "1" },
	"signs":           func(n int) string { return "x = " + strings.Repeat("-", n) + "1" },
	"attributes":      func(n int) string { return "x" + strings.Repeat(".a", n) },
	"calls":           func(n int) string { return "x = f" + strings.Repeat("()", n) },
	"targets":         func(n int) string { return strings.Repeat("x = ", n) + "1" },
	"continuations":   func(n int) string { return "x = 1 " + strings.Repeat("\\\n", n) },
	"elifs":           func(n int) string { return "if x: pass\n" + strings.Repeat("elif x: pass\n", n) },
	"classes":         func(n int) string { return strings.Repeat("class TestX:\n def test_x(self): pass\n", n) },
	"chain":           func(n int) string { return "class A: pass\n" + strings.Repeat("class A(A): pass\n", n) },
	"aliases":         aliases,
	"products":        func(n int) string { return strings.Repeat("@pytest.mark.parametrize('a', range(9))\n", n) },
	"values": func(n int) string {
		return "import pytest\n@pytest.mark.parametrize('a', [" + strings.Repeat("'x',", n) + "])\ndef test_x(a): pass\n"
	},
	"dynamic":   func(n int) string { return strings.Repeat("def f(): g(); exec(x)\nf()\n", n) },
	"constants": func(n int) string { return strings.Repeat("A = [1]\n", n) + strings.Repeat("def f(): A\n", n) },
	"marks": func(n int) string {
		return "import pytest\nm = pytest.mark.a\n" + strings.Repeat("m = m(1)\n", n) + "@m\ndef test_x(): pass\n"
	},
	"semicolons": func(n int) string { return strings.Repeat("a;", n) },
	"number":     func(n int) string { return "x = " + strings.Repeat("9", n) },
	"globals":    func(n int) string { return "def f(): global " + strings.Repeat("test_a, ", n) + "b\n" },
	"returns":    func(n int) string { return strings.Repeat("\r", n) + strings.Repeat("\f", n) },
	"as":         func(n int) string { return "with " + strings.Repeat("x as (", n) },
	"for":        func(n int) string { return strings.Repeat("for ", n) },
}

// nested are n blocks, each in the one before.
func nested(n int, header string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + header + "\n")
	}
	b.WriteString(strings.Repeat(" ", n) + "pass\n")
	return b.String()
}

// aliases are classes each of which holds the one before twice.
func aliases(n int) string {
	var b strings.Builder
	b.WriteString("class Test0:\n def test_x(self): pass\n")
	for i := range min(n, 10000) {
		prev := "Test" + strings.Repeat("x", i%7) + "0"
		b.WriteString("class Test" + strings.Repeat("x", (i+1)%7) + "0:\n TestA = " + prev + "\n TestB = " + prev + "\n")
	}
	return b.String()
}

// TestNoInputTakesLong gives a fifth of a megabyte of each hostile source, which
// takes milliseconds where time is linear, and minutes where it is not.
func TestNoInputTakesLong(t *testing.T) {
	const patience = 20 * time.Second
	for name, hostile := range hostiles {
		t.Run(name, func(t *testing.T) {
			src := hostile(1)
			src = hostile(200_000 / max(1, len(hostile(2))-len(src)))
			start := time.Now()
			file := pyscan.Scan("test_x.py", []byte(src), pyscan.Rules{})
			if took := time.Since(start); took > patience {
				t.Errorf("%d bytes took %v", len(src), took)
			} else {
				t.Logf("%d bytes, %d cases: %v", len(src), len(file.Cases), took)
			}
		})
	}
}

// TestOddSourcesAreRead holds what once was, or might be, too little to look
// around in.
func TestOddSourcesAreRead(t *testing.T) {
	for _, src := range []string{
		".modules", "sys.modules", "global", "global a,", "def f(): global", "as", "with as: pass", "for in: pass", "match", "match:\n case",
		"case", "@", "@\n", "@a", "async", "async def", "class", "class A(", "class A(*b, **c): pass", "def f(*, **): pass", "lambda", "x = lambda",
		"x: ", "x: int = ", "del", "del x.y[", "import", "from", "from . import", "from . import (a,)", "import a.", "f\"{", "f\"{x:", "f'{x!r:{y}}'",
		"'\\", "b'\\x", "'\\N{'", "0x", "0b", "1e", "1_", "00", "1__0", ".", "..", "...", "type X = int", "type", "yield", "\\", "\\\n", "\f\\\n x", "\t\\\n\tx",
		"@pytest.mark\ndef test_x(): pass", "import pytest\n@pytest.mark.container\ndef test_x(): pass",
		"import pytest\n@pytest.mark.parametrize\ndef test_x(): pass", "import pytest\n@pytest.mark.parametrize()\ndef test_x(): pass",
		"import pytest\n@pytest.mark.parametrize('')\ndef test_x(): pass", "import pytest\n@pytest.mark.parametrize('', [()])\ndef test_x(): pass",
		"import pytest\n@pytest.mark.parametrize('a', range(1, 2, 0))\ndef test_x(a): pass",
		"import pytest\n@pytest.mark.parametrize('a', [pytest.param()])\ndef test_x(a): pass",
		"import pytest\n@pytest.mark.parametrize('a', [1], ids=[*b])\ndef test_x(a): pass",
		"class TestX(TestX): pass", "class TestX:\n class TestX: pass\n def test_x(): pass", "test_x = test_x", "pytestmark = pytestmark",
	} {
		t.Run(src, func(t *testing.T) { checkScan(t, []byte(src)) })
	}
}
