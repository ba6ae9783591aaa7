package engine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// CgroupMode is how a machine's control groups are laid out.
type CgroupMode string

// The layouts. Hybrid has v1 controllers beside a v2 tree.
const (
	CgroupNone   CgroupMode = "none"
	CgroupV1     CgroupMode = "v1"
	CgroupHybrid CgroupMode = "hybrid"
	CgroupV2     CgroupMode = "v2"
)

// Names of the engine's own groups below the one it was started in.
const (
	engineGroup     = "wr-engine"
	containersGroup = "wr"
	buildSlice      = "build.slice:"
)

// Cgroups are the control groups that an engine and its containers live in.
type Cgroups struct {
	Mode        CgroupMode `json:"mode"`
	Controllers []string   `json:"controllers"` // whose limits can be set on containers, sorted
	Own         string     `json:"own"`         // on v2, the group the engine was started in

	dirs  []string // of the own groups, one for each hierarchy, relative to /
	found []string // on v2, whose limits could be set below the own group before the engine came
}

// Parent is the start of the OCI cgroupsPath of every container: below the
// group in which the engine was started, so that a limit on whoever started
// it holds for containers too. It is "" when there are no control groups.
//
// On v1 and hybrid it is relative, because the engine's group has a different
// path in every hierarchy; runc takes a relative path as below its own group.
func (c Cgroups) Parent() string {
	switch c.Mode {
	case CgroupV2:
		return path.Join(c.Own, containersGroup)
	case CgroupV1, CgroupHybrid:
		return containersGroup
	default:
		return ""
	}
}

// buildParent is the same for BuildKit, which puts a "/" before every parent
// but those that look like a systemd slice; runc without systemd takes such a
// name as any other.
func (c Cgroups) buildParent() string {
	switch c.Mode {
	case CgroupV1, CgroupHybrid:
		return path.Join(containersGroup, buildSlice)
	default:
		return c.Parent()
	}
}

// buildGroup is the name that BuildKit makes of buildParent and the id of a
// step, below the groups of containers.
func (c Cgroups) buildGroup(id string) string {
	switch c.Mode {
	case CgroupV1, CgroupHybrid:
		return buildSlice + id
	default:
		return path.Join("buildkit", id)
	}
}

// hierarchy is one mounted tree of control groups.
type hierarchy struct {
	v2          bool
	readOnly    bool
	controllers []string // of v1
	root, point string   // which group is mounted where
}

// DetectCgroups reads the layout of the machine whose root directory is
// fsys. It changes nothing.
func DetectCgroups(fsys fs.FS) (Cgroups, error) {
	own, err := readOwn(fsys)
	if err != nil {
		return Cgroups{}, err
	}
	mounted, err := readHierarchies(fsys)
	if err != nil {
		return Cgroups{}, err
	}
	c := Cgroups{Mode: CgroupNone}
	var unified *hierarchy
	var limits bool // v1 has more than hierarchies for naming processes
	for _, h := range mounted {
		if h.v2 {
			unified = &h
			continue
		}
		limits = c.addV1(fsys, h, own) || limits
	}
	switch {
	case limits && unified != nil:
		c.Mode = CgroupHybrid
		if dir, ok := unified.dir(fsys, own[""]); ok {
			c.dirs = append(c.dirs, dir) // runc makes groups there too
		}
	case limits:
		c.Mode = CgroupV1
	case unified != nil:
		c.setV2(fsys, *unified, own[""])
	}
	slices.Sort(c.Controllers)
	c.Controllers = slices.Compact(c.Controllers)
	return c, nil
}

// addV1 adds a v1 hierarchy in which this process has a group, and reports
// whether it has a controller.
func (c *Cgroups) addV1(fsys fs.FS, h hierarchy, own map[string]string) (controls bool) {
	for _, controller := range h.controllers {
		group, ok := own[controller]
		if !ok {
			continue
		}
		dir, ok := h.dir(fsys, group)
		if !ok {
			continue
		}
		if !slices.Contains(c.dirs, dir) {
			c.dirs = append(c.dirs, dir)
		}
		if strings.HasPrefix(controller, "name=") {
			continue
		}
		controls = true
		if !h.readOnly {
			c.Controllers = append(c.Controllers, controller)
		}
	}
	return controls
}

// setV2 describes the only tree of a v2 machine.
func (c *Cgroups) setV2(fsys fs.FS, h hierarchy, own string) {
	// An engine that was started from an engine's own group stays in it.
	if path.Base(own) == engineGroup {
		own = path.Dir(own)
	}
	dir, ok := h.dir(fsys, own)
	if !ok {
		return
	}
	c.Mode, c.Own, c.dirs = CgroupV2, own, []string{dir}
	if h.readOnly {
		return
	}
	text, _ := fs.ReadFile(fsys, path.Join(dir, "cgroup.controllers"))
	for controller := range strings.FieldsSeq(string(text)) {
		if slices.Contains(limited, controller) {
			c.Controllers = append(c.Controllers, controller)
		}
	}
}

// limited are the v2 controllers that container limits need.
var limited = []string{"cpu", "cpuset", "io", "memory", "pids"}

// dir returns the directory of a group, relative to /, when it can be seen.
func (h hierarchy) dir(fsys fs.FS, group string) (string, bool) {
	below, ok := strings.CutPrefix(group, strings.TrimSuffix(h.root, "/"))
	if !ok || below != "" && below[0] != '/' {
		return "", false
	}
	dir := strings.TrimPrefix(path.Join(h.point, below), "/")
	info, err := fs.Stat(fsys, dir)
	return dir, err == nil && info.IsDir()
}

// readOwn returns the groups of this process by v1 controller; the v2 group
// has the name "".
func readOwn(fsys fs.FS) (map[string]string, error) {
	text, err := fs.ReadFile(fsys, "proc/self/cgroup")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // The kernel has no control groups.
	}
	if err != nil {
		return nil, fmt.Errorf("detect control groups: %w", err)
	}
	own := map[string]string{}
	for line := range bytes.Lines(text) {
		fields := strings.SplitN(strings.TrimSuffix(string(line), "\n"), ":", 3)
		if len(fields) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			own[controller] = fields[2]
		}
	}
	return own, nil
}

// readHierarchies returns what is mounted, from lines like
//
//	35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup rw,memory
func readHierarchies(fsys fs.FS) ([]hierarchy, error) {
	text, err := fs.ReadFile(fsys, "proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("detect control groups: %w", err)
	}
	var found []hierarchy
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		where, what := strings.Fields(before), strings.Fields(after)
		if !ok || len(where) < 6 || len(what) < 3 || what[0] != "cgroup" && what[0] != "cgroup2" {
			continue
		}
		found = append(found, hierarchy{
			v2:          what[0] == "cgroup2",
			readOnly:    slices.Contains(strings.Split(where[5], ","), "ro"),
			controllers: strings.Split(what[2], ","),
			root:        where[3],
			point:       where[4],
		})
	}
	return found, lines.Err()
}
