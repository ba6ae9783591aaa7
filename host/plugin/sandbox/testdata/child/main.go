// Command child is `wr plugin host` for tests: its tree shows the root without
// more ado, and tells what the process itself could do.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/experimental/sysfs"

	"github.com/wr-build/wr/host/plugin/sandbox"
)

func main() {
	if err := sandbox.Serve(context.Background(), mount); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// config is what tests ask for.
type config struct {
	Engine string // path of a socket
	Secret string // path of a file that must not be read
	Root   string // path of the root
}

type tree struct {
	root   *os.Root
	config config
	told   int
}

func mount(root *os.Root, text json.RawMessage) (sandbox.Tree, error) {
	t := &tree{root: root}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &t.config); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *tree) FS() sys.FS {
	if t.root == nil {
		return sys.UnimplementedFS{}
	}
	return &sysfs.ReadFS{FS: &sysfs.AdaptFS{FS: t.root.FS()}}
}

func (t *tree) Close() error       { return nil }
func (t *tree) Exceeded() string   { return "" }
func (t *tree) Read() (int, int64) { return 7, 70 }

// Notes is an odd number of calls, and then nothing.
func (t *tree) Notes() []byte {
	if t.told++; t.told%2 == 0 {
		return nil
	}
	return []byte(strconv.Itoa(t.told))
}

// Take tells what works that must not, or must.
func (t *tree) Take(w io.Writer) error {
	tries := map[string]func() error{
		"read the root":    func() error { _, err := t.root.ReadFile("file"); return err },
		"write the root":   func() error { return t.root.WriteFile("new", nil, 0o600) },
		"append to a file": func() error { f, err := t.root.OpenFile("file", os.O_APPEND|os.O_WRONLY, 0); closeFile(f); return err },
		"remove a file":    func() error { return t.root.Remove("file") },
		"make a directory": func() error { return os.Mkdir(filepath.Join(t.config.Root, "dir"), 0o700) },
		"read a secret":    func() error { _, err := os.ReadFile(t.config.Secret); return err },
		"list /":           func() error { _, err := os.ReadDir("/"); return err },
		"connect":          func() error { _, err := net.Dial("unix", t.config.Engine); return err },
		"listen":           func() error { _, err := net.Listen("tcp", "127.0.0.1:0"); return err },
		"run a program":    func() error { return syscall.Exec("/bin/true", []string{"true"}, nil) },
		"fork":             fork,
		"trace":            func() error { return syscall.PtraceAttach(os.Getppid()) },
		"signal":           func() error { return syscall.Kill(os.Getppid(), 0) },
		"become root":      func() error { return syscall.Setuid(0) },
		"change directory": func() error { return os.Chdir("/tmp") },
	}
	result := map[string]any{}
	for what, try := range tries {
		result[what] = "works"
		if err := try(); err != nil {
			result[what] = err.Error()
		}
	}
	result["environment"] = strings.Join(os.Environ(), " ")
	result["open"] = descriptors()
	return json.NewEncoder(w).Encode(result)
}

// fork makes a process that ends at once.
func fork() error {
	pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return nil
}

func closeFile(f *os.File) {
	if f != nil {
		f.Close()
	}
}

// descriptors are the open ones below 100. Why not by /proc: it is out of reach.
func descriptors() []int {
	var open []int
	for fd := range 100 {
		if _, _, err := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0); err == 0 {
			open = append(open, fd)
		}
	}
	return open
}
