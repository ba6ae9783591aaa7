// Package vfs is the file system of a plugin, for wazero: one virtual root with the
// workspace at /src as far as it is granted (host/plugin/view), and two directories
// in memory, /out and /tmp. Nothing else is there. Tools that expect their files at
// the root get the workspace at / instead, and then nothing to write to.
//
// # Contract
//
// Nothing is ever written outside memory, and no file of the host is reached but
// those that the view shows. Wherever a guest could make the host use memory or
// files without end there is a limit. One that is reached is EIO, the only word
// that wazero has for it, and Exceeded says which it was.
//
// What the guest learns of the workspace is recorded (host/plugin/trace). A file
// is read as a whole when the guest first reads of it, so that what was recorded is
// what the guest saw, whoever writes to it meanwhile. All times are ModTime, and
// all else that a guest may see follows from names and contents.
//
// An FS serves one guest, whose calls come one at a time. Take, All, Drain and
// Exceeded may be called from elsewhere at any time.
package vfs

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/experimental/sys"
	wasys "github.com/tetratelabs/wazero/sys"

	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/view"
	"github.com/wr-build/wr/sdk/go/abi"
)

// ModTime is when everything was changed last, as far as a guest can see: where
// its frozen clock begins, 2022-01-01, in nanoseconds since 1970.
const ModTime int64 = 1640995200e9

// Limits of one guest. Zero values mean the defaults.
type Limits struct {
	Bytes int64        `json:"bytes,omitempty"` // of files in /out and /tmp; 0 = 64 MiB
	Files int          `json:"files,omitempty"` // and directories, in both; 0 = 10,000
	Open  int          `json:"open,omitempty"`  // files and directories at once; 0 = 1,024
	Held  int64        `json:"held,omitempty"`  // bytes of files and listings of the workspace that are open; 0 = 64 MiB
	Trace trace.Limits `json:"trace,omitzero"`
}

// Limit is a limit by its name.
type Limit string

// The limits that can be exceeded.
const (
	LimitBytes Limit = "bytes"
	LimitFiles Limit = "files"
	LimitOpen  Limit = "open"
	LimitHeld  Limit = "held"
	LimitPath  Limit = "path" // a file in /out whose path has more than 4,096 bytes
)

// What no file system of the host would have either.
const (
	maxPath = 4096
	maxName = 255
)

// Config is what an FS is made of.
type Config struct {
	Root   *os.Root // the workspace; may be closed once the FS is made
	Scope  *scope.Scope
	Limits Limits
	At     string // where the workspace is: "/src" (default) or "/"
}

// FS is a guest's file system: an experimental/sys.FS to be mounted at "/".
type FS struct {
	sys.UnimplementedFS

	tree     *view.Tree
	view     *view.View
	recorder *trace.Recorder
	limits   Limits
	all      bool // the workspace is at /

	mu       sync.Mutex // guards what follows
	memory   *node      // the root of /out and /tmp
	inodes   uint64     // the last number that was given out
	bytes    int64      // in memory
	files    int        // in memory
	open     int
	held     int64
	usage    Usage
	exceeded Limit
	rooted   bool // the root was opened
}

// Usage is what a guest read of the workspace.
type Usage struct {
	Files int // each time one is read counts
	Bytes int64
}

// New makes the file system of one guest.
func New(c Config) (*FS, error) {
	tree, err := view.Open(c.Root)
	if err != nil {
		return nil, err
	}
	f := &FS{
		tree: tree, view: view.New(tree, c.Scope), recorder: trace.NewRecorder(c.Limits.Trace), limits: c.Limits.orDefaults(),
		all: c.At == "/",
	}
	f.memory = &node{inode: f.number(), children: map[string]*node{}}
	for _, dir := range []string{abi.Output, abi.Temp} {
		f.memory.children[dir[1:]] = &node{inode: f.number(), children: map[string]*node{}}
	}
	return f, nil
}

func (l Limits) orDefaults() Limits {
	l.Bytes = cmp.Or(l.Bytes, 64<<20)
	l.Files = cmp.Or(l.Files, 10_000)
	l.Open = cmp.Or(l.Open, 1024)
	l.Held = cmp.Or(l.Held, 64<<20)
	return l
}

// Close ends the file system. The guest must have ended before.
func (f *FS) Close() error { return f.tree.Close() }

// Take returns what the guest asked since the last Take. An answer of a guest that
// remembers nothing depends on no more.
func (f *FS) Take() trace.Trace { return f.recorder.Take() }

// All returns what the guest asked since it began. An answer of a guest that may
// remember files from earlier calls depends on it.
func (f *FS) All() trace.Trace { return f.recorder.All() }

// Exceeded is the first limit that the guest wanted to exceed; "" = none.
func (f *FS) Exceeded() Limit {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.exceeded
}

// Usage is what the guest read so far.
func (f *FS) Usage() Usage {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.usage
}

// exceed notes that a limit is reached. With another limit the guest could do
// something else from here on. The caller holds the mutex.
func (f *FS) exceed(l Limit) sys.Errno {
	f.recorder.Spoil(fmt.Sprintf("the limit of %q was reached", l))
	f.exceeded = cmp.Or(f.exceeded, l)
	return sys.EIO
}

// number gives out a number for something in memory: even, while those of the
// workspace are odd. The caller holds the mutex.
func (f *FS) number() uint64 {
	f.inodes += 2
	return f.inodes
}

// place is what a path names.
type place struct {
	area  area
	path  string // in the workspace, or in memory
	isDir bool   // it ends in a slash
}

// area is a part of the virtual root.
type area int

const (
	nowhere area = iota
	root
	source
	memory
)

