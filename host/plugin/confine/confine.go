// Package confine has a process give up, for good, what it does not need: user,
// privileges, files, address space, system calls. It is for processes that run
// what nobody trusts; the process itself, all of its threads, is confined and
// cannot undo it.
//
// What the system lacks is left out and told by Facts; what it has and refuses is
// an error, after which the process must not go on.
package confine

// Rules say what a process keeps.
type Rules struct {
	Read  []string // directories: what is below them may be read
	Write string   // a directory: what is below it may be read, written and removed; "" = none
	// User is whom to become, with only that group, if the process is root. To
	// stay root (0) means root without a single capability.
	User, Group int
	Address     uint64 // bytes of address space beyond what the process has now
	Files       uint64 // open files
	FileSize    uint64 // bytes of a file that is written; 0 with Write = ""
}

// Facts are what holds in a process that is confined.
type Facts struct {
	User     int    `json:"user"`     // whom it runs as
	Landlock int    `json:"landlock"` // version of Landlock that keeps it from other files; 0 = none
	Seccomp  bool   `json:"seccomp"`  // only named system calls: no sockets, no other programs
	Address  uint64 `json:"address"`  // bytes of address space in all; 0 = unlimited
}

// Lacking names what a process here could not be confined by, as Facts.Lacking does
// of one that is.
func Lacking() []string { return here().Lacking() }

// Lacking names what this system does not have, in the words of its documentation.
func (f Facts) Lacking() []string {
	var lacking []string
	if f.Landlock == 0 {
		lacking = append(lacking, "landlock")
	}
	if !f.Seccomp {
		lacking = append(lacking, "seccomp")
	}
	if f.Address == 0 {
		lacking = append(lacking, "RLIMIT_AS")
	}
	return lacking
}
