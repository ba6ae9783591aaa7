package spec

import (
	"cmp"
	"fmt"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// DefaultPids bounds the processes of a container that asks for no other limit.
const DefaultPids = 4096

// Codes of the faults of limits.
const (
	LimitTimeout     = "limit.timeout"     // the time was over
	LimitMemory      = "limit.memory"      // the kernel killed a process for memory
	LimitPids        = "limit.pids"        // no further process could start
	LimitUnavailable = "limit.unavailable" // the machine cannot keep it
)

// TimedOut is the fault, and the cause of a context's end, of what took longer
// than limit.
func TimedOut(limit time.Duration) *fault.Error {
	return &fault.Error{
		Code: LimitTimeout, Class: fault.Failed, Message: fmt.Sprintf("the time limit of %v was over", limit),
		Next: "look what takes so long, or raise [limits] timeout in wr.toml or --timeout",
	}
}

// OutOfMemory is the fault of a process in c that the kernel killed for memory.
func OutOfMemory(c Container) *fault.Error {
	if c.Memory == 0 {
		return &fault.Error{
			Code: LimitMemory, Class: fault.Failed,
			Message: "the machine ran out of memory, and the kernel killed a process of the container for it",
			Next:    "run fewer containers at once (-j), or set [limits] memory in wr.toml",
		}
	}
	return &fault.Error{
		Code: LimitMemory, Class: fault.Failed,
		Message: fmt.Sprintf("the container reached its memory limit of %s, and the kernel killed a process of it", bytes(c.Memory)),
		Next:    "raise [limits] memory in wr.toml or --memory",
	}
}

// OutOfPids is the fault of a container in which a process could not start
// another, or a thread, for the limit of their number; 0 = the default one.
func OutOfPids(limit int64) *fault.Error {
	return &fault.Error{
		Code: LimitPids, Class: fault.Failed,
		Message: fmt.Sprintf("the container reached its limit of %d processes and threads", cmp.Or(limit, DefaultPids)),
		Next:    "look what starts so many, or raise [limits] pids in wr.toml or --pids",
	}
}

// bytes words a number of bytes as the user would have written it.
func bytes(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1e9, "GB"}, {1 << 20, "MiB"}, {1e6, "MB"}} {
		if n%unit.size == 0 {
			return fmt.Sprintf("%d%s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
