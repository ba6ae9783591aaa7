package fault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestAFullDiskHasAFaultOfItsOwn(t *testing.T) {
	cases := map[string]struct {
		err  error
		path string
		want string // in the message; "" = it is not about the disk
	}{
		"errno":                    {fmt.Errorf("write log: %w", syscall.ENOSPC), "", "the disk is full: write log: no space left on device"},
		"a quota":                  {fmt.Errorf("write log: %w", syscall.EDQUOT), "", "the disk quota is used up: write log: "},
		"words of another process": {errors.New("rpc error: desc = write /x: no space left on device"), "", "the disk is full: rpc error"},
		"words of C":               {errors.New("cp: No space left on device"), "", "the disk is full: cp"},
		"a path that is given":     {syscall.ENOSPC, "/proc/self/status", "the disk is full on the file system at /proc: "},
		"a path that is gone":      {syscall.ENOSPC, "/proc/self/gone/deeper", "on the file system at /proc: "},
		"a path in the error":      {&fs.PathError{Op: "write", Path: "/proc/self/x", Err: syscall.ENOSPC}, "", "on the file system at /proc: "},
		"the root":                 {syscall.ENOSPC, "/", "on the file system at /: "},
		"something else":           {fs.ErrPermission, "/", ""},
		"nothing":                  {nil, "/", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := fault.Disk(c.err, c.path)
			if c.want == "" {
				if f != nil {
					t.Fatalf("got %v, want none", f)
				}
				return
			}
			if f == nil || f.Code != fault.DiskFull || !strings.Contains(f.Message, c.want) || !strings.HasPrefix(f.Next, "free ") || !errors.Is(f, c.err) {
				t.Errorf("got %+v, want %q", f, c.want)
			}
		})
	}
}

func TestAnyErrorOfAFullDiskIsThatFault(t *testing.T) {
	if f := fault.Of(fmt.Errorf("make x: %w", syscall.ENOSPC)); f.Code != fault.DiskFull || f.Class != fault.Environment {
		t.Errorf("got %+v", f)
	}
	own := &fault.Error{Code: "image.build_failed", Message: "no space left on device"}
	if f := fault.Of(own); f != own {
		t.Errorf("a fault that was made with care became %+v", f)
	}
}
