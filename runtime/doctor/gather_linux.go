package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/helper"
)

// answerTime bounds the wait for an engine that hangs.
const answerTime = 5 * time.Second

// Gather looks at this machine.
func Gather(ctx context.Context, c Config) Facts {
	f := Facts{Config: c, System: runtime.GOOS, Kernel: kernel()}
	f.Cgroups, f.CgroupsErr = engine.DetectCgroups(os.DirFS("/"))
	_, err := os.Stat("/run/systemd/system")
	f.Systemd = err == nil
	f.Engine = askEngine(ctx, c.Dirs)
	f.tryScratch(ctx)
	f.tryMapping()
	for _, path := range []string{c.Dirs.Run, c.Dirs.APISocket(), c.Dirs.ContainerdSocket(), c.Dirs.BuildkitSocket()} {
		if s, ok := look(path); ok {
			f.Sockets = append(f.Sockets, s)
		}
	}
	state, workspace := room("state", existing(c.Dirs.State)), room("workspace", c.Workspace)
	state.Kept, workspace.Kept = true, device(workspace.Path) == device(state.Path)
	f.Disks = append(f.Disks, state, workspace)
	return f
}

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

// askEngine asks the engine of dirs how it is, if one runs.
func askEngine(ctx context.Context, dirs engine.Dirs) Engine {
	ctx, cancel := context.WithTimeoutCause(ctx, answerTime, errors.New("the engine does not answer"))
	defer cancel()
	var e Engine
	if hold, held := engine.Holder(dirs); held {
		e.Hold = &hold
	}
	client, err := daemon.Dial(ctx, dirs)
	if err != nil {
		e.Err = err
		return e
	}
	status, err := client.Status(ctx)
	if err != nil {
		e.Err = err
		return e
	}
	e.Status = &status
	return e
}

// tryScratch tries what needs a directory on the file system of the state. It
// is made beside the state, not in it, which may not be there yet, and removed.
func (f *Facts) tryScratch(ctx context.Context) {
	scratch, err := os.MkdirTemp(existing(f.Dirs.State), ".wr-doctor-*")
	if err != nil {
		f.Overlay = errNeedsRoot
		if f.UID == 0 {
			f.Overlay = err
		}
		return
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	f.Overlay = errNeedsRoot
	if os.Geteuid() == 0 {
		f.Overlay = overlayutils.Supported(scratch)
	}
	set, err := helper.Unpack(scratch)
	if err != nil {
		f.HelperErr = err
		return
	}
	f.HelperErr = set.Require(ctx)
	for _, h := range set.All() {
		version := "unknown"
		if h.Path != "" {
			version, _ = h.Version(ctx)
		}
		f.Helpers = append(f.Helpers, Program{Helper: h, Version: version})
	}
}

// tryMapping maps owners in mounts that are attached to nothing.
func (f *Facts) tryMapping() {
	f.Mapped = []Mapped{about("workspace", f.Workspace), about("state", existing(f.Dirs.State))}
	userns, err := makeUserNS()
	f.UserNS = err
	if err == nil {
		defer userns.Close()
	}
	for i := range f.Mapped {
		f.Mapped[i].Err = err
		if err == nil {
			f.Mapped[i].Err = mapOwners(f.Mapped[i].Path, userns)
		}
	}
}

func makeUserNS() (*os.File, error) {
	if os.Geteuid() != 0 {
		return nil, errNeedsRoot
	}
	return mount.GetUsernsFD("1000:0:1", "1000:0:1")
}

// mapOwners tries what a container's mount of path would need.
func mapOwners(path string, userns *os.File) error {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd) // and with it the mount
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(userns.Fd())}
	return unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr)
}

// about names the file system and the owner of a path.
func about(what, path string) Mapped {
	m := Mapped{What: what, Path: path, Type: "unknown file system"}
	if info, err := mount.Lookup(path); err == nil {
		m.Type = info.FSType
	}
	if s, ok := look(path); ok {
		m.Owner = s.UID
	}
	return m
}

// look is what is to know about a file from outside.
func look(path string) (Socket, bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return Socket{}, false
	}
	stat := info.Sys().(*syscall.Stat_t)
	return Socket{Path: path, UID: int(stat.Uid), GID: int(stat.Gid), Mode: stat.Mode & 0o7777}, true
}

// device is the number of the file system that path is on.
func device(path string) uint64 {
	var stat unix.Stat_t
	_ = unix.Stat(path, &stat) // 0 where there is none
	return stat.Dev
}

func room(what, path string) Disk {
	d := Disk{What: what, Path: path}
	var stat unix.Statfs_t
	if unix.Statfs(path, &stat) == nil {
		d.Free, d.Total = stat.Bavail*uint64(stat.Bsize), stat.Blocks*uint64(stat.Bsize)
	}
	return d
}

// existing is path, or the nearest directory above it that is there.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}
