package agent

import "golang.org/x/sys/unix"

// architectures are the programs that run here: 64 and 32 bits.
var architectures = []calls{{
	arch:   unix.AUDIT_ARCH_X86_64,
	above:  0x40000000,
	denied: native,
	clone:  unix.SYS_CLONE, clone3: unix.SYS_CLONE3,
}, {
	// mount, umount, umount2, sethostname, syslog, setdomainname, quotactl,
	// pivot_root, lookup_dcookie, unshare, perf_event_open, fanotify_init, setns, bpf, then the
	// mount calls of Linux 5.2 and later, which are the same everywhere.
	arch:   unix.AUDIT_ARCH_I386,
	denied: []uint32{21, 22, 52, 74, 103, 121, 131, 217, 253, 310, 336, 338, 346, 357, 428, 429, 430, 431, 432, 433, 442, 443},
	clone:  120, clone3: 435,
}}
