//go:build linux && engine

package containertest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// Cgroup is a control group with the same name in every hierarchy. Its zero
// value is none.
type Cgroup struct {
	Dirs []string // one for each hierarchy
}

// NewCgroup makes a group below that of this process.
func NewCgroup(name string) (Cgroup, error) {
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	if err != nil {
		return Cgroup{}, err
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return Cgroup{}, err
	}
	var g Cgroup
	for _, m := range mounts {
		path, ok := pathIn(m, string(own))
		if !ok {
			continue
		}
		dir := filepath.Join(path, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return g, errors.Join(err, g.Remove())
		}
		g.Dirs = append(g.Dirs, dir)
		if err := inheritProcessors(dir); err != nil {
			return g, errors.Join(err, g.Remove())
		}
	}
	return g, nil
}

// pathIn is where the group of a process is in a hierarchy. own is the text of
// proc_pid_cgroup(5).
func pathIn(m *mountinfo.Info, own string) (string, bool) {
	for line := range strings.Lines(own) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		v2 := parts[0] == "0" && m.FSType == "cgroup2"
		v1 := parts[1] != "" && m.FSType == "cgroup" && strings.Contains(","+m.VFSOptions+",", ","+parts[1]+",")
		rel, err := filepath.Rel(m.Root, parts[2])
		if (v1 || v2) && err == nil && filepath.IsLocal(rel) {
			return filepath.Join(m.Mountpoint, rel), true
		}
	}
	return "", false
}

// inheritProcessors gives a group of v1 the processors and the memory of the
// one above it. Without, no process can enter.
func inheritProcessors(dir string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		text, err := os.ReadFile(filepath.Join(dir, "..", file))
		if err != nil {
			continue // another hierarchy, or the root of v2
		}
		if _, err := os.Stat(filepath.Join(dir, "cgroup.controllers")); err == nil {
			continue // v2 inherits by itself
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Enter moves a process into the group.
func (g Cgroup) Enter(pid int) error {
	for _, dir := range g.Dirs {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644); err != nil {
			return fmt.Errorf("enter control group: %w", err)
		}
	}
	return nil
}

// Below are the groups below it, deepest last.
func (g Cgroup) Below() ([]string, error) {
	var out []string
	for _, dir := range g.Dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if gone(err) {
				return nil // gone meanwhile
			}
			if err == nil && d.IsDir() && path != dir {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// gone reports whether a group or one of its files was removed meanwhile.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) }

// Processes are those in the group and below it.
func (g Cgroup) Processes() map[int]bool {
	out := make(map[int]bool)
	below, _ := g.Below()
	for _, dir := range append(below, g.Dirs...) {
		text, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs")) // it may be gone meanwhile
		for field := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				out[pid] = true
			}
		}
	}
	return out
}

// Remove removes a group in which nothing is.
func (g Cgroup) Remove() error {
	var errs []error
	for _, dir := range g.Dirs {
		if err := os.Remove(dir); err != nil && !gone(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
