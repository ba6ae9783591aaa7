package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
)

// write writes a file of a workspace.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lay writes files, named relative to dir.
func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		write(t, dir, name, content)
	}
}

// lastReport is what the newest run in dir recorded.
func lastReport(t *testing.T, dir string) *report.Run {
	t.Helper()
	latest, ok := testrun.Latest(dir)
	if !ok {
		t.Fatal("there is no run")
	}
	r, err := report.Load(filepath.Join(latest.Path, testrun.EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
