package abi

import "strings"

// Request is a capability that a plugin asks for, and why.
type Request struct {
	Capability
	Reason string `json:"reason" toml:"reason"` // for who grants it; never empty
}

// Capability is something that a plugin may do. The list of names is closed.
type Capability struct {
	Name  string `json:"name"            toml:"name"`
	Value string `json:"value,omitempty" toml:"value"` // what of it: a glob, a host, a program
}

// The capabilities, and what their values are.
const (
	CapRead   = "fs.read" // a glob below the root: "**/*.sh". What looks like a secret has to be named without wildcards
	CapOut    = "fs.out"  // a directory below the root, into which files of Output go when a call succeeds
	CapExec   = "exec"    // a program in the project's own container, "ruff", or in that of another: "ruff@tools/lint"
	CapHTTP   = "http"    // a method and an origin: "GET https://api.example.com", "POST https://example.com:8443"
	CapSecret = "secret"  // the secret's name
	CapGit    = "git"     // facts of the repository; no value
	CapCache  = "cache"   // a store of its own; no value
	CapClock  = "clock"   // the real time, not a frozen one; no value
	CapRandom = "random"  // real randomness, not a seeded one; no value
)

// String is the form of grants: "fs.read:**/*.sh", "git".
func (c Capability) String() string {
	if c.Value == "" {
		return c.Name
	}
	return c.Name + ":" + c.Value
}

// ParseCapability reads what String has written. It does not judge it.
func ParseCapability(text string) Capability {
	name, value, _ := strings.Cut(text, ":")
	return Capability{Name: name, Value: value}
}
