package inputs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/inputs"
)

func TestAFileIsDescribedByTypeModeAndContent(t *testing.T) {
	dir := t.TempDir()
	x := inputs.OpenIndex(filepath.Join(dir, "index"))
	file := filepath.Join(dir, "a")
	describe := func(mode os.FileMode, content string) string {
		t.Helper()
		if err := errors.Join(os.WriteFile(file, []byte(content), 0o600), os.Chmod(file, mode)); err != nil {
			t.Fatal(err)
		}
		text, err := x.Describe(file)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	plain := describe(0o644, "x")
	if other := describe(0o600, "x"); other != plain || !strings.HasPrefix(plain, "file ") {
		t.Errorf("with another umask %q, was %q", other, plain)
	}
	if other := describe(0o644, "y"); other == plain {
		t.Errorf("with other content it is still %q", other)
	}
	if other := describe(0o755, "x"); other != "exec "+strings.TrimPrefix(plain, "file ") {
		t.Errorf("as a program it is %q", other)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("a", link); err != nil {
		t.Fatal(err)
	}
	if text, err := x.Describe(link); err != nil || text != "link a" {
		t.Errorf("a link is %q, %v", text, err)
	}
	if _, err := x.Describe(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
}
