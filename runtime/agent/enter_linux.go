package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec"
)

// enter gives this process, alone in new namespaces, a root of its own.
func (i isolated) enter() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("part with the container's mounts: %w", err)
	}
	mounts, err := mountinfo.GetMounts(nil)
	if err != nil {
		return err
	}
	v := view{root: filepath.Join(i.Scratch, "root"), scratch: i.Scratch, network: i.Network, toRenew: whereAnew()}
	if err := os.Mkdir(v.root, 0o755); err != nil {
		return err
	}
	if err := v.overlay("/", v.root); err != nil {
		return err
	}
	for _, m := range mounts {
		if err := v.place(m); err != nil {
			return fmt.Errorf("%s: %w", m.Mountpoint, err)
		}
	}
	for n, target := range plain(i.Mounts) {
		if err := v.attach(mountFD+n, target); err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
	}
	if i.Network {
		if err := loopbackUp(); err != nil {
			return fmt.Errorf("start the loopback: %w", err)
		}
	}
	return v.pivot()
}

// view is the root file system of an isolated command while it is made.
type view struct {
	root    string // where it is mounted
	scratch string // directory on a disk, for what is written
	layers  int    // how many overlays have theirs there
	network bool   // the command has a network of its own
	carried []string
	toRenew []string // what is to be made like the container's
	anew    []string // what has been
}

// overlay mounts lower at the path at such that it is not written to.
func (v *view) overlay(lower, at string) error {
	v.layers++
	upper, work := filepath.Join(v.scratch, fmt.Sprint("upper", v.layers)), filepath.Join(v.scratch, fmt.Sprint("work", v.layers))
	info, err := os.Stat(lower)
	if err != nil {
		return err
	}
	for _, dir := range []string{upper, work} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	owner := info.Sys().(*syscall.Stat_t)
	// The directory itself is the upper one.
	if err := errors.Join(os.Lchown(upper, int(owner.Uid), int(owner.Gid)), os.Chmod(upper, info.Mode())); err != nil {
		return err
	}
	options := "lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work
	err = unix.Mount("overlay", at, "overlay", 0, options+",volatile")
	if errors.Is(err, unix.EINVAL) { // before Linux 5.10
		err = unix.Mount("overlay", at, "overlay", 0, options)
	}
	if err != nil {
		return fmt.Errorf("mount %s such that it is not written to: %w", lower, err)
	}
	return nil
}

// anew holds the mounts that a run gets of its own: nothing that an earlier
// one left there is in them.
var anew = []string{"/dev", "/dev/mqueue", "/dev/pts", "/dev/shm", "/proc", "/run", "/tmp"}

// whereAnew lists where they are: also what an image's symbolic link leads to.
func whereAnew() (targets []string) {
	for _, name := range anew {
		targets = append(targets, name)
		if at, err := filepath.EvalSymlinks(name); err == nil && at != name {
			targets = append(targets, at)
		}
	}
	return targets
}

// hidden holds what is between the engine and the agent.
const hidden = spec.Internal + "/sock"

// place brings one of the container's mounts into the view.
func (v *view) place(m *mountinfo.Info) error {
	target := m.Mountpoint
	again := slices.Contains(v.anew, target) // then it is the user's, mounted over the container's
	switch {
	case target == "/" || v.has(target) || within(target, hidden) || within(v.root, target):
		return nil
	case m.Root == "/" && slices.Contains(v.toRenew, target) && !again:
		v.anew = append(v.anew, target)
		return v.again(m)
	case m.Root == "/" && m.FSType == "tmpfs" && within(target, "/proc"): // hides a directory
		return v.again(m)
	case m.FSType == "proc" && within(target, "/proc"): // is read-only
		return v.protect(target)
	case within(target, "/dev") && !again:
		return nil // a device, which again has brought
	}
	v.carried = append(v.carried, target)
	return unix.Mount(target, v.root+target, "", unix.MS_BIND|unix.MS_REC, "")
}

// has reports whether what is mounted at target came along with what is above.
func (v *view) has(target string) bool {
	return slices.ContainsFunc(v.carried, func(above string) bool { return within(target, above) })
}

