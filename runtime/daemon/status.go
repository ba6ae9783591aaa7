package daemon

import (
	"time"

	"github.com/wr-build/wr/runtime/spec"
)

// Status says how an engine is. It is what `wr engine status --json` prints.
type Status struct {
	Version    string      `json:"version"`  // of the wr that runs as engine
	Protocol   int         `json:"protocol"` // of its API
	PID        int         `json:"pid"`
	Since      time.Time   `json:"since"`
	How        string      `json:"how"` // "started": wr's own engine; "found": one of the machine
	Why        string      `json:"why"` // why that one
	StateDir   string      `json:"stateDir"`
	RunDir     string      `json:"runDir"`
	Sockets    Sockets     `json:"sockets"`
	Containerd string      `json:"containerd"`        // version
	BuildKit   string      `json:"buildkit"`          // version
	StateSize  int64       `json:"stateSize"`         // bytes on disk below StateDir
	Partial    bool        `json:"partial,omitempty"` // StateSize is at least that: counting took too long
	Memory     int64       `json:"memory"`            // resident bytes of the engine
	Cgroups    Cgroups     `json:"cgroups"`
	Helpers    Helpers     `json:"helpers"`
	Builds     int         `json:"builds"` // going on
	Containers []Container `json:"containers"`
	Warnings   []string    `json:"warnings,omitempty"`
}

// Sockets are where an engine can be reached.
type Sockets struct {
	API        string `json:"api"`
	Containerd string `json:"containerd"`
	BuildKit   string `json:"buildkit"`
}

// Cgroups say which limits can be set.
type Cgroups struct {
	Mode        string   `json:"mode"` // v1, hybrid, v2 or none
	Controllers []string `json:"controllers"`
}

// Helpers are the programs that the engine needs beside itself.
type Helpers struct {
	Shim  Helper `json:"shim"`  // keeps a container without the engine
	Runc  Helper `json:"runc"`  // starts containers
	Agent Helper `json:"agent"` // first process of every container
}

// Helper is one of them.
type Helper struct {
	Path    string `json:"path"`
	Version string `json:"version,omitempty"`
	Source  string `json:"source"` // "embedded" in this build of wr, or found on the "path"
}

// Container is a container that is in use or kept.
type Container struct {
	ID        string    `json:"id"`
	Workspace string    `json:"workspace,omitempty"` // label wr.workspace
	Project   string    `json:"project,omitempty"`   // label wr.project
	Container string    `json:"container,omitempty"` // label wr.image: the entry of [images] whose image it has, of tests of the project
	Run       string    `json:"run,omitempty"`       // label wr.run
	Image     string    `json:"image"`
	Role      spec.Role `json:"role,omitempty"`     // "" = used once
	Users     int       `json:"users"`              // clients that use it now
	Used      time.Time `json:"used,omitzero"`      // when the last of them left
	Commands  []string  `json:"commands,omitempty"` // that run in it; not in a Status
	Owner     int       `json:"owner"`              // pid of the process it was made for
	UID       int       `json:"uid"`                // of that process
	Since     time.Time `json:"since"`
}
