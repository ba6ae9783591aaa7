package container

import (
	"cmp"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Struck counts how often a limit of a container struck.
type Struck struct {
	Memory int64 // processes killed by the kernel for want of memory
	Pids   int64 // processes and threads that could not start
}

// Usage tells what a container uses that was made here and is not yet removed.
func (m *Manager) Usage(id string) Usage { return m.groups(id).usage() }

// Struck counts for a container that was made here and is not yet removed.
func (m *Manager) Struck(id string) Struck { return m.groups(id).struck() }

func (m *Manager) groups(id string) cgroups {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.live[id]; known != nil {
		return known.groups
	}
	return nil
}

func (g cgroups) struck() Struck {
	return Struck{
		Memory: cmp.Or(g.field("memory", "memory.events", "oom_kill"), g.field("memory", "memory.oom_control", "oom_kill")),
		Pids:   g.field("pids", "pids.events", "max"),
	}
}

// usage reads the files of v2, else those of v1.
func (g cgroups) usage() Usage {
	cached := cmp.Or(g.field("memory", "memory.stat", "total_inactive_file"), g.field("memory", "memory.stat", "inactive_file"))
	return Usage{
		CPU: cmp.Or(
			time.Duration(g.field("cpu", "cpu.stat", "usage_usec"))*time.Microsecond,
			time.Duration(g.number("cpuacct", "cpuacct.usage"))),
		Memory:      max(0, cmp.Or(g.number("memory", "memory.current"), g.number("memory", "memory.usage_in_bytes"))-cached),
		MemoryLimit: limit(cmp.Or(g.number("memory", "memory.max"), g.number("memory", "memory.limit_in_bytes"))),
		Pids:        g.number("pids", "pids.current"),
		PidsLimit:   limit(g.number("pids", "pids.max")),
	}
}

// limit is n, or 0 when it is what v1 has for none: the most whole pages there
// could be.
func limit(n int64) int64 {
	if n > math.MaxInt64/2 {
		return 0
	}
	return n
}

// number is the only one in a file, or 0.
func (g cgroups) number(controller, file string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(g.read(controller, file)), 10, 64)
	return n
}

// field is the number after a word at the start of a line, or 0.
func (g cgroups) field(controller, file, word string) int64 {
	for line := range strings.Lines(g.read(controller, file)) {
		if value, ok := strings.CutPrefix(line, word+" "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}

func (g cgroups) read(controller, file string) string {
	dir := g[controller]
	if dir == "" {
		return ""
	}
	text, _ := os.ReadFile(filepath.Join(dir, file))
	return string(text)
}
