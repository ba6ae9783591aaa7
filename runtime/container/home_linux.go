package container

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	continuity "github.com/containerd/continuity/fs"

	"github.com/wr-build/wr/runtime/spec"
)

// furnish makes the directories between the home directory of who and what
// mounts puts below it. They belong to who: the OCI runtime would make them
// root's, and who could make nothing beside the mount. rootfs is a snapshot
// that nothing runs in yet.
func furnish(ctx context.Context, rootfs []mount.Mount, mounts []spec.Mount, who Identity) error {
	var dirs []string // below the home directory, each after those above it
	for _, m := range mounts {
		below, ok := strings.CutPrefix(m.Target, home)
		for i := range below {
			if ok && below[i] == '/' {
				dirs = append(dirs, below[:i])
			}
		}
	}
	if len(dirs) == 0 {
		return nil
	}
	return mount.WithTempMount(ctx, rootfs, func(root string) error {
		for _, dir := range dirs {
			if err := makeDir(root, path.Join(who.Home, dir), who); err != nil {
				return fmt.Errorf("make %s for a mount below it: %w", home+dir, err)
			}
		}
		return nil
	})
}

// makeDir makes the directory that dir means to a process whose root directory
// is root, unless it is there or there is no home directory to make it in.
func makeDir(root, dir string, who Identity) error {
	host, err := continuity.RootPath(root, dir)
	if err != nil {
		return err
	}
	err = os.Mkdir(host, 0o755)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Lchown(host, who.UID, who.GID)
}
