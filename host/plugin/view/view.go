// Package view is the workspace as a plugin sees it: the files that its scope
// shows, below a root that nothing leads out of.
//
// # Contract
//
// What is not shown is ErrMissing, as what is not there, in every respect: no
// answer tells the two apart. Files, directories and links are shown; devices,
// pipes and sockets are not, and are never opened.
//
// A link is followed if it is shown itself, leads to a path below the root, and what
// it leads to is shown by its own path. So a link adds no rights. The path that is
// judged is the one that is opened: each directory on the way is opened without
// following links, and what was opened is compared with what was looked at, so a
// rename in between gains nothing.
//
// A hard link is a file of the workspace like any other: nothing tells which of its
// names came first, and who could make it could as well have copied the file.
//
// The answers depend on nothing but names, types, sizes and contents of files, so
// that they can be recorded (host/plugin/trace) and asked again (Ask). Times, owners,
// modes and numbers of inodes are not to be seen.
package view

import (
	"errors"
	"hash/fnv"
	"io"
	"os"
	"path"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/host/plugin/trace"
)

// Why there is no better answer. Other errors are failures of the file system.
var (
	ErrMissing = errors.New("no such file")
	ErrNotDir  = errors.New("not a directory")
	ErrNotLink = errors.New("not a link")
	ErrLinks   = errors.New("too many links")
)

// maxLinks is how many links one path may lead over.
const maxLinks = 40

// View is what a scope shows of a tree. It is safe for concurrent use.
type View struct {
	tree  *Tree
	scope *scope.Scope

	mu    sync.Mutex     // guards what follows
	known map[look]found // of a snapshot; nil = nothing is kept
}

// look is what Stat and Lstat are asked.
type look struct {
	name   string
	follow bool
}

// found is what they say.
type found struct {
	entry Entry
	err   error
}

// New returns the view of a tree. That of a snapshot keeps its answers.
func New(t *Tree, s *scope.Scope) *View {
	v := &View{tree: t, scope: s}
	if t.memory != nil {
		v.known = map[look]found{}
	}
	return v
}

// Entry is what is at a path.
type Entry struct {
	Name string // its own; the base of Path or of the link that leads to it
	Path string // where it is, without links on the way
	Type trace.Type
	Size int64 // in bytes; 0 for a directory
}

// Inode is the number that stands for the entry's place.
func (e Entry) Inode() uint64 { return Inode(e.Path) }

// Inode is a number that stands for a path. It is never 0.
func Inode(name string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, name)
	return h.Sum64() | 1
}

// Stat says what is at a path; links are followed.
func (v *View) Stat(name string) (Entry, error) { return v.once(look{name, true}) }

// Lstat says what is at a path; a link at its end is not followed.
func (v *View) Lstat(name string) (Entry, error) { return v.once(look{name, false}) }

// once looks, at most once at the same in a snapshot.
func (v *View) once(l look) (Entry, error) {
	if v.known == nil {
		return v.look(l.name, l.follow)
	}
	v.mu.Lock()
	f, ok := v.known[l]
	v.mu.Unlock()
	if !ok {
		f.entry, f.err = v.look(l.name, l.follow)
		v.mu.Lock()
		v.known[l] = f
		v.mu.Unlock()
	}
	return f.entry, f.err
}

func (v *View) look(name string, follow bool) (Entry, error) {
	if !valid(name) {
		return Entry{}, ErrMissing
	}
	s, err := v.tree.lstat(name)
	switch {
	case errors.Is(err, unix.ENOENT):
		return Entry{}, ErrMissing
	case err != nil || follow && kind(&s) == unix.S_IFLNK:
		return v.follow(name, follow)
	}
	return v.entry(name, &s)
}

// Readlink says where the link at a path leads to, in the link's own words.
func (v *View) Readlink(name string) (string, error) {
	e, err := v.Lstat(name)
	if err != nil {
		return "", err
	}
	if e.Type != trace.Symlink {
		return "", ErrNotLink
	}
	return v.tree.readlink(e.Path)
}

