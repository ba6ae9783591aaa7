package agent

import "golang.org/x/sys/unix"

// architectures are the programs that run here: 64 and 32 bits.
var architectures = []calls{{
	arch:   unix.AUDIT_ARCH_AARCH64,
	denied: native,
	clone:  unix.SYS_CLONE, clone3: unix.SYS_CLONE3,
}, {
	// mount, umount2, sethostname, syslog, setdomainname, quotactl, pivot_root, lookup_dcookie,
	// unshare, perf_event_open, fanotify_init, setns, bpf, then the mount calls
	// of Linux 5.2 and later, which are the same everywhere.
	arch:   unix.AUDIT_ARCH_ARM,
	denied: []uint32{21, 52, 74, 103, 121, 131, 218, 249, 337, 364, 367, 375, 386, 428, 429, 430, 431, 432, 433, 442, 443},
	clone:  120, clone3: 435,
}}
