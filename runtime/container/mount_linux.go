package container

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/containerd/containerd/v2/core/mount"
	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// twins are the sources of a container's mounts, mounted once more below one
// directory of wr's, only until the container has its own copies of them. Why:
// the OCI runtime opens a source by its path, which may lead elsewhere by then.
type twins struct {
	dir     string   // mounts/ID
	userns  *os.File // holds the id mapping, if there is any
	targets []string
}

// mountSources mounts each source of c once more below m.cfg.Mounts, and
// returns the mounts of c with those as sources. In an owned one, a file of
// the caller on disk is a file of who inside.
func (m *Manager) mountSources(id string, c spec.Container, who Identity) ([]spec.Mount, *twins, error) {
	out := append([]spec.Mount(nil), c.Mounts...)
	all := &twins{dir: filepath.Join(m.cfg.Mounts, id)}
	for i := range out {
		twin, err := all.add(out[i], c.Caller, who)
		if err != nil {
			all.drop()
			return nil, nil, err
		}
		out[i].Source = twin
	}
	return out, all, nil
}

// sameUser reports whether files of caller need no mapping to be who's.
func sameUser(caller spec.Owner, who Identity) bool {
	return who.UID == caller.UID && who.GID == caller.GID
}

// add makes the twin of one source and returns where it is.
func (t *twins) add(one spec.Mount, caller spec.Owner, who Identity) (string, error) {
	source, err := openSource(one.Source)
	if err != nil {
		return "", err
	}
	defer source.Close()
	mounts, err := t.tree(source, one, caller, who, unix.MountAttr{})
	if err != nil {
		return "", err
	}
	defer mounts.Close()
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return "", err
	}
	twin := filepath.Join(t.dir, strconv.Itoa(len(t.targets)))
	if err := mountPoint(source, twin); err != nil {
		return "", err
	}
	t.targets = append(t.targets, twin)
	if err := unix.MoveMount(int(mounts.Fd()), "", unix.AT_FDCWD, twin, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return "", fmt.Errorf("mount %s: %w", one.Source, err)
	}
	return twin, nil
}

// tree is tree with the owners mapped if one asks for it. Nothing is mapped
// where both are the same user.
func (t *twins) tree(source *os.File, one spec.Mount, caller spec.Owner, who Identity, attr unix.MountAttr) (*os.File, error) {
	if one.Owned && !sameUser(caller, who) {
		if err := t.open(caller, who); err != nil {
			return nil, err
		}
		attr.Attr_set |= unix.MOUNT_ATTR_IDMAP
		attr.Propagation = unix.MS_PRIVATE
		attr.Userns_fd = uint64(t.userns.Fd())
	}
	return tree(source, attr)
}

// open makes the user namespace that says caller on disk is who inside.
func (t *twins) open(caller spec.Owner, who Identity) error {
	if t.userns != nil {
		return nil
	}
	userns, err := mount.GetUsernsFD(fmt.Sprintf("%d:%d:1", caller.UID, who.UID), fmt.Sprintf("%d:%d:1", caller.GID, who.GID))
	if err != nil {
		return &fault.Error{
			Code: "mount.no_userns", Message: fmt.Sprintf("this kernel makes no user namespace: %v", err),
			Next: "sysctl user.max_user_namespaces=10000, or set [image] user to your own uid", Err: err,
		}
	}
	t.userns = userns
	return nil
}

// drop takes everything away again; what a container has already bound stays
// bound there. It removes empty directories only: were one still mounted, what
// lies below would be the user's own files.
func (t *twins) drop() {
	for _, twin := range t.targets {
		_ = unix.Unmount(twin, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		_ = os.Remove(twin)
	}
	if t.dir != "" {
		_ = os.Remove(t.dir)
	}
	if t.userns != nil {
		_ = t.userns.Close()
	}
	t.targets, t.userns = nil, nil
}

// dropMounts takes away what a crash left below dir, the same careful way.
func dropMounts(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	left := twins{dir: dir}
	for _, e := range entries {
		left.targets = append(left.targets, filepath.Join(dir, e.Name()))
	}
	left.drop()
}

// mountPoint makes an empty file or directory at path, as source is one.
func mountPoint(source *os.File, path string) error {
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.Mkdir(path, 0o700)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func notMappable(source string, err error) error {
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("map the owner of %s: %w", source, err)
	}
	return &fault.Error{
		Code:    "mount.no_idmap",
		Message: fmt.Sprintf("the file system of %s cannot map file owners (%s)", source, fileSystem(source)),
		Next:    "move it to ext4, xfs, btrfs or tmpfs (the workspace, or with XDG_CACHE_HOME wr's folder), or set [image] user to your own uid:gid, so that nothing has to be mapped",
		Err:     err,
	}
}

func missingMount(source string, err error) error {
	return &fault.Error{
		Code: "mount.missing", Message: fmt.Sprintf("cannot mount %s: it does not exist", source),
		Next: "make it, or take the mount out of the configuration", Err: err,
	}
}

// fileSystem names the type of the file system of path, for people.
func fileSystem(path string) string {
	info, err := mount.Lookup(path)
	if err != nil {
		return "unknown file system"
	}
	return info.FSType
}
