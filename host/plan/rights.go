package plan

import (
	"slices"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
)

// Grant is what a project's [rights] come to on this machine.
type Grant struct {
	Rights spec.Rights
	Mounts []spec.Mount // of this machine's files
	Own    []spec.Mount // of the caller's credentials, never for tests
	Absent []string     // names of credentials of which the caller has none
}

// Tests lists what tests have of g, for the record.
func (g Grant) Tests() []event.Right {
	var devices, mounts []string
	for _, d := range g.Rights.Devices {
		devices = append(devices, config.Device(d).String())
	}
	for _, m := range g.Mounts {
		mounts = append(mounts, m.Source+":"+m.Target)
	}
	all := []event.Right{{Kind: config.Capabilities, Names: g.Rights.Capabilities}, {Kind: config.Devices, Names: devices}, {Kind: config.Mounts, Names: mounts}}
	all = slices.DeleteFunc(all, func(r event.Right) bool { return len(r.Names) == 0 })
	if g.Rights.Privileged {
		all = slices.Insert(all, 0, event.Right{Kind: config.Privileged})
	}
	return all
}

// In returns c with what is granted: for a command of a person all of it.
// Tests that have rights get fresh containers, since what isolates runs in one
// that is kept takes such rights away.
func (g Grant) In(c spec.Container, person bool) spec.Container {
	c.Rights = g.Rights
	c.Mounts = slices.Concat(c.Mounts, g.Mounts)
	if person {
		c.Mounts = append(c.Mounts, g.Own...)
	}
	if c.Role == spec.RoleTest && !c.Rights.None() {
		c.Role = spec.RoleFresh
	}
	return c
}
