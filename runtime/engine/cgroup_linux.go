package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// joinCgroups finds out where this process is and, on v2, moves it into a
// leaf of its own: a v2 group that has processes cannot limit its children.
// root is "/" but for tests. An error leaves containers without limits, and
// says so.
func joinCgroups(root string, pid int) (Cgroups, error) {
	c, err := DetectCgroups(os.DirFS(root))
	if err != nil || c.Mode != CgroupV2 {
		return c, err
	}
	offered := c.Controllers
	c.Controllers = nil
	own := filepath.Join(root, c.dirs[0])
	leaf := filepath.Join(own, engineGroup)
	if err := os.MkdirAll(leaf, 0o755); err != nil {
		return c, fmt.Errorf("make control group: %w", err)
	}
	if err := writeControl(leaf, "cgroup.procs", strconv.Itoa(pid)); err != nil {
		return c, fmt.Errorf("enter control group: %w", err)
	}
	for _, controller := range offered {
		// This fails while others are in the group, such as the shell of a
		// login session: they are not the engine's to move.
		if controlErr := writeControl(own, "cgroup.subtree_control", "+"+controller); controlErr != nil {
			err = fmt.Errorf("offer control group limits: %w", controlErr)
			continue
		}
		c.Controllers = append(c.Controllers, controller)
	}
	return c, err
}

func writeControl(dir, file, value string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(value), 0o644)
}

// leave removes the groups that containers were put in, as far as they are
// empty.
func (c Cgroups) leave(root string) {
	for _, dir := range c.dirs {
		parent := filepath.Join(root, dir, containersGroup)
		_ = os.Remove(filepath.Join(parent, "buildkit"))
		_ = os.Remove(parent)
	}
}
