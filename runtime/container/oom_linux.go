package container

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// cgroups returns the cgroups of process pid as proc_pid_cgroup(5) says them,
// or "" when it is gone.
func cgroups(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	return string(text)
}

// oomKilled counts the processes that the kernel killed for memory in these
// cgroups, which must still exist.
func oomKilled(groups string) int {
	path, v2 := memoryPath(groups)
	if path == "" {
		return 0
	}
	fsType := "cgroup"
	if v2 {
		fsType = "cgroup2"
	}
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter(fsType))
	if err != nil {
		return 0
	}
	for _, m := range mounts {
		if !v2 && !hasOption(m.VFSOptions, "memory") {
			continue
		}
		if rel, err := filepath.Rel(m.Root, path); err == nil && filepath.IsLocal(rel) {
			return oomKills(filepath.Join(m.Mountpoint, rel))
		}
	}
	return 0
}

// memoryPath takes the path of the memory controller, of v1 where it is there,
// out of the text of proc_pid_cgroup(5).
func memoryPath(groups string) (path string, v2 bool) {
	for line := range strings.Lines(groups) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(parts) != 3:
		case hasOption(parts[1], "memory"):
			return parts[2], false
		case parts[0] == "0":
			path, v2 = parts[2], true
		}
	}
	return path, v2
}

// oomKills counts the processes that the kernel killed for memory in a cgroup.
// Both versions of the interface spell it "oom_kill N".
func oomKills(cgroup string) int {
	for _, name := range []string{"memory.events", "memory.oom_control"} {
		text, err := os.ReadFile(filepath.Join(cgroup, name))
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(bytes.NewReader(text))
		for lines.Scan() {
			if n, ok := strings.CutPrefix(lines.Text(), "oom_kill "); ok {
				count, _ := strconv.Atoi(n)
				return count
			}
		}
	}
	return 0
}

func hasOption(list, option string) bool {
	for o := range strings.SplitSeq(list, ",") {
		if o == option {
			return true
		}
	}
	return false
}
