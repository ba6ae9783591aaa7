package confine

import (
	"os"
	"slices"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// calls are the system calls of Go's runtime, of reading files and of talking
// over what is open already. Some exist on some processors only.
var calls = []string{
	"read", "readv", "pread64", "write", "writev", "close", "lseek", "fcntl", "fstat", "newfstatat", "statx",
	"getdents64", "readlinkat", "pipe2", "recvmsg", "sendmsg", "recvfrom", "sendto", "shutdown",
	"mmap", "munmap", "mprotect", "madvise", "mremap", "brk", "mincore",
	"futex", "sched_yield", "sched_getaffinity", "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "restart_syscall",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "poll", "ppoll",
	"getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getrandom", "uname", "set_robust_list", "rseq",
	"exit", "exit_group",
}

// writingCalls are what it takes to keep files in a directory.
var writingCalls = []string{
	"openat", "pwrite64", "mkdirat", "renameat", "renameat2", "unlinkat", "fsync", "fdatasync", "ftruncate", "fchmod", "fchmodat",
}

// writing are the flags of an open that can change something.
const writing = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC | unix.O_APPEND

// restrictCalls has the kernel answer all other system calls with EPERM.
func (r Rules) restrictCalls(f *Facts) error {
	if !seccomp.Supported() {
		return landlocksys.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	here, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	allowed := seccomp.SyscallGroup{Action: seccomp.ActionAllow, NamesWithCondtions: []seccomp.NameWithConditions{
		only("clone", 0, seccomp.BitsSet, unix.CLONE_THREAD),
		only("tgkill", 0, seccomp.Equal, uint64(os.Getpid())), // how Go interrupts its own threads
		only("prlimit64", 0, seccomp.Equal, 0),
	}}
	names := slices.Clone(calls)
	if f.Landlock > 0 {
		names = append(names, "openat2") // whose flags a filter cannot see
	}
	if r.Write != "" {
		names = append(names, writingCalls...)
	} else {
		// Why here as well: Landlock is not everywhere, and files may belong to the user.
		allowed.NamesWithCondtions = append(allowed.NamesWithCondtions, only("openat", 2, seccomp.BitsNotSet, writing))
	}
	allowed.Names = slices.DeleteFunc(names, func(name string) bool { _, known := here.SyscallNames[name]; return !known })
	f.Seccomp = true
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy:     seccomp.Policy{DefaultAction: seccomp.ActionErrno, Syscalls: []seccomp.SyscallGroup{allowed}},
	})
}

// only allows a system call if one of its arguments is right.
func only(name string, argument uint32, operation seccomp.Operation, value uint64) seccomp.NameWithConditions {
	return seccomp.NameWithConditions{Name: name, Conditions: seccomp.ArgumentConditions{{Argument: argument, Operation: operation, Value: value}}}
}
