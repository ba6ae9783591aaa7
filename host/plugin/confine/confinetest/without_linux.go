package confinetest

import (
	"fmt"

	"github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
)

// answers are what kernels say to system calls that they do not know, and what
// containers say whose filter does not let them through.
var answers = map[string]unix.Errno{
	"landlock": unix.ENOSYS, "landlock-filtered": unix.EPERM,
	"seccomp": unix.ENOSYS, "seccomp-filtered": unix.EPERM,
	"openat2": unix.ENOSYS, "openat2-filtered": unix.EPERM,
}

// calls are the system calls of each.
func calls(name string) []seccomp.NameWithConditions {
	switch name {
	case "landlock", "landlock-filtered":
		return []seccomp.NameWithConditions{{Name: "landlock_create_ruleset"}, {Name: "landlock_add_rule"}, {Name: "landlock_restrict_self"}}
	case "seccomp", "seccomp-filtered":
		set := seccomp.ArgumentConditions{{Argument: 0, Operation: seccomp.Equal, Value: unix.PR_SET_SECCOMP}}
		return []seccomp.NameWithConditions{{Name: "seccomp"}, {Name: "prctl", Conditions: set}}
	}
	return []seccomp.NameWithConditions{{Name: "openat2"}}
}

// Without has the calling process, and all that it starts, do without some of what
// a kernel may have: landlock, seccomp or openat2, each also as -filtered.
func Without(names ...string) error {
	var groups []seccomp.SyscallGroup
	for _, name := range names {
		errno, known := answers[name]
		if !known {
			return fmt.Errorf("nobody knows how to do without %q", name)
		}
		for _, c := range calls(name) {
			g := seccomp.SyscallGroup{Action: seccomp.ActionErrno | seccomp.Action(errno)}
			if g.NamesWithCondtions = []seccomp.NameWithConditions{c}; c.Conditions == nil {
				g.Names, g.NamesWithCondtions = []string{c.Name}, nil
			}
			groups = append(groups, g)
		}
	}
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true, Flag: seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: groups},
	})
}
