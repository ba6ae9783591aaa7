// Package scope says which files of the workspace a plugin sees: those that match
// a glob of its fs.read grants and do not look like a secret. To a plugin all
// others do not exist.
//
// # Contract
//
// Only names count, never what is there: a Scope touches no file. Paths are
// relative to the workspace's root, slash-separated, without ".", ".." and empty
// parts, and "." is the root itself. Links are for the caller to follow, and to
// ask for every path on the way.
//
// A glob is doublestar's: "*" and "?" stay within a name, "**" as a whole name
// stands for any number of directories, "{a,b}" and "[a-z]" are known.
//
// What looks like a secret (Secret) is shown only to a glob that names it without
// wildcards, from the root on: "certs/dev.pem" shows that file, "certs/*.pem" shows
// none, and neither does "**". ".git/**" names the directory and shows what is
// below it, except what looks like a secret of its own.
package scope

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

// Limits of globs, so that none makes matching slow.
const (
	maxGlob    = 1024 // bytes
	maxChoices = 256  // ways to choose among alternatives in braces
)

// Scope is what some globs show. It is immutable; nil shows nothing.
type Scope struct {
	globs []glob
}

// glob is a pattern, prepared.
type glob struct {
	pattern string
	dirs    []string // patterns of the directories that may hold what it matches
	literal []string // its first names, as far as they have no wildcards
}

// New prepares the values of fs.read grants.
func New(globs []string) (*Scope, error) {
	s := &Scope{}
	for _, g := range globs {
		if err := Check(g); err != nil {
			return nil, err
		}
		s.globs = append(s.globs, prepare(g))
	}
	return s, nil
}

// Check says what is wrong with a glob.
func Check(glob string) error {
	var reason string
	switch names := split(glob); {
	case glob == "":
		reason = "is empty"
	case len(glob) > maxGlob:
		return fmt.Errorf("glob %q...: is longer than %d bytes", glob[:32], maxGlob)
	case !utf8.ValidString(glob) || strings.ContainsRune(glob, 0):
		reason = "is not text"
	case strings.HasPrefix(glob, "/"):
		reason = "must be relative to the workspace's root"
	case slices.Contains(names, ".."):
		reason = "must not leave the workspace"
	case slices.Contains(names, "") || slices.Contains(names, "."):
		reason = `has an empty part or "."`
	case !doublestar.ValidatePattern(glob):
		reason = "is no valid pattern"
	case choices(glob) > maxChoices:
		reason = fmt.Sprintf("has more than %d alternatives", maxChoices)
	}
	if reason == "" {
		return nil
	}
	return fmt.Errorf("glob %q: %s", glob, reason)
}

// choices is at least in how many ways the alternatives of a glob can be chosen,
// or more than anybody needs.
func choices(glob string) int {
	ways := 1
	for group := range strings.SplitSeq(glob, "{") {
		if ways *= strings.Count(group, ",") + 1; ways > maxChoices {
			break
		}
	}
	return ways
}

// File reports whether a file, or a link, at that path is shown.
func (s *Scope) File(name string) bool {
	return s.shows(name, func(g glob) bool { return doublestar.MatchUnvalidated(g.pattern, name) })
}

// Dir reports whether a directory at that path is shown: something below it may
// be. The root always is.
func (s *Scope) Dir(name string) bool {
	if name == "." {
		return true
	}
	return s.shows(name, func(g glob) bool {
		return slices.ContainsFunc(g.dirs, func(p string) bool { return doublestar.MatchUnvalidated(p, name) })
	})
}

// shows reports whether one of the globs matches, and names what looks like a
// secret of the path.
func (s *Scope) shows(name string, matches func(glob) bool) bool {
	if s == nil || !valid(name) {
		return false
	}
	return slices.ContainsFunc(s.globs, func(g glob) bool { return matches(g) && g.names(name, secretParts(name)) })
}

// valid reports whether a path is one that the contract allows.
func valid(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsRune(name, 0) &&
		name != "" && name != "." && name[0] != '/' && path.Clean(name) == name &&
		name != ".." && !strings.HasPrefix(name, "../")
}

// names reports whether the first n names of a path are spelled out by the glob.
func (g glob) names(name string, n int) bool {
	if n == 0 {
		return true
	}
	return n <= len(g.literal) && slices.Equal(g.literal[:n], strings.Split(name, "/")[:n])
}

// prepare takes a valid pattern apart.
func prepare(pattern string) glob {
	g := glob{pattern: pattern}
	names := split(pattern)
	for i, name := range names {
		if isLiteral(name) && len(g.literal) == i {
			g.literal = append(g.literal, unescape(name))
		}
	}
	for i, name := range names {
		above := strings.Join(names[:i], "/")
		if strings.Contains(name, "**") || strings.Contains(name, "/") {
			g.dirs = append(g.dirs, path.Join(above, "**")) // at any depth from here on
			return g
		}
		if i > 0 {
			g.dirs = append(g.dirs, above)
		}
	}
	return g
}

// split parts a pattern at its slashes, of which those in braces are none.
func split(pattern string) []string {
	var names []string
	start, depth := 0, 0
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++ // what follows stands for itself
		case '{':
			depth++
		case '}':
			depth = max(0, depth-1)
		case '/':
			if depth == 0 {
				names = append(names, pattern[start:i])
				start = i + 1
			}
		}
	}
	return append(names, pattern[min(start, len(pattern)):])
}

// isLiteral reports whether a name of a pattern matches itself alone.
func isLiteral(name string) bool {
	for i := 0; i < len(name); i++ {
		switch name[i] {
		case '\\':
			i++
		case '*', '?', '[', '{':
			return false
		}
	}
	return true
}

// unescape is what a literal name of a pattern matches.
func unescape(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' && i+1 < len(name) {
			i++
		}
		b.WriteByte(name[i])
	}
	return b.String()
}
