package spec

// Rights are what a container may do besides what all may. The zero value is
// nothing.
type Rights struct {
	Privileged   bool     `json:"privileged,omitempty"`   // all capabilities and devices, no filter of system calls
	Capabilities []string `json:"capabilities,omitempty"` // of root, such as CAP_NET_ADMIN
	Devices      []Device `json:"devices,omitempty"`
}

// Device is a device of this machine in a container. It belongs to the user
// that processes run as.
type Device struct {
	Source string `json:"source"` // host path; a directory stands for all devices below it
	Target string `json:"target"` // container path
	Access string `json:"access"` // some of r, w and m: read, write, make the node
}

// None reports whether r is nothing.
func (r Rights) None() bool { return !r.Privileged && len(r.Capabilities)+len(r.Devices) == 0 }
