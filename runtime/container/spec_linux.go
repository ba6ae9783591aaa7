package container

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// specVersion is the oldest version of the runtime specification that has all
// that is used here. Runtimes refuse versions newer than themselves.
const specVersion = "1.0.2"

// maxFiles bounds the open files of a process. Why not 1024, as containerd
// has it: pytest-xdist and any server under test need more.
const maxFiles = 1 << 20

// defaultPath is where commands are looked up when the image does not say.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// capabilities of a container's root, and of nobody else in it, besides what
// the agent keeps to itself in a container of spec.RoleTest. The agent
// needs SETUID and SETGID to become the user of a command, KILL to signal it
// and CHOWN to give it its terminal. The others let a container's root do with
// files what packages and tests expect of root. None reaches the kernel, the
// network or devices.
func capabilities() []string {
	return []string{
		"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID",
		"CAP_SETUID", "CAP_SETGID", "CAP_KILL",
	}
}

// ociSpec describes the container to the OCI runtime. mounts come after the
// default ones, in order.
func (m *Manager) ociSpec(ctx context.Context, made *Container, c spec.Container, img *Image, mounts []specs.Mount) (*specs.Spec, error) {
	s, err := oci.GenerateSpec(ctx, nil, &containers.Container{ID: made.ID})
	if err != nil {
		return nil, err
	}
	s.Version = specVersion
	s.Hostname = hostname(c)
	s.Mounts = append(slices.DeleteFunc(s.Mounts, replaced), temporary()...)
	s.Mounts = append(s.Mounts, mounts...)
	s.Linux.CgroupsPath = path.Join(m.cfg.CgroupParent, groupName(made.ID))
	setNetwork(s, c.Network)
	if err := setProcess(s, c, made.Identity, img.config.Env); err != nil {
		return nil, err
	}
	if err := m.setLimits(s, c); err != nil {
		return nil, err
	}
	if err := grant(ctx, s, c.Rights, made.Identity); err != nil {
		return nil, err
	}
	if c.Rights.Privileged {
		return s, oci.WithPrivileged(ctx, nil, &containers.Container{ID: made.ID}, s)
	}
	s.Linux.Seccomp = seccomp.DefaultProfile(s) // last: it depends on the capabilities
	if c.Role == spec.RoleTest {
		// For the agent, which refuses it to others, with all that CAP_SYS_ADMIN
		// has allowed just now.
		s.Linux.Seccomp.Syscalls = append(s.Linux.Seccomp.Syscalls, specs.LinuxSyscall{
			Names: []string{"pivot_root"}, Action: specs.ActAllow,
		})
	}
	return s, nil
}

// groupName is what the control groups of a container are called.
func groupName(id string) string { return "wr-" + id }

// setProcess makes the agent the first process. HOME and USER are those of the
// commands that it starts, unless image or container say otherwise.
func setProcess(s *specs.Spec, c spec.Container, who Identity, imageEnv []string) error {
	caps := union(capabilities(), c.Rights.Capabilities)
	s.Process.Args = []string{spec.Agent, "serve", path.Join(socketDir, socketName)}
	if c.Role == spec.RoleTest {
		caps = append(caps, isolationCapabilities(c.Network)...)
		s.Process.Args = append(s.Process.Args, spec.Scratch)
	}
	s.Process.Env = merge([]string{defaultPath, "HOME=" + who.Home, "USER=" + who.Name}, imageEnv, c.Env)
	s.Process.Cwd = "/"
	s.Process.NoNewPrivileges = !c.Rights.Privileged
	s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Permitted: caps, Effective: caps}
	var own unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &own); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	files := min(maxFiles, own.Max)
	s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: files, Hard: files}}
	return nil
}

// isolationCapabilities are what the agent needs to isolate runs. With the
// host's network it sets up none, and must not be able to.
func isolationCapabilities(n spec.Network) []string {
	return slices.DeleteFunc(spec.IsolationCapabilities(), func(name string) bool {
		return name == "CAP_NET_ADMIN" && n == spec.NetworkHost
	})
}

// setNetwork takes the network namespace away for the host's network. In its
// own, where there is nobody to impersonate, every user may bind low ports.
func setNetwork(s *specs.Spec, n spec.Network) {
	if n != spec.NetworkHost {
		s.Linux.Sysctl = map[string]string{"net.ipv4.ip_unprivileged_port_start": "0"}
		return
	}
	s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(ns specs.LinuxNamespace) bool {
		return ns.Type == specs.NetworkNamespace
	})
}

// setLimits sets pids, memory and processor time. A limit that was asked for and that this
// machine cannot set is refused by name.
func (m *Manager) setLimits(s *specs.Spec, c spec.Container) error {
	switch {
	case m.controls("pids"):
		limit := c.Pids
		if limit == 0 {
			limit = spec.DefaultPids
		}
		s.Linux.Resources.Pids = &specs.LinuxPids{Limit: &limit}
	case c.Pids != 0:
		return noController("pids")
	}
	return m.limitUse(s.Linux.Resources, c)
}

// controls reports whether a cgroup controller can be used.
func (m *Manager) controls(name string) bool {
	return m.cfg.Controllers == nil || slices.Contains(m.cfg.Controllers, name)
}

func noController(name string) error {
	return &fault.Error{
		Code:    spec.LimitUnavailable,
		Message: fmt.Sprintf("this machine has no cgroup controller for %s, so that limit cannot be kept", name),
		Next:    fmt.Sprintf("take the %s limit out, or enable the controller (wr engine status shows which are usable)", name),
	}
}

// replaced reports whether a default mount gives way to one of temporary.
func replaced(m specs.Mount) bool { return m.Destination == "/run" }

// temporary are the writable directories that never reach a disk.
func temporary() []specs.Mount {
	return []specs.Mount{
		{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "mode=1777"}},
		{Destination: "/run", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "mode=755", "size=65536k"}},
	}
}

// hostMounts are the mounts of c as the OCI runtime wants them.
func hostMounts(mounts []spec.Mount, who Identity) []specs.Mount {
	out := make([]specs.Mount, len(mounts))
	for i, m := range mounts {
		target := who.at(m.Target)
		out[i] = bind(m.Source, target, "rw")
		if m.ReadOnly || mountedReadOnly(m.Source) {
			// Why rro: with ro, what is mounted below the source stays writable.
			out[i] = bind(m.Source, target, "rro")
		}
	}
	return out
}

// mountedReadOnly reports whether nobody may write to path on the host: a new
// mount of it would be writable, whatever the old one says.
func mountedReadOnly(path string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(path, &fs) == nil && fs.Flags&unix.ST_RDONLY != 0
}

// merge joins environments; a later value of a variable replaces an earlier one.
func merge(envs ...[]string) []string {
	var out []string
	at := make(map[string]int)
	for _, kv := range slices.Concat(envs...) {
		key, _, _ := strings.Cut(kv, "=")
		if i, ok := at[key]; ok {
			out[i] = kv
			continue
		}
		at[key] = len(out)
		out = append(out, kv)
	}
	return out
}
