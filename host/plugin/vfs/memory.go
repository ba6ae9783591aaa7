package vfs

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/experimental/sys"
	wasys "github.com/tetratelabs/wazero/sys"

	"github.com/wr-build/wr/sdk/go/abi"
)

// node is a file or directory in memory. It belongs to its FS, whose mutex guards it.
type node struct {
	inode    uint64
	children map[string]*node // nil = a file
	data     []byte
	open     int  // by how many it is open
	gone     bool // no name is left
}

func (n *node) isDir() bool { return n.children != nil }

func (n *node) stat() wasys.Stat_t {
	if n.isDir() {
		return dirStat(n.inode)
	}
	return newStat(n.inode, 0o644, int64(len(n.data)))
}

// list are the names in a directory, sorted.
func (n *node) list() []sys.Dirent {
	list := make([]sys.Dirent, 0, len(n.children)+1)
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		d := sys.Dirent{Ino: n.children[name].inode, Name: name}
		if n.children[name].isDir() {
			d.Type = fs.ModeDir
		}
		list = append(list, d)
	}
	return list
}

// find returns what is at a path in memory. The caller holds the mutex.
func (f *FS) find(name string) (*node, sys.Errno) {
	n := f.memory
	for part := range strings.SplitSeq(name, "/") {
		if !n.isDir() {
			return nil, sys.ENOTDIR
		}
		next, ok := n.children[part]
		if !ok {
			return nil, sys.ENOENT
		}
		n = next
	}
	return n, 0
}

// parent returns the directory that a path is in. The caller holds the mutex.
func (f *FS) parent(name string) (*node, sys.Errno) {
	dir := path.Dir(name)
	if dir == "." {
		return nil, sys.EPERM // /out and /tmp stay as they are
	}
	n, errno := f.find(dir)
	if errno == 0 && !n.isDir() {
		errno = sys.ENOTDIR
	}
	return n, errno
}

// add makes a file or a directory. The caller holds the mutex.
func (f *FS) add(name string, children map[string]*node) (*node, sys.Errno) {
	parent, errno := f.parent(name)
	if errno != 0 {
		return nil, errno
	}
	if f.files >= f.limits.Files {
		return nil, f.exceed(LimitFiles)
	}
	f.files++
	n := &node{inode: f.number(), children: children}
	parent.children[path.Base(name)] = n
	return n, 0
}

// resize makes a file so large, with zeros where nothing was. The caller holds the
// mutex.
func (f *FS) resize(n *node, size int64) sys.Errno {
	more := size - int64(len(n.data))
	if more > f.limits.Bytes-f.bytes {
		return f.exceed(LimitBytes)
	}
	f.bytes += more
	switch {
	case more > 0:
		n.data = append(n.data, make([]byte, more)...)
	case size < int64(cap(n.data)/4):
		n.data = slices.Clone(n.data[:size])
	default:
		n.data = n.data[:size]
	}
	return 0
}

// release forgets what has no name and is not open. The caller holds the mutex.
func (f *FS) release(n *node) {
	if n.gone && n.open == 0 {
		f.files--
		f.bytes -= int64(len(n.data))
		n.data = nil
	}
}

// drop takes the name from something.
func (f *FS) drop(parent *node, name string) {
	n := parent.children[name]
	delete(parent.children, name)
	n.gone = true
	f.release(n)
}

func (f *FS) statMemory(name string) (wasys.Stat_t, sys.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, errno := f.find(name)
	if errno != 0 {
		return wasys.Stat_t{}, errno
	}
	return n.stat(), 0
}

// openMemory opens, and makes where asked to, a file or directory in memory.
func (f *FS) openMemory(name string, flag sys.Oflag) (sys.File, sys.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, errno := f.find(name)
	if errno == sys.ENOENT && flag&sys.O_CREAT != 0 && flag&sys.O_DIRECTORY == 0 {
		n, errno = f.add(name, nil)
		flag &^= sys.O_EXCL
	}
	switch {
	case errno != 0:
		return nil, errno
	case flag&(sys.O_CREAT|sys.O_EXCL) == sys.O_CREAT|sys.O_EXCL:
		return nil, sys.EEXIST
	case n.isDir() && writes(flag):
		return nil, sys.EISDIR
	case n.isDir():
		return f.openMemoryDir(n), 0
	case flag&sys.O_DIRECTORY != 0:
		return nil, sys.ENOTDIR
	case flag&sys.O_TRUNC != 0:
		_ = f.resize(n, 0) // less is always possible
	}
	n.open++
	return &memoryFile{
		fs: f, node: n, appends: flag&sys.O_APPEND != 0,
		reads: flag&sys.O_WRONLY == 0, writes: flag&(sys.O_RDWR|sys.O_WRONLY) != 0,
	}, 0
}

