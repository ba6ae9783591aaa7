package container

import "time"

// Usage is what the processes of a container use, and what its limits did to
// them. What cannot be read is 0.
type Usage struct {
	CPU         time.Duration `json:"cpu"`         // of processors, since the container was made
	Memory      int64         `json:"memory"`      // bytes, without files that could be read again
	MemoryLimit int64         `json:"memoryLimit"` // 0 = none
	Pids        int64         `json:"pids"`        // processes and threads
	PidsLimit   int64         `json:"pidsLimit"`   // 0 = none
}
