package sandbox

import (
	"sync/atomic"

	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// memory is the linear memory of one guest. It is reserved as a whole, so that it
// never moves and is never copied; only what was asked for can be used, and it is
// given back when the guest ends.
type memory struct {
	limit    uint64
	reserved []byte
	size     atomic.Uint64 // read while the guest runs, too
	refused  bool          // more was asked for than there is
}

// Allocate reserves as much as the module can ask for within the limit.
func (m *memory) Allocate(_, most uint64) experimental.LinearMemory {
	// An error leaves nothing reserved, and Reallocate refuses.
	m.reserved, _ = unix.Mmap(-1, 0, int(min(most, m.limit)), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	return m
}

// Reallocate lets size bytes be used, or returns nil.
func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.reserved)) {
		m.refused = true
		return nil
	}
	if more := m.reserved[m.size.Load():size]; len(more) > 0 {
		if err := unix.Mprotect(more, unix.PROT_READ|unix.PROT_WRITE); err != nil {
			m.refused = true
			return nil
		}
	}
	m.size.Store(size)
	return m.reserved[:size:size]
}

// Free gives the memory back. Nothing of it may be used afterwards.
func (m *memory) Free() {
	if m.reserved != nil {
		_ = unix.Munmap(m.reserved)
		m.reserved = nil
	}
}
