package plan

import (
	"slices"

	"github.com/wr-build/wr/runtime/spec"
)

// Grant is what a project's [rights] come to on this machine.
type Grant struct {
	Rights spec.Rights
	Mounts []spec.Mount // of this machine's files
	Own    []spec.Mount // of the caller's credentials, never for tests
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
