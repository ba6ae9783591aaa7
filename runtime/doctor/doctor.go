// Package doctor says whether this machine can run wr's containers, and what
// mends it where it cannot. Gather looks and starts nothing; what it has to
// make for a trial is gone when it returns. Examine judges what was seen and
// touches nothing, so every verdict can be tested without the machine for it.
package doctor

import (
	"fmt"
	"slices"

	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/helper"
)

// Level says how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warn    Level = "warn"    // something works less well, or only for some
	Problem Level = "problem" // containers do not run, or are not safe
)

// Check is one line of the diagnosis.
type Check struct {
	Name    string `json:"name"`
	Level   Level  `json:"level"`
	Finding string `json:"finding"`        // what is
	Mend    string `json:"mend,omitempty"` // the one command or step that mends it; "" when OK
}

// Usable reports whether no check is a Problem.
func Usable(checks []Check) bool {
	return !slices.ContainsFunc(checks, func(c Check) bool { return c.Level == Problem })
}

// Config says what Gather looks at.
type Config struct {
	Dirs      engine.Dirs
	Workspace string // absolute path of the workspace, or of where the user is
	UID       int    // of the caller
	Version   string // of this wr
	Program   string // absolute path of this wr
}

// Facts are what was seen of a machine.
type Facts struct {
	Config
	System  string // as GOOS
	Foreign error  // why this system has no engine; the rest is then unknown

	Kernel  string // release
	Cgroups engine.Cgroups
	// CgroupsErr is why the control groups could not be read.
	CgroupsErr error
	Systemd    bool  // systemd hands control groups out
	Overlay    error // nil: layers can be stacked below Dirs.State
	UserNS     error // nil: a user namespace can be made
	Mapped     []Mapped
	Helpers    []Program
	HelperErr  error // what is missing, may be several joined
	Engine     Engine
	Sockets    []Socket
	Disks      []Disk
}

// Engine is the engine of Dirs, if one runs.
type Engine struct {
	Status *daemon.Status // nil: none answers, for the reason of Err
	Hold   *engine.Hold   // who has its lock, when somebody has
	Err    error
}

// Mapped says whether owners of files can be mapped where a path lies.
type Mapped struct {
	What, Path string
	Type       string // of the file system
	Owner      int    // uid that owns Path
	Err        error  // nil: they can be
}

// Program is a helper and the version that it tells.
type Program struct {
	helper.Helper
	Version string
}

// Socket is a way to the engine that is there.
type Socket struct {
	Path     string
	UID, GID int
	Mode     uint32 // permission bits
}

// Disk is the room where a path lies.
type Disk struct {
	What, Path  string
	Free, Total uint64 // bytes; Free for ordinary users
	Kept        bool   // what the engine keeps takes of this room
}

// Examine judges the facts, in the order in which one would look.
func Examine(f Facts) []Check {
	if f.Foreign != nil {
		return []Check{fromFault("system", f.Foreign)}
	}
	checks := []Check{f.rights(), f.kernel(), f.cgroups(), f.overlay(), f.userns()}
	for _, m := range f.Mapped {
		checks = append(checks, f.mapped(m))
	}
	checks = append(checks, f.helpers()...)
	checks = append(checks, f.engine()...)
	for _, s := range f.Sockets {
		checks = append(checks, f.socket(s))
	}
	for _, d := range f.Disks {
		checks = append(checks, d.check())
	}
	return checks
}

func good(name, format string, args ...any) Check {
	return Check{Name: name, Level: OK, Finding: fmt.Sprintf(format, args...)}
}
