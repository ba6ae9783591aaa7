package view

import (
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Tree reaches what is below a directory and never follows a link, whatever
// others rename meanwhile. Paths are clean and relative to it. It is safe for
// concurrent use.
type Tree struct {
	dir    *os.File
	plain  *atomic.Bool // whether the kernel opens directories one at a time only
	memory *memory      // nil = each question goes to the file system
}

// memory is what is known of a tree that is taken to stand still.
type memory struct {
	mu    sync.Mutex // guards what follows
	stats map[string]known
	names map[string][]string
}

type known struct {
	stat unix.Stat_t
	err  error
}

// Open returns the tree below root, which may be closed then.
func Open(root *os.Root) (*Tree, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	return &Tree{dir: dir, plain: &atomic.Bool{}}, nil
}

// Close closes the tree, and every Snapshot of it.
func (t *Tree) Close() error { return t.dir.Close() }

// Snapshot returns the same tree for who looks at many things once: it asks for
// each of them the first time only. Its answers may mix what was before and after
// a change that happens meanwhile.
func (t *Tree) Snapshot() *Tree {
	return &Tree{dir: t.dir, plain: t.plain, memory: &memory{stats: map[string]known{}, names: map[string][]string{}}}
}

// kind is the part of a mode that says what a file is.
func kind(s *unix.Stat_t) uint32 { return uint32(s.Mode) & unix.S_IFMT } //nolint:unconvert // 16 bits on Darwin

// lstat looks at what is at a path. A link on the way is errLink or ENOTDIR.
func (t *Tree) lstat(name string) (s unix.Stat_t, err error) {
	if t.memory != nil {
		return t.remembered(name)
	}
	err = t.in(path.Dir(name), func(fd int) error {
		s, err = lstatAt(fd, path.Base(name))
		return err
	})
	return s, err
}

// remembered is lstat with at most one question to the file system for a path.
func (t *Tree) remembered(name string) (unix.Stat_t, error) {
	m := t.memory
	m.mu.Lock()
	k, ok := m.stats[name]
	m.mu.Unlock()
	if ok {
		return k.stat, k.err
	}
	if dir := path.Dir(name); dir != "." {
		above, err := t.remembered(dir)
		switch {
		case err != nil:
			k.err = err
		case kind(&above) != unix.S_IFDIR:
			k.err = unix.ENOTDIR
		}
	}
	if k.err == nil {
		k.err = control(t.dir, func(fd int) (err error) {
			k.stat, err = lstatAt(fd, name)
			return err
		})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats[name] = k
	return k.stat, k.err
}

// readlink returns where the link at a path leads.
func (t *Tree) readlink(name string) (target string, err error) {
	err = t.in(path.Dir(name), func(fd int) error {
		b := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(fd, path.Base(name), b)
		target = string(b[:max(n, 0)])
		return err
	})
	return target, err
}

// attempts is how often a file that is replaced between looking and opening is
// looked at again.
const attempts = 5

// errReplaced is that somebody replaces a file again and again.
var errReplaced = errors.New("is being replaced")

// open opens the file or directory at a path for reading, if may allows it by what
// it is. Nothing else is ever opened: to open a pipe or a device would do something.
func (t *Tree) open(name string, may func(*unix.Stat_t) error) (f *os.File, s unix.Stat_t, err error) {
	err = t.in(path.Dir(name), func(fd int) error {
		for range attempts {
			if s, err = lstatAt(fd, path.Base(name)); err != nil {
				return err
			}
			if err = may(&s); err != nil {
				return err
			}
			if f, err = openSame(fd, path.Base(name), &s); f != nil || err != nil {
				return err
			}
		}
		return errReplaced
	})
	return f, s, err
}

// openSame opens a file that was looked at; nil = it is another one by now.
func openSame(dir int, name string, s *unix.Stat_t) (*os.File, error) {
	flags := unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	if kind(s) == unix.S_IFDIR {
		flags |= unix.O_DIRECTORY
	}
	fd, err := retry(func() (int, error) { return unix.Openat(dir, name, flags, 0) })
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var now unix.Stat_t
	if err := unix.Fstat(fd, &now); err != nil || now.Dev != s.Dev || now.Ino != s.Ino || kind(&now) != kind(s) {
		return nil, errors.Join(err, unix.Close(fd))
	}
	*s = now
	return os.NewFile(uintptr(fd), name), nil
}

// in calls do with the directory at a path.
func (t *Tree) in(dir string, do func(fd int) error) error {
	return control(t.dir, func(root int) error {
		if dir == "." {
			return do(root)
		}
		fd, err := openDir(root, dir, t.plain)
		if err != nil {
			return err
		}
		return errors.Join(do(fd), unix.Close(fd))
	})
}

// control calls do with what stands for an open file.
func control(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if outer := raw.Control(func(fd uintptr) { err = do(int(fd)) }); outer != nil {
		return outer
	}
	return err
}

// walk opens a directory by opening each on the way.
func walk(root int, dir string) (int, error) {
	fd, owned := root, false
	for name := range strings.SplitSeq(dir, "/") {
		next, err := retry(func() (int, error) {
			return unix.Openat(fd, name, searchOnly|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		})
		if owned {
			_ = unix.Close(fd)
		}
		if err != nil {
			return -1, err
		}
		fd, owned = next, true
	}
	return fd, nil
}

func lstatAt(fd int, name string) (s unix.Stat_t, err error) {
	_, err = retry(func() (int, error) { return 0, unix.Fstatat(fd, name, &s, unix.AT_SYMLINK_NOFOLLOW) })
	return s, err
}

// retry repeats what a signal interrupts.
func retry(do func() (int, error)) (int, error) {
	for {
		n, err := do()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// maxNames is how many names of a directory are looked at.
const maxNames = 1 << 20

// errTooMany is that a directory has more names than that.
var errTooMany = errors.New("the directory has more than a million names")

// list calls visit with the names in an open directory and what they are, as far as
// may wants to know of them, by name.
func (t *Tree) list(f *os.File, dir string, may func(name string) bool, visit func(name string, s *unix.Stat_t)) error {
	names, err := t.names(f, dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !may(name) {
			continue
		}
		s, err := t.child(f, dir, name)
		if errors.Is(err, unix.ENOENT) {
			continue // gone since
		}
		if err != nil {
			return err
		}
		visit(name, &s)
	}
	return nil
}

func (t *Tree) child(f *os.File, dir, name string) (s unix.Stat_t, err error) {
	if t.memory != nil {
		return t.remembered(path.Join(dir, name))
	}
	err = control(f, func(fd int) error {
		s, err = lstatAt(fd, name)
		return err
	})
	return s, err
}

// names are the sorted names in an open directory.
func (t *Tree) names(f *os.File, dir string) ([]string, error) {
	if t.memory == nil {
		return readNames(f)
	}
	t.memory.mu.Lock()
	names, ok := t.memory.names[dir]
	t.memory.mu.Unlock()
	if ok {
		return names, nil
	}
	names, err := readNames(f)
	if err != nil {
		return nil, err
	}
	t.memory.mu.Lock()
	defer t.memory.mu.Unlock()
	t.memory.names[dir] = names
	return names, nil
}

func readNames(f *os.File) ([]string, error) {
	names, err := f.Readdirnames(maxNames + 1)
	if len(names) > maxNames {
		return nil, errTooMany
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	slices.Sort(names)
	return names, err
}
