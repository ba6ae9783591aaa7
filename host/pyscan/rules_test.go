package pyscan_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/pyscan"
)

// ask has Python answer questions; see testdata/rules.py.
func ask[T any](t *testing.T, questions [][]string) []T {
	t.Helper()
	var input strings.Builder
	encoder := json.NewEncoder(&input)
	for _, q := range questions {
		if err := encoder.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), python(t), "testdata/rules.py")
	cmd.Stdin, cmd.Stderr = strings.NewReader(input.String()), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("this test compares with Python and iniconfig (apt-get install python3-pytest): %v", err)
	}
	answers := make([]T, len(questions))
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for i := range answers {
		if err := decoder.Decode(&answers[i]); err != nil {
			t.Fatal(err)
		}
	}
	return answers
}

func TestGlobsMatchAsInPython(t *testing.T) {
	patterns := []string{
		"*", "test_*.py", "*_test", "a?c", "[ab]*", "[!ab]*", "[a-c]x", "[]x]", "[!]x]", "[x", "[", "[]", "[!]", "[a-]", "[-a]",
		"[^a]", `[\]`, `a\b`, "a.c", "(a|b)", "**", "*a*b*", "{a,b}", "é?", "[é-ü]", "[[]", "[a[]", "", "a+", "$", "^a",
	}
	names := []string{"", "a", "b", "c", "x", "ax", "abc", "a/c", "test_x.py", "x_test", "]x", "]", "[", "[x", "-", "^", "!", `\`, `a\b`, "a.c", "aXc", "a\nc", "éa", "ö", "{a,b}", "[]", "aab", "$", "a+"}
	var questions [][]string
	for _, p := range patterns {
		for _, n := range names {
			questions = append(questions, []string{"fnmatch", p, n})
		}
	}
	for i, want := range ask[bool](t, questions) {
		if got := pyscan.Fnmatch(questions[i][1], questions[i][2]); got != want {
			t.Errorf("pattern %q, name %q: got %t", questions[i][1], questions[i][2], got)
		}
	}
}

func TestSectionsAreReadAsPytestReadsThem(t *testing.T) {
	texts := []string{
		"", "[a]\n", "[a]\nx=1\n", "[a]\nx = 1 # no comment\n; comment\n# comment\n  # indented comment\ny:2\n",
		"[a]\nx =\n  one\n  two\n\n  three\n", "[a]\nx = one\n  two\n[b]\nx = 'q' \"r\"\n", "[a]\nx=1\nx=2\n", "[a]\n[a]\n", "x=1\n", "  x\n",
		"[a]\n  x\n", "[a]\nno value\n", "[a]\nx = a:b\n", "[a]\nx:y = b\n", "[a] # comment\nx=1\n", "[a]b\n", "[a\n", "[]\n", "[ a ]\nx=1\n",
		"[a]\r\nx = 1\r\n", "[a]\n\tx = 1\n", "[a]\nx\n", "[a]\n= 1\n", "[a]\nx = %(y)s\n", "[tool:pytest]\na b = c = d\n",
		"[a]\nx = 1\n# c\n  2\n", "[a]\nx = 1\n[b\n", "[a]\nX = 1\nx = 2\n",
	}
	questions := make([][]string, len(texts))
	for i, text := range texts {
		questions[i] = []string{"ini", text}
	}
	for i, want := range ask[map[string]map[string]string](t, questions) {
		if got := pyscan.ParseIni(texts[i]); !reflect.DeepEqual(got, want) {
			t.Errorf("%q\ngot  %v\nwant %v", texts[i], got, want)
		}
	}
}

func TestNumbersAreWrittenAsInPython(t *testing.T) {
	literals := []string{
		"0", "00", "1", "1_000", "0x1F", "0XfF", "0o17", "0b101", "123456789012345678901234567890", "1.0", "1.", ".5", "1e3", "1E-3", "1e16",
		"1e15", "123456789012345680.0", "9999999999999999.0", "1e-4", "1e-5", "0.00012345", "1.5e300", "1e400", "5e-324", "1e22", "1e23",
		"0.1", "3.14159", "100000.0", "1_0.0_1", "0.0", "0e5",
	}
	questions := make([][]string, len(literals))
	for i, literal := range literals {
		questions[i] = []string{"repr", literal}
	}
	for i, want := range ask[string](t, questions) {
		if got := pyscan.Number(literals[i]); got != want {
			t.Errorf("%s: got %s, want %s", literals[i], got, want)
		}
	}
}
