package report_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wr-build/wr/host/report"
)

func TestARunIsReadFromARegularFileOnly(t *testing.T) {
	dir := t.TempDir()
	events := filepath.Join(dir, "events.jsonl")
	if err := os.WriteFile(events, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	link, pipe := filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	if err := os.Symlink(events, link); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := report.Load(events); err != nil {
		t.Error(err)
	}
	for _, path := range []string{link, pipe, dir} {
		if _, err := report.Load(path); err == nil {
			t.Errorf("%s was read", filepath.Base(path))
		}
	}
}