// locate finds out what a guest's path names. wazero has refused those that are
// not clean; that nothing leads out of the root does not depend on it.
func (f *FS) locate(name string) (place, sys.Errno) {
	if len(name) > maxPath {
		return place{}, sys.ENAMETOOLONG
	}
	if !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return place{}, sys.EINVAL
	}
	p := place{path: path.Clean("/" + name)[1:], isDir: strings.HasSuffix(name, "/")}
	for part := range strings.SplitSeq(p.path, "/") {
		if len(part) > maxName {
			return place{}, sys.ENAMETOOLONG
		}
	}
	first, rest, _ := strings.Cut(p.path, "/")
	switch {
	case f.all:
		p.area, p.path = source, cmp.Or(p.path, ".")
	case p.path == "":
		p.area = root
	case first == abi.Source[1:]:
		p.area, p.path = source, cmp.Or(rest, ".")
	case first == abi.Output[1:], first == abi.Temp[1:]:
		p.area = memory
	}
	return p, 0
}

// OpenFile is sys.FS's.
func (f *FS) OpenFile(name string, flag sys.Oflag, _ fs.FileMode) (sys.File, sys.Errno) {
	p, errno := f.locate(name)
	if errno != 0 {
		return nil, errno
	}
	if p.isDir {
		flag |= sys.O_DIRECTORY
	}
	if p.area != memory && writes(flag) {
		return nil, sys.EROFS
	}
	first, errno := f.opening(p)
	if errno != 0 {
		return nil, errno
	}
	file, errno := f.openAt(p, flag)
	if errno == 0 {
		return file, 0
	}
	f.closed(0)
	if first {
		errno = sys.ENOENT // wazero panics where its own opening of the root fails otherwise
	}
	return nil, errno
}

func (f *FS) openAt(p place, flag sys.Oflag) (sys.File, sys.Errno) {
	switch p.area {
	case root:
		return &listing{fs: f, stat: dirStat(f.memory.inode), load: f.listRoot}, 0
	case source:
		return f.openSource(p.path, flag)
	case memory:
		return f.openMemory(p.path, flag)
	}
	return nil, sys.ENOENT
}

const writing = sys.O_RDWR | sys.O_WRONLY | sys.O_APPEND | sys.O_CREAT | sys.O_TRUNC

func writes(flag sys.Oflag) bool { return flag&writing != 0 }

// opening counts one more open file. The first opening of the root always may be:
// it is wazero's own.
func (f *FS) opening(p place) (first bool, errno sys.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first = !f.rooted && (p.area == root || p.area == source && f.all && p.path == ".")
	if !first && f.open >= f.limits.Open {
		return false, f.exceed(LimitOpen)
	}
	f.rooted = f.rooted || first
	f.open++
	return first, 0
}

// closed counts one file less, and what it held.
func (f *FS) closed(held int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open--
	f.held -= held
}

// hold counts what an open file holds; false = it would be too much.
func (f *FS) hold(n int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n > f.limits.Held-f.held {
		return false
	}
	f.held += n
	return true
}

// Stat is sys.FS's.
func (f *FS) Stat(name string) (wasys.Stat_t, sys.Errno) { return f.stat(name, true) }

// Lstat is sys.FS's.
func (f *FS) Lstat(name string) (wasys.Stat_t, sys.Errno) { return f.stat(name, false) }

func (f *FS) stat(name string, follow bool) (wasys.Stat_t, sys.Errno) {
	p, errno := f.locate(name)
	if errno != 0 {
		return wasys.Stat_t{}, errno
	}
	var s wasys.Stat_t
	switch p.area {
	case root:
		s = dirStat(f.memory.inode)
	case source:
		s, errno = f.statSource(p.path, follow || p.isDir)
	case memory:
		s, errno = f.statMemory(p.path)
	default:
		errno = sys.ENOENT
	}
	if errno == 0 && p.isDir && !s.Mode.IsDir() {
		errno = sys.ENOTDIR
	}
	return s, errno
}

// Readlink is sys.FS's.
func (f *FS) Readlink(name string) (string, sys.Errno) {
	p, errno := f.locate(name)
	if errno == 0 && p.area == source {
		return f.readlinkSource(p.path)
	}
	if _, errno = f.Lstat(name); errno != 0 {
		return "", errno
	}
	return "", sys.EINVAL // nothing else is a link
}

// Link is sys.FS's. There are no links in memory.
func (f *FS) Link(string, string) sys.Errno { return sys.EPERM }

// Symlink is sys.FS's.
func (f *FS) Symlink(string, string) sys.Errno { return sys.EPERM }

// Chmod is sys.FS's. Modes are not kept.
func (f *FS) Chmod(name string, _ fs.FileMode) sys.Errno { return f.touch(name) }

// Utimens is sys.FS's. Times are not kept.
func (f *FS) Utimens(name string, _, _ int64) sys.Errno { return f.touch(name) }

// touch says whether something about a file could be changed.
func (f *FS) touch(name string) sys.Errno {
	p, errno := f.locate(name)
	if errno != 0 {
		return errno
	}
	if p.area != memory {
		return sys.EROFS
	}
	_, errno = f.statMemory(p.path)
	return errno
}

func dirStat(inode uint64) wasys.Stat_t { return newStat(inode, fs.ModeDir|0o755, 0) }

func newStat(inode uint64, mode fs.FileMode, size int64) wasys.Stat_t {
	return wasys.Stat_t{Dev: 1, Ino: inode, Mode: mode, Nlink: 1, Size: size, Atim: ModTime, Mtim: ModTime, Ctim: ModTime}
}
