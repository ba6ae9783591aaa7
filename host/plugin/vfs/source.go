package vfs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
	wasys "github.com/tetratelabs/wazero/sys"
	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/view"
)

// record takes down an answer, and returns what the guest is told of a failure.
func (f *FS) record(q trace.Question, a trace.Answer, err error) sys.Errno {
	if err == nil {
		f.recorder.Add(q, a)
		return 0
	}
	if a, ok := view.OfFailure(err); ok {
		f.recorder.Add(q, a)
	} else {
		f.recorder.Spoil(fmt.Sprintf("%s could not be read: %v", q.Path, err))
	}
	return f.errno(err)
}

// errno is an error of the view in wazero's words.
func (f *FS) errno(err error) sys.Errno {
	switch {
	case errors.Is(err, view.ErrMissing):
		return sys.ENOENT
	case errors.Is(err, view.ErrNotDir):
		return sys.ENOTDIR
	case errors.Is(err, view.ErrNotLink):
		return sys.EINVAL
	case errors.Is(err, view.ErrLinks):
		return sys.ELOOP
	case errors.Is(err, fs.ErrPermission):
		return sys.EACCES
	case errors.Is(err, unix.ENAMETOOLONG):
		return sys.ENAMETOOLONG
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.exceed(LimitOpen)
	}
	return sys.EIO
}

// statSource looks at a path of the workspace.
func (f *FS) statSource(name string, follow bool) (wasys.Stat_t, sys.Errno) {
	q, look := trace.Question{Path: name, Kind: trace.Lstat}, f.view.Lstat
	if follow {
		q.Kind, look = trace.Stat, f.view.Stat
	}
	e, err := look(name)
	return entryStat(e), f.record(q, e.Answer(), err)
}

// entryStat is what a guest sees of an entry.
func entryStat(e view.Entry) wasys.Stat_t {
	return newStat(e.Inode(), modeOf(e.Type), e.Size)
}

// modeOf is a type as a mode. WASI has no permissions.
func modeOf(t trace.Type) fs.FileMode {
	switch t {
	case trace.Dir:
		return fs.ModeDir | 0o555
	case trace.Symlink:
		return fs.ModeSymlink | 0o777
	}
	return 0o444
}

// readlinkSource says where a link leads to.
func (f *FS) readlinkSource(name string) (string, sys.Errno) {
	target, err := f.view.Readlink(name)
	return target, f.record(trace.Question{Path: name, Kind: trace.Target}, view.OfTarget(target), err)
}

// openSource opens a file or a directory of the workspace.
func (f *FS) openSource(name string, flag sys.Oflag) (sys.File, sys.Errno) {
	if flag&sys.O_NOFOLLOW != 0 {
		s, errno := f.statSource(name, false)
		if errno == 0 && s.Mode.Type() == fs.ModeSymlink {
			errno = sys.ELOOP
		}
		if errno != 0 {
			return nil, errno
		}
	}
	file, e, err := f.view.Open(name)
	if errno := f.record(trace.Question{Path: name, Kind: trace.Stat}, e.Answer(), err); errno != 0 {
		return nil, errno
	}
	if e.Type == trace.Dir {
		l := &listing{fs: f, stat: entryStat(e), close: file.Close}
		l.load = func() ([]sys.Dirent, sys.Errno) { return f.listSource(name, file, e.Path) }
		return l, 0
	}
	if flag&sys.O_DIRECTORY != 0 {
		_ = file.Close()
		return nil, sys.ENOTDIR
	}
	return &sourceFile{fs: f, file: file, name: name, entry: e}, 0
}

// listSource lists an open directory of the workspace.
func (f *FS) listSource(name string, file *os.File, real string) ([]sys.Dirent, sys.Errno) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, f.record(trace.Question{Path: name, Kind: trace.List}, trace.Answer{}, err)
	}
	entries, err := f.view.List(file, real)
	if errno := f.record(trace.Question{Path: name, Kind: trace.List}, view.OfList(entries), err); errno != 0 {
		return nil, errno
	}
	list := make([]sys.Dirent, len(entries))
	for i, e := range entries {
		list[i] = sys.Dirent{Ino: e.Inode(), Name: e.Name, Type: modeOf(e.Type).Type()}
	}
	return list, 0
}

