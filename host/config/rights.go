package config

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Rights is the table [rights]: what a project's containers may do and see
// besides what all containers may. Nothing of it is there by default, and none
// of it is another project's.
type Rights struct {
	Reason       string                `toml:"reason" doc:"Why the project has them, in words for whoever reviews it. Shown wherever the rights are."`
	Privileged   bool                  `toml:"privileged" doc:"All capabilities and devices, no filter of system calls: whoever runs something there is root of this machine."`
	Capabilities []string              `toml:"capabilities" doc:"Capabilities that root has in the container besides the usual ones, such as NET_ADMIN or SYS_PTRACE. With the network host, which commands have by default, NET_ADMIN is over the network of this machine."`
	Devices      []Device              `toml:"devices" doc:"Devices of this machine, such as /dev/fuse, or /dev/kvm:/dev/kvm:rw with the path inside and what may be done: r, w, m."`
	Mounts       map[string]RightMount `toml:"mounts" doc:"Files and directories of this machine, by their absolute path in the container."`
	SSHAgent     bool                  `toml:"ssh_agent" doc:"The caller's SSH agent, for as long as a command of wr exec, shell or run lasts. Never for notebooks and never for tests."`
	Credentials  []string              `toml:"credentials" doc:"Credentials of the caller, read only, in the home directory inside, for wr exec, shell, run and notebook: aws, docker, gcloud, git, kube, netrc, npm, pypi or ssh. Never for tests."`
}

// RightMount is one table [rights.mounts."PATH"].
type RightMount struct {
	Source   string `toml:"source" doc:"Absolute path on this machine; ~/ is the caller's home directory."`
	Write    bool   `toml:"write" doc:"Let containers write to it. Default: they read only."`
	Optional bool   `toml:"optional" doc:"Go without it where it does not exist. Default: that is an error."`
}

// Device is a device of this machine, written as SOURCE[:TARGET[:ACCESS]].
type Device struct {
	Source string // host path
	Target string // container path
	Access string // some of r, w and m: read, write, make the node
}

func (*Device) forms() []reflect.Type { return []reflect.Type{textForm} }

func (d *Device) plain() any { return d.String() }

// read reads the written form.
func (d *Device) read(form any) error {
	text := form.(string)
	parts := strings.Split(text, ":")
	for len(parts) < 3 {
		parts = append(parts, "")
	}
	*d = Device{Source: parts[0], Target: parts[1], Access: parts[2]}
	if d.Target == "" {
		d.Target = d.Source
	}
	if d.Access == "" {
		d.Access = "rwm"
	}
	switch {
	case len(parts) > 3:
		return fmt.Errorf("%q is not SOURCE:TARGET:ACCESS", text)
	case !below(d.Source, "/dev"), !below(d.Target, "/dev"):
		return fmt.Errorf("%q: the path of a device lies below /dev", text)
	case strings.Trim(d.Access, "rwm") != "":
		return fmt.Errorf("%q: what may be done is some of r, w and m", text)
	}
	return nil
}

// String is the written form.
func (d Device) String() string {
	if d.Target == d.Source && d.Access == "rwm" {
		return d.Source
	}
	return strings.Join([]string{d.Source, d.Target, d.Access}, ":")
}

// below reports whether name is a clean absolute path below dir.
func below(name, dir string) bool {
	return path.Clean(name) == name && strings.HasPrefix(name, dir+"/")
}

// credentials are the files below a home directory that hold them.
var credentials = map[string][]string{
	"aws":    {".aws"},
	"docker": {".docker/config.json"},
	"gcloud": {".config/gcloud"},
	"git":    {".gitconfig", ".config/git", ".git-credentials"},
	"kube":   {".kube"},
	"netrc":  {".netrc"},
	"npm":    {".npmrc"},
	"pypi":   {".pypirc", ".config/pip"},
	"ssh":    {".ssh"},
}

// CredentialFiles are the paths below a home directory of the credentials with
// that name.
func CredentialFiles(name string) []string { return credentials[name] }

// The kinds of rights, by their keys in [rights].
const (
	Privileged   = "privileged"
	Capabilities = "capabilities"
	Devices      = "devices"
	Mounts       = "mounts"
	SSHAgent     = "ssh_agent"
	Credentials  = "credentials"
)

