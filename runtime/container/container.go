// Package container makes, connects to and removes containers. Each has the
// resident agent as first process and is made through containerd's task API;
// whoever holds the agent's socket runs commands in it.
//
// Everything it makes carries labels that name the container and the process
// it was made for, so that Reap finds what a crash left behind and touches
// nothing that it did not make. A Manager is safe for concurrent use.
package container

import (
	"path"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/client"

	"github.com/wr-build/wr/runtime/spec"
)

// Labels on the containers, snapshots and leases of wr.
const (
	LabelContainer = "wr.container" // id of the container an object belongs to
	LabelOwner     = "wr.owner"     // pid:starttime of the process it was made for
	LabelCaller    = "wr.caller"    // uid of the user it was made for
	LabelRole      = "wr.role"      // spec.Role of a container that is kept
)

// Paths inside a container.
const (
	socketDir  = spec.Internal + "/sock"
	socketName = "agent"
)

// Config is what a Manager works with. All paths are absolute host paths.
type Config struct {
	Client *client.Client // its default namespace is the one used
	Shim   string         // containerd-shim-runc-v2
	Runc   string         // OCI runtime
	Agent  string         // wr-agent, mounted into every container

	Files    string // holds a directory for each container
	Mounts   string // holds idmapped mounts while a container is made
	RuncRoot string // state of the OCI runtime
	Shims    string // where shims have their sockets; "" when containerd was not told
	Address  string // containerd's socket, which is part of the names of those

	CgroupParent string   // prefix of every container's cgroupsPath
	Controllers  []string // usable cgroup controllers; nil when unknown
	// Ungroup removes the control groups of a container that has ended, by their
	// name below CgroupParent; nil = the OCI runtime alone does.
	Ungroup func(name string) error
	Now     func() time.Time
}

// Owner is the process for which a container is made, and its user.
type Owner struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks after boot; tells a reused pid apart
	UID   int    `json:"uid"`
}

// Identity is who a container's commands run as, and where, and which is its own.
type Identity struct {
	UID    int    `json:"uid"`
	GID    int    `json:"gid"`
	Groups []int  `json:"groups,omitempty"` // supplementary
	Name   string `json:"name"`
	Home   string `json:"home"`
	Dir    string `json:"dir"` // the image's working directory
	// Command is the image's CMD.
	Command []string `json:"command,omitempty"`
}

// home begins container paths in the home directory of the user inside.
const home = "~/"

// at is the container path that target stands for.
func (i Identity) at(target string) string {
	if below, ok := strings.CutPrefix(target, home); ok {
		return path.Join(i.Home, below)
	}
	return target
}

// Container is one container.
type Container struct {
	ID       string            `json:"id"` // 32 hexadecimal digits
	Image    string            `json:"image"`
	Owner    Owner             `json:"owner"`
	Labels   map[string]string `json:"labels,omitempty"`
	Created  time.Time         `json:"created"`
	PID      int               `json:"pid,omitempty"` // of the agent, on the host
	Identity Identity          `json:"identity,omitzero"`
	// Entrypoint is the image's.
	Entrypoint []string `json:"entrypoint,omitempty"`
	Ended      bool     `json:"ended,omitempty"` // no process of it is left; it is being removed
}
