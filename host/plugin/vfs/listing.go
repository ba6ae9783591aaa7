package vfs

import (
	"io"
	"io/fs"
	"slices"

	"github.com/tetratelabs/wazero/experimental/sys"
	wasys "github.com/tetratelabs/wazero/sys"

	"github.com/wr-build/wr/host/plugin/view"
	"github.com/wr-build/wr/sdk/go/abi"
)

// listing is an open directory. Its names are read as a whole, when the guest
// first asks for one and when it starts over.
type listing struct {
	sys.DirFile

	fs    *FS
	stat  wasys.Stat_t
	load  func() ([]sys.Dirent, sys.Errno)
	close func() error // nil = nothing to be done

	loaded bool
	names  []sys.Dirent // in all
	at     int
	held   int64
}

// Stat is sys.File's.
func (l *listing) Stat() (wasys.Stat_t, sys.Errno) { return l.stat, 0 }

// Dev is sys.File's.
func (l *listing) Dev() (uint64, sys.Errno) { return l.stat.Dev, 0 }

// Ino is sys.File's.
func (l *listing) Ino() (wasys.Inode, sys.Errno) { return l.stat.Ino, 0 }

// Readdir is sys.File's.
func (l *listing) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	if !l.loaded {
		if errno := l.fill(); errno != 0 {
			return nil, errno
		}
	}
	end := len(l.names)
	if n > 0 {
		end = min(end, l.at+n)
	}
	part := l.names[l.at:end:end] // whoever appends to it gets a copy
	l.at = end
	return part, 0
}

// direntSize is about what a name takes in memory besides its text.
const direntSize = 64

func (l *listing) fill() sys.Errno {
	names, errno := l.load()
	if errno != 0 {
		return errno
	}
	var size int64
	for _, d := range names {
		size += int64(len(d.Name)) + direntSize
	}
	if !l.fs.hold(size) {
		return l.fs.tooMuch()
	}
	l.names, l.held, l.loaded = names, size, true
	return 0
}

// tooMuch is that open files hold too much.
func (f *FS) tooMuch() sys.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.exceed(LimitHeld)
}

// Seek is sys.File's: the only way is back to the start, where the directory is
// read again.
func (l *listing) Seek(offset int64, whence int) (int64, sys.Errno) { //nolint:govet // wazero's signature
	if offset != 0 || whence != io.SeekStart {
		return 0, sys.EINVAL
	}
	if l.at > 0 {
		l.fs.hold(-l.held)
		l.loaded, l.names, l.held, l.at = false, nil, 0, 0
	}
	return 0, 0
}

// Sync is sys.File's.
func (l *listing) Sync() sys.Errno { return 0 }

// Datasync is sys.File's.
func (l *listing) Datasync() sys.Errno { return 0 }

// Utimens is sys.File's.
func (l *listing) Utimens(int64, int64) sys.Errno { return 0 }

// Close is sys.File's.
func (l *listing) Close() sys.Errno {
	if l.close != nil {
		_ = l.close() // it was only read
	}
	l.fs.closed(l.held)
	l.names, l.held, l.loaded = nil, 0, false
	return 0
}

// listRoot lists the virtual root.
func (f *FS) listRoot() ([]sys.Dirent, sys.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	src := sys.Dirent{Ino: view.Inode("."), Name: abi.Source[1:], Type: fs.ModeDir}
	return slices.Insert(f.memory.list(), 1, src), 0 // out, src, tmp
}