// openMemoryDir opens a directory. The caller holds the mutex.
func (f *FS) openMemoryDir(n *node) sys.File {
	n.open++
	return &listing{
		fs: f, stat: n.stat(),
		load: func() ([]sys.Dirent, sys.Errno) {
			f.mu.Lock()
			defer f.mu.Unlock()
			return n.list(), 0
		},
		close: func() error {
			f.mu.Lock()
			defer f.mu.Unlock()
			n.open--
			f.release(n)
			return nil
		},
	}
}

// changing finds what is to be changed. The caller holds the mutex.
func (f *FS) changing(name string) (place, sys.Errno) {
	p, errno := f.locate(name)
	if errno == 0 && p.area != memory {
		errno = sys.EROFS
	}
	return p, errno
}

// Mkdir is sys.FS's.
func (f *FS) Mkdir(name string, _ fs.FileMode) sys.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, errno := f.changing(name)
	if errno != 0 {
		return errno
	}
	switch _, errno = f.find(p.path); errno {
	case 0:
		return sys.EEXIST
	case sys.ENOENT:
		_, errno = f.add(p.path, map[string]*node{})
	}
	return errno
}

// Rmdir is sys.FS's.
func (f *FS) Rmdir(name string) sys.Errno {
	return f.remove(name, func(n *node) sys.Errno {
		switch {
		case !n.isDir():
			return sys.ENOTDIR
		case len(n.children) > 0:
			return sys.ENOTEMPTY
		}
		return 0
	})
}

// Unlink is sys.FS's.
func (f *FS) Unlink(name string) sys.Errno {
	return f.remove(name, func(n *node) sys.Errno {
		if n.isDir() {
			return sys.EISDIR
		}
		return 0
	})
}

// remove removes what may says may be removed.
func (f *FS) remove(name string, may func(*node) sys.Errno) sys.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, errno := f.changing(name)
	if errno != 0 {
		return errno
	}
	n, errno := f.find(p.path)
	if errno != 0 {
		return errno
	}
	if p.isDir && !n.isDir() {
		return sys.ENOTDIR
	}
	parent, errno := f.parent(p.path)
	if errno != 0 {
		return errno
	}
	if errno := may(n); errno != 0 {
		return errno
	}
	f.drop(parent, path.Base(p.path))
	return 0
}

// Rename is sys.FS's.
func (f *FS) Rename(from, to string) sys.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	a, errno := f.changing(from)
	if errno != 0 {
		return errno
	}
	b, errno := f.changing(to)
	if errno != 0 {
		return errno
	}
	n, errno := f.find(a.path)
	if errno != 0 {
		return errno
	}
	return f.move(n, a, b)
}

// move gives something another path.
func (f *FS) move(n *node, from, to place) sys.Errno {
	source, errno := f.parent(from.path)
	if errno != 0 {
		return errno
	}
	target, errno := f.parent(to.path)
	if errno != 0 {
		return errno
	}
	base := path.Base(to.path)
	old := target.children[base]
	switch {
	case old == n:
		return 0
	case n.isDir() && strings.HasPrefix(to.path, from.path+"/"):
		return sys.EINVAL // into itself
	case !n.isDir() && (from.isDir || to.isDir):
		return sys.ENOTDIR
	case old == nil:
	case n.isDir() && !old.isDir():
		return sys.ENOTDIR
	case !n.isDir() && old.isDir():
		return sys.EISDIR
	case len(old.children) > 0:
		return sys.ENOTEMPTY
	}
	if old != nil {
		f.drop(target, base)
	}
	delete(source.children, path.Base(from.path))
	target.children[base] = n
	return 0
}

// left reports whether there is something in /out.
func (f *FS) left() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.memory.children[abi.Output[1:]].children) > 0
}

// Drain returns the files in /out by their paths below it, and empties it. Names
// are text without slashes, and none is "." or ".."; whether a file may be put
// anywhere is for the caller to decide.
func (f *FS) Drain() map[string][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	files := map[string][]byte{}
	f.drain(f.memory.children[abi.Output[1:]], "", files)
	return files
}

// drain takes all files out of a directory. What is too deep to have a path, which
// renames can bring about, is lost, and noted.
func (f *FS) drain(dir *node, at string, files map[string][]byte) {
	for _, name := range slices.Sorted(maps.Keys(dir.children)) {
		n, p := dir.children[name], path.Join(at, name)
		if len(p) > maxPath {
			_ = f.exceed(LimitPath)
			p, files = "", nil
		}
		switch {
		case n.isDir():
			f.drain(n, p, files)
		case files != nil:
			files[p] = slices.Clone(n.data) // it may be open still
		}
		f.drop(dir, name)
	}
}
