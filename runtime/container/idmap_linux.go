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

// ownedMounts are idmapped twins of host directories, mounted below one
// directory only until the container has its own copies of them.
type ownedMounts struct {
	dir     string   // mounts/ID
	userns  *os.File // holds the id mapping
	targets []string
}

// mapOwned mounts each owned source of c again below m.cfg.Mounts such that a
// file of the caller on disk is a file of id inside, and returns the mounts of
// c with those as sources. Nothing is mapped where both are the same user.
func (m *Manager) mapOwned(id string, c spec.Container, who Identity) ([]spec.Mount, *ownedMounts, error) {
	out := append([]spec.Mount(nil), c.Mounts...)
	owned := &ownedMounts{dir: filepath.Join(m.cfg.Mounts, id)}
	for i := range out {
		if !out[i].Owned || sameUser(c.Caller, who) {
			continue
		}
		twin, err := owned.add(out[i].Source, c.Caller, who)
		if err != nil {
			owned.drop()
			return nil, nil, err
		}
		out[i].Source = twin
	}
	return out, owned, nil
}

// sameUser reports whether files of caller need no mapping to be who's.
func sameUser(caller spec.Owner, who Identity) bool {
	return who.UID == caller.UID && who.GID == caller.GID
}

// add mounts source again with ids mapped and returns where.
func (o *ownedMounts) add(source string, caller spec.Owner, who Identity) (string, error) {
	if err := errors.Join(o.open(caller, who), os.MkdirAll(o.dir, 0o700)); err != nil {
		return "", err
	}
	twin := filepath.Join(o.dir, strconv.Itoa(len(o.targets)))
	if err := mountPoint(source, twin); err != nil {
		return "", err
	}
	o.targets = append(o.targets, twin)
	if err := mount.IDMapMount(source, twin, int(o.userns.Fd())); err != nil {
		return "", notMappable(source, err)
	}
	return twin, nil
}

// open makes the user namespace that says caller on disk is who inside.
func (o *ownedMounts) open(caller spec.Owner, who Identity) error {
	if o.userns != nil {
		return nil
	}
	userns, err := mount.GetUsernsFD(fmt.Sprintf("%d:%d:1", caller.UID, who.UID), fmt.Sprintf("%d:%d:1", caller.GID, who.GID))
	if err != nil {
		return &fault.Error{
			Code: "mount.no_userns", Message: fmt.Sprintf("this kernel makes no user namespace: %v", err),
			Next: "sysctl user.max_user_namespaces=10000, or set [image] user to your own uid", Err: err,
		}
	}
	o.userns = userns
	return nil
}

// drop takes everything away again; what a container has already bound stays
// bound there. It removes empty directories only: were one still mounted, what
// lies below would be the user's own files.
func (o *ownedMounts) drop() {
	for _, t := range o.targets {
		_ = unix.Unmount(t, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		_ = os.Remove(t)
	}
	if o.dir != "" {
		_ = os.Remove(o.dir)
	}
	if o.userns != nil {
		_ = o.userns.Close()
	}
	o.targets, o.userns = nil, nil
}

// dropMounts takes away what a crash left below dir, the same careful way.
func dropMounts(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	left := ownedMounts{dir: dir}
	for _, e := range entries {
		left.targets = append(left.targets, filepath.Join(dir, e.Name()))
	}
	left.drop()
}

// mountPoint makes an empty file or directory at path, as source is one.
func mountPoint(source, path string) error {
	info, err := os.Stat(source)
	if err != nil {
		return missingMount(source, err)
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
		Next:    "move the workspace to ext4, xfs, btrfs or tmpfs, or set [image] user to your own uid:gid, so that nothing has to be mapped",
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
