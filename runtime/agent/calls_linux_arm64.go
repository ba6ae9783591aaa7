package agent

import "golang.org/x/sys/unix"

// architectures are the programs that run here: 64 and 32 bits.
var architectures = []calls{{
	arch: unix.AUDIT_ARCH_AARCH64,
	denied: []uint32{
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_SETNS, unix.SYS_UNSHARE,
		unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT,
		unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN,
		unix.SYS_FANOTIFY_INIT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_SETHOSTNAME,
		unix.SYS_SETDOMAINNAME, unix.SYS_SYSLOG, unix.SYS_LOOKUP_DCOOKIE,
	},
	clone: unix.SYS_CLONE, clone3: unix.SYS_CLONE3,
}, {
	// mount, umount2, sethostname, syslog, setdomainname, quotactl, pivot_root, lookup_dcookie,
	// unshare, perf_event_open, fanotify_init, setns, bpf, then the mount calls
	// of Linux 5.2 and later, which are the same everywhere.
	arch:   unix.AUDIT_ARCH_ARM,
	denied: []uint32{21, 52, 74, 103, 121, 131, 218, 249, 337, 364, 367, 375, 386, 428, 429, 430, 431, 432, 433, 442, 443},
	clone:  120, clone3: 435,
}}
