//go:build !linux

package sandbox

import (
	"bytes"
	"os"
	"syscall"
)

func self() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// directory is the path of a directory: here none can be opened through its
// descriptor.
func directory(_ *os.File, path string) string { return path }

// closeInherited has nothing to go by on this system.
func closeInherited() error { return nil }

func outOfMemory(log []byte) bool { return bytes.Contains(log, []byte("out of memory")) }

func residentPeak(int) int64 { return 0 }

func owner(*os.File) (user, group int, err error) { return os.Getuid(), os.Getgid(), nil }
