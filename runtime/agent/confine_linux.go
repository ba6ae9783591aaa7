package agent

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// ownCapabilities are the numbers of spec.IsolationCapabilities.
var ownCapabilities = []int{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP}

// bequeath has what this process executes keep ownCapabilities, and nothing
// that is executed once confine has taken them there. Why once and not as a
// part of confine: each step on all threads takes a moment of a run.
func bequeath() error {
	if err := changeOwn(func(set *unix.CapUserData, mask uint32) { set.Inheritable |= mask & set.Permitted }); err != nil {
		return fmt.Errorf("bequeath capabilities: %w", err)
	}
	for _, c := range ownCapabilities {
		_, _, errno := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(c), 0)
		if errno != 0 {
			return fmt.Errorf("bound capability %d: %w", c, errno)
		}
	}
	return nil
}

// confine takes from this process, for good, what the agent has and commands
// have not: after it, no more is allowed than in any other container of wr.
// It fails where the container has not got no_new_privs.
func confine() error {
	err := changeOwn(func(set *unix.CapUserData, mask uint32) {
		set.Effective, set.Permitted, set.Inheritable = set.Effective&^mask, set.Permitted&^mask, set.Inheritable&^mask
	})
	if err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	return filterCalls()
}

// changeOwn changes the sets of all threads, which are the same, for each of
// ownCapabilities: the one that mask stands for in set.
func changeOwn(change func(set *unix.CapUserData, mask uint32)) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return err
	}
	for _, c := range ownCapabilities {
		change(&sets[c/32], 1<<(c%32))
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets[0])), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// identity is a user and its groups.
type identity struct {
	UID, GID int
	Groups   []int
}

// Confined gives up the agent's own rights, becomes user and executes file with
// args. It returns only when that fails.
func Confined(user, file string, args []string) error {
	var who identity
	if err := json.Unmarshal([]byte(user), &who); err != nil {
		return err
	}
	if err := confine(); err != nil {
		return err
	}
	if err := who.become(); err != nil {
		return fmt.Errorf("become user %d: %w", who.UID, err)
	}
	return unix.Exec(file, args, os.Environ())
}

// become sets groups, group and user of all threads.
func (i identity) become() error {
	if err := syscall.Setgroups(i.Groups); err != nil {
		return err
	}
	if err := syscall.Setresgid(i.GID, i.GID, i.GID); err != nil {
		return err
	}
	return syscall.Setresuid(i.UID, i.UID, i.UID)
}

// namespaceFlags are those of clone(2) that make a namespace.
const namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER |
	unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWCGROUP

// calls are the system calls of one architecture, by number, that the
// container's own filter allows because the agent has CAP_SYS_ADMIN.
type calls struct {
	arch   uint32 // as in seccomp(2)
	denied []uint32
	clone  uint32 // denied with namespaceFlags
	clone3 uint32 // its flags cannot be seen, so programs are told to use clone
	above  uint32 // numbers from here on are of another kind (x32); 0 = there are none
}

// native are the denied calls by the numbers of the agent's own architecture.
var native = []uint32{
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_SETNS, unix.SYS_UNSHARE,
	unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT,
	unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN,
	unix.SYS_FANOTIFY_INIT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_SETHOSTNAME,
	unix.SYS_SETDOMAINNAME, unix.SYS_SYSLOG, unix.SYS_LOOKUP_DCOOKIE,
}

// filterCalls lets the kernel refuse those calls from now on, on all threads.
func filterCalls() error {
	program, err := bpf.Assemble(filter(architectures))
	if err != nil {
		return err
	}
	raw := make([]unix.SockFilter, len(program))
	for i, p := range program {
		raw[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(raw)), Filter: &raw[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog)))
	switch {
	case errno != 0:
		return fmt.Errorf("filter system calls: %w", errno)
	case thread != 0:
		return fmt.Errorf("filter system calls: thread %d has other filters", thread)
	}
	return nil
}

// Results of a filter, see seccomp(2).
const (
	allow   = unix.SECCOMP_RET_ALLOW
	refuse  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	unknown = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
)

// Offsets in struct seccomp_data.
const (
	offNumber   = 0
	offArch     = 4
	offFirstArg = 16 // its lower half, on the little-endian machines there are
)

// filter is the program that judges one call. A call of an architecture that
// is not listed is refused.
func filter(all []calls) []bpf.Instruction {
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: offArch, Size: 4}}
	for _, c := range all {
		body := c.filter()
		program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: c.arch, SkipTrue: uint8(len(body))})
		program = append(program, body...)
	}
	return append(program, bpf.RetConstant{Val: refuse})
}

// filter judges a call of one architecture; it always returns.
func (c calls) filter() []bpf.Instruction {
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: offNumber, Size: 4}}
	answer := func(cond bpf.JumpTest, number, result uint32) {
		program = append(program, bpf.JumpIf{Cond: cond, Val: number, SkipFalse: 1}, bpf.RetConstant{Val: result})
	}
	if c.above > 0 {
		answer(bpf.JumpGreaterOrEqual, c.above, unknown)
	}
	answer(bpf.JumpEqual, c.clone3, unknown)
	for _, number := range slices.Sorted(slices.Values(c.denied)) {
		answer(bpf.JumpEqual, number, refuse)
	}
	return append(program,
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: c.clone, SkipTrue: 3},
		bpf.LoadAbsolute{Off: offFirstArg, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: namespaceFlags, SkipTrue: 1},
		bpf.RetConstant{Val: refuse},
		bpf.RetConstant{Val: allow},
	)
}