// within reports whether path is dir or lies below it.
func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// again mounts a new, empty file system like m; where the ENTRYPOINT left
// something in one for temporary files, what it left is there.
func (v *view) again(m *mountinfo.Info) error {
	at := v.root + m.Mountpoint
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	if m.FSType == "tmpfs" && m.Mountpoint != "/dev" && !within(m.Mountpoint, "/proc") && !isEmpty(m.Mountpoint) {
		return v.left(m, at)
	}
	if err := unix.Mount(m.FSType, at, m.FSType, flags(m.Options), data(m)); err != nil {
		return err
	}
	switch {
	case m.Mountpoint == "/dev":
		return v.devices()
	case m.Mountpoint == "/proc" && v.network:
		// As in every container with a network of its own.
		return os.WriteFile(at+"/sys/net/ipv4/ip_unprivileged_port_start", []byte("0"), 0)
	}
	return nil
}

// isEmpty reports whether a directory has no entries.
func isEmpty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 0
}

// left mounts at the path at what m holds, not to be written to.
func (v *view) left(m *mountinfo.Info, at string) error {
	if err := v.overlay(m.Mountpoint, at); err != nil {
		return err
	}
	return unix.Mount("", at, "", unix.MS_BIND|unix.MS_REMOUNT|flags(m.Options), "")
}

// flags of mount(2), from the words of mountinfo.
func flags(options string) (flags uintptr) {
	words := map[string]uintptr{
		"ro": unix.MS_RDONLY, "nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV, "noexec": unix.MS_NOEXEC,
	}
	for word := range strings.SplitSeq(options, ",") {
		flags |= words[word]
	}
	return flags
}

// data is the last argument of mount(2) for a file system like m.
func data(m *mountinfo.Info) string {
	var keep []string
	for option := range strings.SplitSeq(m.VFSOptions, ",") {
		name, _, _ := strings.Cut(option, "=")
		if slices.Contains([]string{"size", "mode", "gid", "uid", "ptmxmode", "nr_inodes"}, name) && m.FSType != "proc" {
			keep = append(keep, option)
		}
	}
	if m.FSType == "devpts" {
		keep = append(keep, "newinstance")
	}
	return strings.Join(keep, ",")
}

// devices fills a new /dev with what is in the container's.
func (v *view) devices() error {
	entries, err := os.ReadDir("/dev")
	if err != nil {
		return err
	}
	for _, e := range entries {
		from, to := "/dev/"+e.Name(), v.root+"/dev/"+e.Name()
		switch {
		case e.Type()&os.ModeSymlink != 0:
			link, err := os.Readlink(from)
			if err = errors.Join(err, os.Symlink(link, to)); err != nil {
				return err
			}
		case e.Type()&os.ModeDevice != 0:
			if err := errors.Join(touch(to), unix.Mount(from, to, "", unix.MS_BIND, "")); err != nil {
				return err
			}
		}
	}
	return nil
}

// touch makes an empty file to mount on, if there is none.
func touch(path string) error {
	err := unix.Mknod(path, unix.S_IFREG|0o644, 0)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}

// protect makes what is at target read-only, as it is in the container.
func (v *view) protect(target string) error {
	at := v.root + target
	const keep = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount(at, at, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	return unix.Mount("", at, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|keep, "")
}

// attach mounts the detached mount fd at target.
func (v *view) attach(fd int, target string) error {
	at := filepath.Join(v.root, target)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	point := func(path string) error { return os.MkdirAll(path, 0o755) }
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		point = touch
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), point(at)); err != nil {
		return err
	}
	err := unix.MoveMount(fd, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH)
	return errors.Join(err, unix.Close(fd))
}

// pivot makes the view the root of this process and lets go of the old one.
func (v *view) pivot() error {
	if err := unix.Chdir(v.root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change the root: %w", err)
	}
	// The old root now lies over the new one.
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("let go of the old root: %w", err)
	}
	return unix.Chdir("/")
}

// loopbackUp starts the loopback of a new network namespace.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}
