package container

import (
	"math"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/wr-build/wr/runtime/spec"
)

// cpuPeriod is the time, in microseconds, over which processor time is shared
// out: the kernel's own default.
const cpuPeriod = 100_000

// limitUse sets what a container may use of memory and processors.
func (m *Manager) limitUse(r *specs.LinuxResources, c spec.Container) error {
	if c.Memory != 0 {
		if !m.controls("memory") {
			return noController("memory")
		}
		r.Memory = &specs.LinuxMemory{Limit: &c.Memory}
		if swapLimited() {
			r.Memory.Swap = &c.Memory // of both together: swap is no way around the limit
		}
	}
	if c.CPUs != 0 {
		if !m.controls("cpu") {
			return noController("cpu")
		}
		period, quota := uint64(cpuPeriod), int64(math.Round(c.CPUs*cpuPeriod))
		r.CPU = &specs.LinuxCPU{Period: &period, Quota: &quota}
	}
	return nil
}

// swapLimited reports whether the kernel can limit swap. On v2 the OCI runtime
// does what is possible; on v1 it fails where the kernel does not count swap.
func swapLimited() bool {
	for _, file := range []string{"/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"} {
		if _, err := os.Stat(file); err == nil {
			return true
		}
	}
	return false
}
