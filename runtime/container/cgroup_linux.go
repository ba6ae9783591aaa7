package container

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// cgroups are the directories of the control groups of a container, by
// controller. A controller that cannot be read is left out.
type cgroups map[string]string

// groupsOf finds the groups of process pid; none when it is gone.
func groupsOf(pid int) cgroups {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	if err != nil {
		return nil
	}
	found := cgroups{}
	for _, controller := range []string{"cpu", "cpuacct", "memory", "pids"} {
		if dir := groupDir(controller, string(text), mounts); dir != "" {
			found[controller] = dir
		}
	}
	return found
}

// groupDir is where the group of a controller can be read, or "". text is that
// of proc_pid_cgroup(5).
func groupDir(controller, text string, mounts []*mountinfo.Info) string {
	path, v2 := groupPath(controller, text)
	if path == "" {
		return ""
	}
	for _, m := range mounts {
		if v2 != (m.FSType == "cgroup2") || !v2 && !hasOption(m.VFSOptions, controller) {
			continue
		}
		if rel, err := filepath.Rel(m.Root, path); err == nil && filepath.IsLocal(rel) {
			return filepath.Join(m.Mountpoint, rel)
		}
	}
	return ""
}

// groupPath takes the path of a controller, of v1 where it is there, out of
// the text of proc_pid_cgroup(5).
func groupPath(controller, text string) (path string, v2 bool) {
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(parts) != 3:
		case hasOption(parts[1], controller):
			return parts[2], false
		case parts[0] == "0":
			path, v2 = parts[2], true
		}
	}
	return path, v2
}

func hasOption(list, option string) bool { return slices.Contains(strings.Split(list, ","), option) }
