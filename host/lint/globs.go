package lint

import (
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Globs are globs below a project. One that begins with ! takes files out again.
type Globs struct{ with, without []string }

// NewGlobs takes globs that are valid.
func NewGlobs(globs []string) *Globs {
	g := &Globs{}
	for _, glob := range globs {
		if out, ok := strings.CutPrefix(glob, "!"); ok {
			g.without = append(g.without, path.Clean(out))
		} else {
			g.with = append(g.with, path.Clean(glob))
		}
	}
	return g
}

// Match reports whether a path from the project is among them.
func (g *Globs) Match(file string) bool {
	return matchAny(g.with, file) && !matchAny(g.without, file)
}

func matchAny(globs []string, file string) bool {
	for _, glob := range globs {
		if doublestar.MatchUnvalidated(glob, file) {
			return true
		}
	}
	return false
}
