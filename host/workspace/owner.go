//go:build unix

package workspace

import (
	"fmt"
	"os"
	"syscall"

	"github.com/wr-build/wr/runtime/spec"
)

// Owner returns the user and group that the root belongs to.
func (w *Workspace) Owner() (spec.Owner, error) {
	info, err := os.Stat(w.Root)
	if err != nil {
		return spec.Owner{}, fmt.Errorf("find the workspace's owner: %w", err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return spec.Owner{UID: int(stat.Uid), GID: int(stat.Gid)}, nil
}
