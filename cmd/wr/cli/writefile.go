package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// writeFile makes the file at path, which a person has named, of what fill
// writes: whole or not at all, but into what is there and is no file, as a pipe
// or a device.
func writeFile(path string, fill func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return writeInto(path, fill)
	}
	dir, err := state.Root(filepath.Dir(path), spec.Owner{UID: os.Getuid(), GID: os.Getgid()})
	if err != nil {
		return cannotWrite(path, err)
	}
	defer dir.Close()
	err = dir.Replace(filepath.Base(path), func(f *os.File) error { return fill(f) })
	return cannotWrite(path, err)
}

func writeInto(path string, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return cannotWrite(path, err)
	}
	return cannotWrite(path, firstError(fill(f), f.Close()))
}

// cannotWrite is the fault of a file that could not be written; nil if it was.
func cannotWrite(path string, err error) error {
	if err == nil {
		return nil
	}
	if f := fault.Disk(err, path); f != nil {
		return f
	}
	return &fault.Error{Code: "file.not_written", Message: fmt.Sprintf("cannot write %s: %v", path, err), Err: err, Next: "name another file"}
}
