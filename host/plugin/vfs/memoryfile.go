package vfs

import (
	"io"

	"github.com/tetratelabs/wazero/experimental/sys"
	wasys "github.com/tetratelabs/wazero/sys"
)

// memoryFile is an open file in memory.
type memoryFile struct {
	sys.UnimplementedFile

	fs            *FS
	node          *node
	reads, writes bool
	appends       bool
	at            int64
}

// Stat is sys.File's.
func (m *memoryFile) Stat() (wasys.Stat_t, sys.Errno) {
	m.fs.mu.Lock()
	defer m.fs.mu.Unlock()
	return m.node.stat(), 0
}

// Dev is sys.File's.
func (m *memoryFile) Dev() (uint64, sys.Errno) { return 1, 0 }

// Ino is sys.File's.
func (m *memoryFile) Ino() (wasys.Inode, sys.Errno) { return m.node.inode, 0 }

// IsAppend is sys.File's.
func (m *memoryFile) IsAppend() bool { return m.appends }

// SetAppend is sys.File's.
func (m *memoryFile) SetAppend(on bool) sys.Errno {
	m.appends = on
	return 0
}

// Read is sys.File's.
func (m *memoryFile) Read(b []byte) (int, sys.Errno) {
	n, errno := m.Pread(b, m.at)
	m.at += int64(n)
	return n, errno
}

// Pread is sys.File's.
func (m *memoryFile) Pread(b []byte, at int64) (int, sys.Errno) {
	switch {
	case !m.reads:
		return 0, sys.EBADF
	case at < 0:
		return 0, sys.EINVAL
	}
	m.fs.mu.Lock()
	defer m.fs.mu.Unlock()
	if at >= int64(len(m.node.data)) {
		return 0, 0
	}
	return copy(b, m.node.data[at:]), 0
}

// Write is sys.File's.
func (m *memoryFile) Write(b []byte) (int, sys.Errno) {
	if m.appends {
		m.at, _ = m.Seek(0, io.SeekEnd)
	}
	n, errno := m.Pwrite(b, m.at)
	m.at += int64(n)
	return n, errno
}

// Pwrite is sys.File's.
func (m *memoryFile) Pwrite(b []byte, at int64) (int, sys.Errno) {
	end := at + int64(len(b))
	switch {
	case !m.writes:
		return 0, sys.EBADF
	case at < 0 || end < at:
		return 0, sys.EINVAL
	case len(b) == 0:
		return 0, 0
	}
	m.fs.mu.Lock()
	defer m.fs.mu.Unlock()
	if end > int64(len(m.node.data)) {
		if errno := m.fs.resize(m.node, end); errno != 0 {
			return 0, errno
		}
	}
	return copy(m.node.data[at:], b), 0
}

// Truncate is sys.File's.
func (m *memoryFile) Truncate(size int64) sys.Errno {
	switch {
	case !m.writes:
		return sys.EBADF
	case size < 0:
		return sys.EINVAL
	}
	m.fs.mu.Lock()
	defer m.fs.mu.Unlock()
	return m.fs.resize(m.node, size)
}

// Seek is sys.File's.
func (m *memoryFile) Seek(offset int64, whence int) (int64, sys.Errno) { //nolint:govet // wazero's signature
	m.fs.mu.Lock()
	defer m.fs.mu.Unlock()
	at, errno := seek(m.at, int64(len(m.node.data)), offset, whence)
	if errno == 0 {
		m.at = at
	}
	return at, errno
}

// Utimens is sys.File's. Times are not kept.
func (m *memoryFile) Utimens(int64, int64) sys.Errno { return 0 }

// Close is sys.File's.
func (m *memoryFile) Close() sys.Errno {
	m.fs.mu.Lock()
	m.node.open--
	m.fs.release(m.node)
	m.fs.mu.Unlock()
	m.fs.closed(0)
	return 0
}