// sourceFile is an open file of the workspace. It can only be read.
type sourceFile struct {
	sys.UnimplementedFile

	fs    *FS
	file  *os.File // nil once the content is held
	name  string   // by which it was opened
	entry view.Entry
	held  []byte // the content; nil before the first read, and of what is too large
	read  bool   // the first read was
	at    int64
}

// Stat is sys.File's: what was told when the file was opened.
func (s *sourceFile) Stat() (wasys.Stat_t, sys.Errno) { return entryStat(s.entry), 0 }

// Dev is sys.File's.
func (s *sourceFile) Dev() (uint64, sys.Errno) { return 1, 0 }

// Ino is sys.File's.
func (s *sourceFile) Ino() (wasys.Inode, sys.Errno) { return s.entry.Inode(), 0 }

// SetAppend is sys.File's. Nothing is written anyway.
func (s *sourceFile) SetAppend(bool) sys.Errno { return 0 }

// Read is sys.File's.
func (s *sourceFile) Read(b []byte) (int, sys.Errno) {
	n, errno := s.Pread(b, s.at)
	s.at += int64(n)
	return n, errno
}

// Pread is sys.File's.
func (s *sourceFile) Pread(b []byte, at int64) (int, sys.Errno) {
	if at < 0 {
		return 0, sys.EINVAL
	}
	if !s.read {
		s.read = true
		if errno := s.load(); errno != 0 {
			return 0, errno
		}
	}
	n := 0
	switch {
	case s.file != nil:
		var err error
		if n, err = s.file.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
			return n, sys.EIO
		}
	case at < int64(len(s.held)):
		n = copy(b, s.held[at:])
	}
	s.fs.count(0, int64(n))
	return n, 0
}

// count adds to what was read.
func (f *FS) count(files int, bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.usage.Files += files
	f.usage.Bytes += bytes
}

// load reads the whole file, and takes down what it was. What is too large to be
// held is read piece by piece instead, and leaves a gap in the trace.
func (s *sourceFile) load() sys.Errno {
	s.fs.count(1, 0)
	size := s.entry.Size
	if !s.fs.hold(size) {
		s.fs.recorder.Spoil(s.name + " is too large to be recorded")
		return 0
	}
	s.held = make([]byte, size)
	n, err := io.ReadFull(s.file, s.held)
	s.held = s.held[:n]
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	if more, _ := s.file.Read(make([]byte, 1)); err == nil && (more > 0 || int64(n) != size) {
		s.fs.recorder.Spoil(s.name + " changed while it was read")
	}
	err = errors.Join(err, s.file.Close())
	s.file = nil
	return s.fs.record(trace.Question{Path: s.name, Kind: trace.Read}, trace.Answer{Sum: sha256.Sum256(s.held)}, err)
}

// Seek is sys.File's.
func (s *sourceFile) Seek(offset int64, whence int) (int64, sys.Errno) { //nolint:govet // wazero's signature
	at, errno := seek(s.at, s.entry.Size, offset, whence)
	if errno == 0 {
		s.at = at
	}
	return at, errno
}

// seek is where a file is at afterwards.
func seek(at, size, offset int64, whence int) (int64, sys.Errno) {
	switch whence {
	case io.SeekStart:
		at = offset
	case io.SeekCurrent:
		at += offset
	case io.SeekEnd:
		at = size + offset
	default:
		return 0, sys.EINVAL
	}
	if at < 0 {
		return 0, sys.EINVAL
	}
	return at, 0
}

// Write is sys.File's.
func (s *sourceFile) Write([]byte) (int, sys.Errno) { return 0, sys.EBADF }

// Pwrite is sys.File's.
func (s *sourceFile) Pwrite([]byte, int64) (int, sys.Errno) { return 0, sys.EBADF }

// Truncate is sys.File's.
func (s *sourceFile) Truncate(int64) sys.Errno { return sys.EBADF }

// Utimens is sys.File's.
func (s *sourceFile) Utimens(int64, int64) sys.Errno { return sys.EROFS }

// Close is sys.File's.
func (s *sourceFile) Close() sys.Errno {
	held := int64(0)
	if s.file != nil {
		_ = s.file.Close() // it was only read
	} else {
		held = s.entry.Size
	}
	s.fs.closed(held)
	s.file, s.held = nil, nil
	return 0
}
