package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// maxEntries bounds the search for files of others, to some 50 ms.
const maxEntries = 20_000

// foreign says that there are files in the owned mounts of c that nothing in
// the container can change, or nil. With mapped owners that is every file that
// has not both the caller's user and the caller's group: the kernel refuses it
// even to root inside.
func foreign(c spec.Container, who container.Identity) *fault.Error {
	if who.UID == c.Caller.UID && who.GID == c.Caller.GID {
		return nil // Nothing is mapped.
	}
	for _, m := range c.Mounts {
		if !m.Owned || m.ReadOnly {
			continue
		}
		if path, owner, ok := firstForeign(m.Source, c.Caller); ok {
			return foreignFault(path, owner, c.Caller)
		}
	}
	return nil
}

// errFound ends a walk.
var errFound = errors.New("found")

// firstForeign returns the topmost of the first files below root that do not
// belong to caller. It looks at a bounded number, and what it cannot see is not
// there. Symbolic links are never written to.
func firstForeign(root string, caller spec.Owner) (path string, owner spec.Owner, ok bool) {
	seen := 0
	err := filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if seen++; seen > maxEntries {
			return fs.SkipAll
		}
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return nil //nolint:nilerr // it is a search for what may be, not a check
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // gone meanwhile
		}
		if found := ownerOf(info); found != caller {
			path, owner = at, found
			return errFound
		}
		return nil
	})
	return path, owner, errors.Is(err, errFound)
}

func ownerOf(info os.FileInfo) spec.Owner {
	stat := info.Sys().(*syscall.Stat_t)
	return spec.Owner{UID: int(stat.Uid), GID: int(stat.Gid)}
}

func foreignFault(path string, owner, caller spec.Owner) *fault.Error {
	return &fault.Error{
		Code: "mount.foreign_uid",
		Message: fmt.Sprintf("%s belongs to %d:%d and not to %d:%d, so nothing in a container may change it",
			path, owner.UID, owner.GID, caller.UID, caller.GID),
		Next: fmt.Sprintf("sudo chown -R %d:%d %q", caller.UID, caller.GID, path),
	}
}