// rightKinds are all kinds of rights.
var rightKinds = []string{Privileged, Capabilities, Devices, Mounts, SSHAgent, Credentials}

// Right is one kind of rights that a project has, in words.
type Right struct {
	Kind  string   `json:"kind"`
	Names []string `json:"names,omitempty"` // of capabilities, devices, mounts and credentials
}

// String is the right in words.
func (r Right) String() string {
	return strings.TrimSpace(strings.ReplaceAll(r.Kind, "_", " ") + " " + strings.Join(r.Names, " "))
}

// List returns the rights that there are, in a fixed order.
func (r Rights) List() []Right {
	var all []Right
	add := func(kind string, names ...string) { all = append(all, Right{kind, names}) }
	if r.Privileged {
		add(Privileged)
	}
	if len(r.Capabilities) > 0 {
		add(Capabilities, r.Capabilities...)
	}
	if len(r.Devices) > 0 {
		var names []string
		for _, d := range r.Devices {
			names = append(names, d.String())
		}
		add(Devices, names...)
	}
	if len(r.Mounts) > 0 {
		var names []string
		for _, target := range slices.Sorted(maps.Keys(r.Mounts)) {
			names = append(names, r.Mounts[target].Source+":"+target)
		}
		add(Mounts, names...)
	}
	if r.SSHAgent {
		add(SSHAgent)
	}
	if len(r.Credentials) > 0 {
		add(Credentials, r.Credentials...)
	}
	return all
}

// checkRights notes rights that make no sense.
func (d *decoder) checkRights(r Rights) {
	for i, name := range r.Capabilities {
		at := element("rights.capabilities", i)
		if d.given(at) && !slices.Contains(capabilities, strings.TrimPrefix(name, "CAP_")) {
			d.notOne(at, strings.ToUpper(strings.TrimPrefix(name, "CAP_")), capabilities, "is no capability of Linux")
		}
	}
	for i, name := range r.Credentials {
		at := element("rights.credentials", i)
		if _, known := credentials[name]; d.given(at) && !known {
			d.notOne(at, name, slices.Sorted(maps.Keys(credentials)), "is not one of those that wr knows; [rights.mounts] takes any file")
		}
	}
	d.checkRightMounts(r.Mounts)
	if d.given("rights.reason") && (strings.TrimSpace(r.Reason) == "" || strings.ContainsFunc(r.Reason, unicode.IsControl)) {
		d.refuse("rights.reason", "say it in one line of text")
	}
	if d.given("rights.privileged") && r.Privileged && (len(r.Capabilities) > 0 || len(r.Devices) > 0) {
		d.refuse("rights.privileged", "has all capabilities and devices; keep one of the two")
	}
}

// checkRightMounts notes mounts that make no sense.
func (d *decoder) checkRightMounts(mounts map[string]RightMount) {
	for _, target := range slices.Sorted(maps.Keys(mounts)) {
		at := join("rights.mounts", target)
		d.checkTarget(at, target)
		source := mounts[target].Source
		if d.given(join(at, "source")) && !path.IsAbs(source) && source != "~" && !strings.HasPrefix(source, "~/") {
			d.refuse(join(at, "source"), "%q is no absolute path; begin it with / or ~/", source)
		}
		if d.given(at) && source == "" && !d.bad[join(at, "source")] {
			d.refuse(at, "source is missing, such as source = \"/srv/data\"")
		}
	}
}

// notOne refuses a text that is not one of those allowed.
func (d *decoder) notOne(at, text string, allowed []string, problem string) {
	d.mistake(at, fault.Error{
		Code: "config.bad_value", Message: fmt.Sprintf("%s: %q %s", d.label(at), text, problem), Hint: fault.Closest(text, allowed),
	})
}

// checkTarget notes a container path that is no place for mounts.
func (d *decoder) checkTarget(at, target string) {
	switch {
	case !path.IsAbs(target) || path.Clean(target) != target || strings.ContainsRune(target, 0):
		d.refuse(at, "%q is not an absolute path in the container", target)
	case taken(target):
		d.refuse(at, "%s belongs to wr or to the system; choose another place", target)
	}
}

// capabilities are those of Linux, see capabilities(7).
var capabilities = []string{
	"AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE",
	"DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN",
	"MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP", "SETGID",
	"SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE",
	"SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
}
