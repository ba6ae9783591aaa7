package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// self is this program, even if another one has taken its place by now.
func self() string { return "/proc/self/exe" }

// attributes keep the signals of a terminal from the child, and have it end with
// the thread that starts it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// directory is a path of a directory that was handed over. Why not its name: it
// may lie where only somebody else can go.
func directory(f *os.File, _ string) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// closeInherited closes what the child got by accident: what is open behind the
// control channel and was meant to outlive the start of a program. What Go opens
// for itself is not.
func closeInherited() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= controlFD {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd)
		}
	}
	return nil
}

// outOfMemory says whether these are the last words of a Go program that was
// refused memory.
func outOfMemory(log []byte) bool {
	return bytes.Contains(log, []byte("out of memory")) || bytes.Contains(log, []byte("cannot allocate memory"))
}

// residentPeak is how much memory a process has had at most, in bytes; 0 where it
// is gone. Why not what the kernel says at its end (ru_maxrss): that counts what the
// process that started it had.
func residentPeak(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(text, []byte("\nVmHWM:"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	kilobytes, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(line, []byte("kB")))), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}

// owner is who may read a directory as if it were theirs.
func owner(f *os.File) (user, group int, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	stat := info.Sys().(*syscall.Stat_t)
	return int(stat.Uid), int(stat.Gid), nil
}
