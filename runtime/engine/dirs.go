// Package engine runs and finds wr's engine: containerd and BuildKit in one
// process of their own, with their own lock, directories and sockets.
//
// Open is the engine's side: it takes the lock, starts containerd, and listens
// for BuildKit, which is built at its first connection. Up is the caller's
// side: it makes sure that an engine answers. Open works on linux only and
// changes its process (environment, log level, cgroup), so it belongs in a
// process that does nothing else.
package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Namespace is the containerd namespace of everything wr makes.
const Namespace = "wr"

// maxRun bounds Dirs.Run in bytes. A socket path may have 104 on every system,
// and containerd names a shim's socket by 64 hex digits in a directory of at
// most 42, which is Run + "/s".
const maxRun = 40

// Dirs are the two directories of one engine. All methods return absolute
// paths below them.
type Dirs struct {
	State string `json:"state"` // images, layers, caches, lock, log: kept over a reboot
	Run   string `json:"run"`   // sockets and all that lives as long as a container
}

// DefaultDirs returns the directories of the engine that a user gets: below
// WR_ENGINE_DIR when set, the system's for root, XDG's for everybody else.
func DefaultDirs(getenv func(string) string, uid int) (Dirs, error) {
	dirs, err := chooseDirs(getenv, uid)
	if err != nil {
		return Dirs{}, err
	}
	return dirs, dirs.Validate()
}

// SystemDirs returns the directories of root's engine, which serves other
// users when it was started with a group.
func SystemDirs() Dirs { return Dirs{State: "/var/lib/wr", Run: "/run/wr"} }

func chooseDirs(getenv func(string) string, uid int) (Dirs, error) {
	if base := getenv("WR_ENGINE_DIR"); base != "" {
		return Dirs{State: filepath.Join(base, "state"), Run: filepath.Join(base, "run")}, nil
	}
	if uid == 0 {
		return SystemDirs(), nil
	}
	data := absolute(getenv("XDG_DATA_HOME"))
	if home := absolute(getenv("HOME")); data == "" && home != "" {
		data = filepath.Join(home, ".local", "share")
	}
	if data == "" {
		return Dirs{}, &fault.Error{
			Code:    "engine.no_home",
			Message: "no place for the engine's files: neither HOME nor XDG_DATA_HOME is set",
			Next:    "set HOME, or WR_ENGINE_DIR to a directory of your own",
		}
	}
	run := filepath.Join("/tmp", "wr-"+strconv.Itoa(uid))
	if xdg := absolute(getenv("XDG_RUNTIME_DIR")); xdg != "" {
		run = filepath.Join(xdg, "wr")
	}
	return Dirs{State: filepath.Join(data, "wr"), Run: run}, nil
}

// absolute returns path when it is absolute; the XDG specification tells to
// ignore a relative one.
func absolute(path string) string {
	if !filepath.IsAbs(path) {
		return ""
	}
	return path
}

// Validate reports directories that no engine can work in.
func (d Dirs) Validate() error {
	if !filepath.IsAbs(d.State) || !filepath.IsAbs(d.Run) || d.State == d.Run {
		return &fault.Error{
			Code:    "engine.bad_path",
			Class:   fault.Usage,
			Message: fmt.Sprintf("the engine needs two different absolute directories, not %q and %q", d.State, d.Run),
			Next:    "set WR_ENGINE_DIR to an absolute path",
		}
	}
	if len(d.Run) > maxRun {
		return &fault.Error{
			Code:    "engine.path_too_long",
			Class:   fault.Usage,
			Message: fmt.Sprintf("%s has %d bytes, but sockets fit only below a directory of at most %d", d.Run, len(d.Run), maxRun),
			Next:    fmt.Sprintf("set WR_ENGINE_DIR to a path of at most %d bytes, such as /tmp/wr", maxRun-len("/run")),
		}
	}
	return nil
}

// Trust refuses sockets that another user may have put there: Run belongs to
// root or to uid, and not everybody may write to it. Whoever serves a socket
// gets its clients' commands, variables and terminals, and Run may lie below
// /tmp. A directory that is not there, or cannot be seen, is no danger.
func (d Dirs) Trust(uid int) error {
	info, err := os.Lstat(d.Run)
	if err != nil {
		return nil //nolint:nilerr // connecting will say so
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && info.IsDir() && info.Mode()&0o002 == 0 && (stat.Uid == 0 || int(stat.Uid) == uid) {
		return nil
	}
	return &fault.Error{
		Code:    "engine.foreign_dir",
		Message: fmt.Sprintf("%s is not a directory that only root or uid %d can write to", d.Run, uid),
		Next:    "remove it, or set WR_ENGINE_DIR to a directory of your own",
	}
}

// ContainerdSocket is where containerd's gRPC API is served.
func (d Dirs) ContainerdSocket() string { return filepath.Join(d.Run, "containerd.sock") }

// ShimSocket is where containerd listens for the events of its shims.
func (d Dirs) ShimSocket() string { return filepath.Join(d.Run, "containerd.ttrpc") }

// BuildkitSocket is where BuildKit's gRPC API is served.
func (d Dirs) BuildkitSocket() string { return filepath.Join(d.Run, "buildkit.sock") }

// APISocket is where the engine's own API is served; an engine answers when
// somebody listens there.
func (d Dirs) APISocket() string { return filepath.Join(d.Run, "engine.sock") }

// Lock is the file that the one engine of State holds.
func (d Dirs) Lock() string { return filepath.Join(d.State, "engine.lock") }

// Log is where the engine started by Up writes what it has to say.
func (d Dirs) Log() string { return filepath.Join(d.State, "engine.log") }

// ContainerdRoot holds images and layers.
func (d Dirs) ContainerdRoot() string { return filepath.Join(d.State, "containerd") }

// ContainerdState holds the bundles of running containers.
func (d Dirs) ContainerdState() string { return filepath.Join(d.Run, "containerd") }

// BuildkitRoot holds BuildKit's caches and the bundles of build steps.
func (d Dirs) BuildkitRoot() string { return filepath.Join(d.State, "buildkit") }

// Shims holds the sockets of the shims.
func (d Dirs) Shims() string { return filepath.Join(d.Run, "s") }

// Mounts is for mounts made on behalf of containers.
func (d Dirs) Mounts() string { return filepath.Join(d.Run, "mounts") }

// Containers is for files of single containers: the agent's socket, hosts. Why
// not below Run: root of a container can write beside the socket, and Run is
// mostly a tmpfs, small and shared with the whole machine.
func (d Dirs) Containers() string { return filepath.Join(d.State, "containers") }

// RuncRoot is the OCI runtime's own state for containers.
func (d Dirs) RuncRoot() string { return filepath.Join(d.Run, "runc") }

// BuildRuncRoot is the OCI runtime's own state for build steps.
func (d Dirs) BuildRuncRoot() string { return filepath.Join(d.Run, "runc-build") }

// TempMounts is where containerd mounts layers while it works on them.
func (d Dirs) TempMounts() string { return filepath.Join(d.Run, "tmpmounts") }
