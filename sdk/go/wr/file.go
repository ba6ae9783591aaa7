package wr

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Source is the workspace, as far as it is granted: names are the paths of the
// protocol. In a program that runs natively it is the current directory.
func Source() fs.FS {
	if runtime.GOOS != "wasip1" {
		return os.DirFS(".")
	}
	return os.DirFS(abi.Source)
}

// WriteFile makes a file below the workspace's root. The host writes it there when
// the request was answered without an error, and where that is granted. A program
// that runs natively finds it in the directory that WR_OUT names.
func WriteFile(path string, data []byte) error {
	dir := abi.Output
	if runtime.GOOS != "wasip1" {
		dir = os.Getenv("WR_OUT")
	}
	if dir == "" || !filepath.IsLocal(path) {
		return &fs.PathError{Op: "write", Path: path, Err: fs.ErrInvalid}
	}
	at := filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return os.WriteFile(at, data, 0o644)
}
