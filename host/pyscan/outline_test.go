package pyscan_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/pyscan"
)

// python returns an interpreter of this machine. A test that needs it fails
// without it: it would else pass where nothing was compared.
func python(t testing.TB) string {
	t.Helper()
	found, err := exec.LookPath("python3")
	if err != nil {
		t.Fatalf("this test compares with Python, which needs python3 on PATH (apt-get install python3): %v", err)
	}
	return found
}

// standardLibrary returns all Python files of the interpreter's library.
func standardLibrary(t testing.TB) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), python(t), "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))").Output()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	err = filepath.WalkDir(strings.TrimSpace(string(out)), func(name string, d fs.DirEntry, err error) error {
		if d.Name() == "site-packages" && os.Getenv("PYSCAN_ALL") == "" {
			return fs.SkipDir // what somebody installed
		}
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(name, ".py") && !strings.Contains(name, "\n") {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// outlines asks CPython for the outlines of files; nil is for what it refuses.
func outlines(t testing.TB, files []string) [][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python(t), "testdata/outline.py")
	cmd.Stdin = strings.NewReader(strings.Join(files, "\n") + "\n")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := make([][]string, 0, len(files))
	for line := range strings.Lines(string(out)) {
		var one []string
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if len(all) != len(files) {
		t.Fatalf("got %d outlines for %d files", len(all), len(files))
	}
	return all
}

func TestTheStandardLibraryIsReadAsCPythonReadsIt(t *testing.T) {
	files := standardLibrary(t)
	want := outlines(t, files)
	compared := 0
	for i, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pyscan.Outline(src)
		switch {
		case want[i] == nil:
			continue // Python refuses it as well
		case errors.Is(err, nil) && sameOutline(got, want[i]):
			compared++
		case err != nil:
			t.Errorf("%s: %v", file, err)
		default:
			t.Errorf("%s: %s", file, firstDifference(got, want[i]))
		}
	}
	if compared < 500 {
		t.Errorf("only %d files were compared: this is not a standard library", compared)
	}
	t.Logf("%d of %d files agree", compared, len(files))
}

// sameOutline compares the lines, whatever their order: a syntax tree has an
// if's test before its body and a decorator before the class around.
func sameOutline(got, want []string) bool {
	slices.Sort(got)
	slices.Sort(want)
	return slices.Equal(got, want)
}

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return "lacks " + want[i]
		case i >= len(want):
			return "has besides " + got[i]
		case got[i] != want[i]:
			return "has     " + got[i] + "\n" + strings.Repeat(" ", 16) + "not     " + want[i]
		}
	}
	return ""
}
