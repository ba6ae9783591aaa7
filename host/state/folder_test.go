package state_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
)

// What ran in a container can have put anything in the place of a file.
func TestReopenTakesNothingButAFile(t *testing.T) {
	dir := t.TempDir()
	f, err := state.Open(dir, spec.Owner{UID: os.Getuid(), GID: os.Getgid()})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := errors.Join(f.Write("file", []byte("text")), f.Symlink("file", "link"), f.Mkdir("dir", 0o755), syscall.Mkfifo(filepath.Join(state.Path(dir), "pipe"), 0o644)); err != nil {
		t.Fatal(err)
	}
	file, err := f.Reopen("file", os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(file); string(text) != "text" {
		t.Errorf("read %q: %v", text, err)
	}
	_ = file.Close()
	for _, name := range []string{"link", "dir", "pipe", "nothing"} {
		if file, err := f.Reopen(name, os.O_RDONLY); err == nil {
			t.Errorf("%s was opened", name)
			_ = file.Close()
		}
	}
}
