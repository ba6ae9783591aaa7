package container

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec"
)

// Detach makes mounts for one process of a container of spec.RoleTest and
// returns them as files, attached to nothing: the agent puts them at their
// targets, and they are gone with the last who has them open. The caller
// closes the files.
func (m *Manager) Detach(caller spec.Owner, who Identity, mounts []spec.Mount) (files []*os.File, err error) {
	if err := checkMounts(mounts); err != nil {
		return nil, err
	}
	owned := &ownedMounts{}
	defer owned.drop()
	for _, one := range mounts {
		f, err := m.detach(owned, caller, who, one)
		if err != nil {
			for _, f := range files {
				_ = f.Close()
			}
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// detach makes one mount.
func (m *Manager) detach(owned *ownedMounts, caller spec.Owner, who Identity, one spec.Mount) (*os.File, error) {
	const flags = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_RECURSIVE
	fd, err := unix.OpenTree(unix.AT_FDCWD, one.Source, flags)
	if err != nil {
		return nil, fmt.Errorf("mount %s: %w", one.Source, err)
	}
	f := os.NewFile(uintptr(fd), one.Source)
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV, Propagation: unix.MS_PRIVATE}
	if one.ReadOnly {
		attr.Attr_set |= unix.MOUNT_ATTR_RDONLY
	}
	if one.Owned && !sameUser(caller, who) {
		if err := owned.open(caller, who); err != nil {
			_ = f.Close()
			return nil, err
		}
		attr.Attr_set |= unix.MOUNT_ATTR_IDMAP
		attr.Userns_fd = uint64(owned.userns.Fd())
	}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
		_ = f.Close()
		return nil, notMappable(one.Source, err)
	}
	return f, nil
}

// ImageID identifies the image that ref names at the moment.
func (m *Manager) ImageID(ctx context.Context, ref string) (string, error) {
	img, err := m.images.find(m.in(ctx), ref)
	if err != nil {
		return "", err
	}
	return img.record.Target.Digest.String(), nil
}
