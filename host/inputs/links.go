package inputs

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of following links. A path that takes more links than maxLinks
// cannot be opened by the builder either; where links branch into more than
// maxPaths, the answer is the whole context.
const (
	maxLinks = 255
	maxPaths = 1 << 12
)

// links follows symbolic links inside a directory, which is the root for
// absolute links and for ways out.
type links struct {
	root  string
	seen  map[string]bool // paths that were followed
	found map[string]bool // sources, links on the way, their targets
}

// followLinks adds to sources the targets of the symbolic links on their way,
// as BuildKit does before it asks for them. Patterns may stand anywhere. whole
// says that a link leads to the root.
func followLinks(root string, sources []string) (paths []string, whole bool) {
	l := &links{root: root, seen: map[string]bool{}, found: map[string]bool{}}
	for _, s := range sources {
		if !l.follow(s, 0) {
			return nil, true
		}
	}
	return slices.Sorted(maps.Keys(l.found)), false
}

// follow adds p, reached over some number of links, and what it leads to. It
// gives up with false at the root and at what would be read as an exception.
func (l *links) follow(p string, over int) bool {
	p = strings.TrimPrefix(path.Join("/", p), "/")
	if p == "" || p[0] == '!' || len(l.seen) > maxPaths {
		return false
	}
	if l.seen[p] || over > maxLinks {
		return true
	}
	l.seen[p] = true
	parts := strings.Split(p, "/")
	for i := range parts {
		here, rest := path.Join(parts[:i+1]...), path.Join(parts[i+1:]...)
		targets := l.targets(here)
		if len(targets) > 0 || rest == "" {
			l.found[here] = true
		}
		for _, t := range targets {
			if !l.follow(path.Join(t, rest), over+1) {
				return false
			}
		}
		if len(targets) > 0 {
			return true
		}
	}
	return true
}

// targets are where the links that match p point to, seen from the root.
func (l *links) targets(p string) []string {
	dir, name := path.Split(p)
	if !wild(name) {
		return l.target(p)
	}
	entries, err := os.ReadDir(l.host(dir))
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range entries {
		if ok, _ := filepath.Match(name, e.Name()); ok && e.Type()&fs.ModeSymlink != 0 {
			found = append(found, l.target(path.Join(dir, e.Name()))...)
		}
	}
	return found
}

// target is where p points to if it is a link.
func (l *links) target(p string) []string {
	target, err := os.Readlink(l.host(p))
	if err != nil {
		return nil
	}
	target = filepath.ToSlash(target)
	if !path.IsAbs(target) {
		target = path.Join(path.Dir(p), target)
	}
	return []string{path.Join("/", target)}
}

// host is the host path of p.
func (l *links) host(p string) string { return filepath.Join(l.root, filepath.FromSlash(p)) }

// wild reports whether a name holds a wildcard that is not escaped.
func wild(name string) bool {
	for i := 0; i < len(name); i++ {
		switch name[i] {
		case '\\':
			i++
		case '*', '?', '[':
			return true
		}
	}
	return false
}