// Open opens a file or directory for reading; links are followed.
func (v *View) Open(name string) (*os.File, Entry, error) {
	if !valid(name) {
		return nil, Entry{}, ErrMissing
	}
	f, e, err := v.open(name)
	if err == nil || errors.Is(err, ErrMissing) {
		return f, e, err
	}
	for range attempts { // a link on the way, or renamed since
		if e, err = v.follow(name, true); err != nil {
			return nil, Entry{}, err
		}
		if f, e, err = v.open(e.Path); err == nil || !errors.Is(err, errLink) {
			break
		}
	}
	e.Name = path.Base(name)
	return f, e, err
}

// errLink is that a path has links.
var errLink = errors.New("is a link")

// open opens what is at a path without links.
func (v *View) open(name string) (*os.File, Entry, error) {
	var e Entry
	f, s, err := v.tree.open(name, func(s *unix.Stat_t) (err error) {
		if e, err = v.entry(name, s); err == nil && e.Type == trace.Symlink {
			err = errLink
		}
		return err
	})
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil, Entry{}, ErrMissing
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENOTDIR):
		return nil, Entry{}, errLink
	case err != nil:
		return nil, Entry{}, err
	}
	e, err = v.entry(name, &s)
	return f, e, err
}

// List returns what is shown of an open directory, by name.
func (v *View) List(f *os.File, dir string) ([]Entry, error) {
	var entries []Entry
	may := func(name string) bool {
		name = path.Join(dir, name)
		return utf8.ValidString(name) && (v.scope.File(name) || v.scope.Dir(name))
	}
	err := v.tree.list(f, dir, may, func(name string, s *unix.Stat_t) {
		if e, err := v.entry(path.Join(dir, name), s); err == nil {
			entries = append(entries, e)
		}
	})
	return entries, err
}

// entry is what is shown of what was found at a path without links.
func (v *View) entry(name string, s *unix.Stat_t) (Entry, error) {
	e := Entry{Name: path.Base(name), Path: name, Size: s.Size}
	shown := false
	switch kind(s) {
	case unix.S_IFREG:
		e.Type, shown = trace.File, v.scope.File(name)
	case unix.S_IFDIR:
		e.Type, e.Size, shown = trace.Dir, 0, v.scope.Dir(name)
	case unix.S_IFLNK:
		e.Type, shown = trace.Symlink, v.scope.File(name) || v.scope.Dir(name)
	}
	if !shown {
		return Entry{}, ErrMissing
	}
	return e, nil
}

// follow is look for a path with links, or with something else in its way, name by
// name. What is not shown ends it as what is missing does.
func (v *View) follow(name string, last bool) (Entry, error) {
	e := Entry{Path: ".", Type: trace.Dir}
	rest, links := strings.Split(name, "/"), 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch {
		case e.Type != trace.Dir:
			return Entry{}, ErrNotDir
		case part == "" || part == ".":
			continue
		case part == ".." && e.Path == ".":
			return Entry{}, ErrMissing
		case part == "..":
			e.Path = path.Dir(e.Path)
			continue
		}
		next, err := v.step(path.Join(e.Path, part))
		if err != nil {
			return Entry{}, err
		}
		if next.Type != trace.Symlink || len(rest) == 0 && !last {
			e = next
			continue
		}
		if links++; links > maxLinks {
			return Entry{}, ErrLinks
		}
		target, err := v.tree.readlink(next.Path)
		if err != nil || path.IsAbs(target) {
			return Entry{}, missing(err)
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	e.Name = path.Base(name)
	return e, nil
}

// step looks at one name in a directory that is shown.
func (v *View) step(name string) (Entry, error) {
	s, err := v.tree.lstat(name)
	if err == nil {
		return v.entry(name, &s)
	}
	if !v.scope.File(name) && !v.scope.Dir(name) {
		return Entry{}, ErrMissing
	}
	return Entry{}, missing(err)
}

// missing is ErrMissing for what is gone, or was replaced, meanwhile.
func missing(err error) error {
	if err == nil || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EINVAL) {
		return ErrMissing
	}
	return err
}

// valid reports whether a path is clean, relative and text.
func valid(name string) bool {
	return name != "" && name[0] != '/' && path.Clean(name) == name && name != ".." && !strings.HasPrefix(name, "../") &&
		len(name) < unix.PathMax && utf8.ValidString(name) && !strings.ContainsRune(name, 0)
}
