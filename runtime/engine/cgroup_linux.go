package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// subtreeControl is the file of a v2 group that says which controllers the
// groups below it have.
const subtreeControl = "cgroup.subtree_control"

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
	c.found = readSubtree(own)
	if err := os.MkdirAll(leaf, 0o755); err != nil {
		return c, fmt.Errorf("make control group: %w", err)
	}
	if err := writeControl(leaf, "cgroup.procs", strconv.Itoa(pid)); err != nil {
		return c, fmt.Errorf("enter control group: %w", err)
	}
	for _, controller := range offered {
		// This fails while others are in the group, such as the shell of a
		// login session: they are not the engine's to move.
		if controlErr := writeControl(own, subtreeControl, "+"+controller); controlErr != nil {
			err = fmt.Errorf("offer control group limits: %w", controlErr)
			continue
		}
		c.Controllers = append(c.Controllers, controller)
	}
	return c, err
}

// readSubtree returns the controllers that the groups below a v2 group have.
func readSubtree(dir string) []string {
	text, _ := os.ReadFile(filepath.Join(dir, subtreeControl))
	return strings.Fields(string(text))
}

// noCgroups is the fault of a machine on which no OCI runtime starts anything.
func noCgroups() *fault.Error {
	return &fault.Error{
		Code:    "engine.no_cgroups",
		Message: "no control groups are mounted on this machine, and no container starts without them",
		Next: "mount them: `sudo mount -t cgroup2 none /sys/fs/cgroup`; " +
			"inside a container, let its runtime mount them",
	}
}

func writeControl(dir, file, value string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(value), 0o644)
}

// Remove removes the groups that a container of that name had, once nothing is
// in them. The OCI runtime does so itself, unless it was killed before it had
// written down what it made. Groups that are not there are no error.
func (c Cgroups) Remove(name string) error { return c.remove("/", name) }

func (c Cgroups) remove(root, name string) error {
	var errs []error
	for _, dir := range c.dirs {
		err := os.Remove(filepath.Join(root, dir, containersGroup, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove control group: %w", err))
		}
	}
	return errors.Join(errs...)
}

// leave removes the groups that containers were put in, as far as they are
// empty. On v2 it moves this process back to where it was started and takes
// its leaf away, unless containers go on: the kernel refuses both for groups
// in use.
func (c Cgroups) leave(root string, pid int) {
	for _, dir := range c.dirs {
		parent := filepath.Join(root, dir, containersGroup)
		_ = os.Remove(filepath.Join(parent, "buildkit"))
		_ = os.Remove(parent)
	}
	if c.Mode != CgroupV2 {
		return
	}
	own := filepath.Join(root, c.dirs[0])
	for _, controller := range readSubtree(own) {
		// The root may have processes and controllers, and is not wr's alone.
		if c.Own != "/" && !slices.Contains(c.found, controller) {
			_ = writeControl(own, subtreeControl, "-"+controller)
		}
	}
	_ = writeControl(own, "cgroup.procs", strconv.Itoa(pid))
	_ = os.Remove(filepath.Join(own, engineGroup))
}
