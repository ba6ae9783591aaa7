package attack

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheDocumentationListsWhatIsTried compares the tables of the page with those of
// the tests, and sees that every test that the page names is one.
func TestTheDocumentationListsWhatIsTried(t *testing.T) {
	text, err := os.ReadFile("../../../docs/plugins/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	_, page, found := strings.Cut(string(text), "\n## What was tried\n")
	if !found {
		t.Fatal("the page has no such part")
	}
	tests := functions(t)
	for _, name := range regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(page, -1) {
		if _, known := tests[name]; !known {
			t.Errorf("there is no test %s", name)
		}
	}
	tables := 0
	for _, part := range strings.Split(page, "\n### ")[1:] {
		_, name, isTable := strings.Cut(strings.SplitN(part, "\n", 2)[0], ": ")
		if !isTable {
			continue
		}
		tables++
		got, want := cells(part), rows(tests[name])
		if strings.Contains(tests[name], "range refused()") {
			want = rows(tests["refused"])
		}
		if !slices.Equal(got, want) || len(want) < 5 {
			t.Errorf("%s: the page has\n%q\nand the test\n%q", name, got, want)
		}
	}
	if tables < 7 {
		t.Errorf("the page has %d tables", tables)
	}
	for name, body := range tests {
		attacks := strings.Contains(body, "newField(t)") || strings.Contains(body, "runAll(t") || strings.Contains(body, ".run(t)")
		if strings.HasPrefix(name, "Test") && attacks && name != t.Name() && !strings.Contains(page, name) {
			t.Errorf("the page does not name %s", name)
		}
	}
}

// functions are the functions of all tests of plugins, by name.
func functions(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	for _, dir := range []string{"../../../host/plugin/*", "../../../host/hook"} {
		more, failed := filepath.Glob(dir + "/*_test.go")
		if files = append(files, more...); failed != nil {
			err = failed
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "\nfunc ")[1:] {
			name, body, _ := strings.Cut(part, "(")
			all[name] = body
		}
	}
	return all
}

// rows are the names in the table of a test, sorted: each stands at the beginning of a line.
func rows(body string) []string {
	names := []string{}
	for _, m := range regexp.MustCompile(`(?m)^\t\t"([^"]+)":\s`).FindAllStringSubmatch(body, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

// cells are the first column of a table of the page, sorted.
func cells(part string) []string {
	names := []string{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|]+?) \|`).FindAllStringSubmatch(part, -1) {
		if m[1] != "attack" {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return names
}
