package confine

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/landlock-lsm/go-landlock/landlock"
	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// here is what there is on this system. Limits of resources are everywhere.
func here() Facts {
	return Facts{Landlock: landlockVersion(), Seccomp: seccomp.Supported(), Address: math.MaxUint64}
}

// landlockVersion is 0 where the kernel, or the filter of a container, has none.
func landlockVersion() int {
	version, err := landlocksys.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return version
}

// Enter confines the calling process. Afterwards it ends together with the
// process that started it.
func Enter(r Rules) (Facts, error) {
	// Why: the death of the parent is told to one thread, which must not end.
	runtime.LockOSThread()
	var f Facts
	steps := []struct {
		what string
		do   func() error
	}{
		{"limit resources", func() error { return r.limit(&f) }},
		{"give up privileges", r.become},
		{"follow the parent", func() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0) }},
		{"restrict files", func() error { return r.restrictFiles(&f) }},
		{"restrict system calls", func() error { return r.restrictCalls(&f) }},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			return f, fmt.Errorf("%s: %w", s.what, err)
		}
	}
	f.User = os.Getuid()
	return f, nil
}

// limit sets the limits of resources that everyone may lower.
func (r Rules) limit(f *Facts) error {
	now, err := addressSpace()
	if err != nil {
		return err
	}
	f.Address = now + r.Address
	limits := []struct {
		name  string
		which int
		value uint64
	}{
		{"core", unix.RLIMIT_CORE, 0},
		{"open files", unix.RLIMIT_NOFILE, r.Files},
		{"file size", unix.RLIMIT_FSIZE, r.FileSize},
		{"address space", unix.RLIMIT_AS, f.Address},
	}
	for _, l := range limits {
		var old unix.Rlimit
		if err := unix.Getrlimit(l.which, &old); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		value := min(l.value, old.Max)
		if err := unix.Setrlimit(l.which, &unix.Rlimit{Cur: value, Max: value}); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return nil
}

// addressSpace is what the process has mapped or reserved, in bytes. Go reserves
// much more than it uses, so no fixed limit would be right.
func addressSpace() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseUint(strings.SplitN(string(text), " ", 2)[0], 10, 64)
	return pages * uint64(os.Getpagesize()), err
}

// become gives up root's user and capabilities.
func (r Rules) become() error {
	if os.Geteuid() != 0 {
		return nil
	}
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setresgid(r.Group, r.Group, r.Group), syscall.Setresuid(r.User, r.User, r.User)); err != nil {
		return err
	}
	if r.User != 0 {
		return nil // capabilities went with the user
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// restrictFiles has the kernel refuse files elsewhere, network, and signals and
// abstract sockets of others, as far as it knows how.
func (r Rules) restrictFiles(f *Facts) error {
	if f.Landlock = landlockVersion(); f.Landlock == 0 {
		return nil
	}
	rules := []landlock.Rule{landlock.RODirs(r.Read...)}
	if r.Write != "" {
		rules = append(rules, landlock.RWDirs(r.Write))
	}
	return landlock.V11.BestEffort().Restrict(rules...)
}
