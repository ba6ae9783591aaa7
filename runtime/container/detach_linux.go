package container

import (
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
	all := &twins{} // for the mapping; none is attached
	defer all.drop()
	for _, one := range mounts {
		f, err := all.detach(one, caller, who)
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
func (t *twins) detach(one spec.Mount, caller spec.Owner, who Identity) (*os.File, error) {
	source, err := openSource(one.Source)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV, Propagation: unix.MS_PRIVATE}
	if one.ReadOnly {
		attr.Attr_set |= unix.MOUNT_ATTR_RDONLY
	}
	return t.tree(source, one, caller, who, attr)
}
