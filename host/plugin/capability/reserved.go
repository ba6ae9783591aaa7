package capability

import (
	"path"
	"slices"
	"strings"
)

// Reserved says that no plugin may write to a path, whatever it is granted: what is
// there decides what runs outside of containers, or what plugins may do. Those are
// git's directories, and what is wr's own.
func Reserved(name string) bool {
	own := func(names ...string) func(string) bool {
		return func(part string) bool {
			return slices.ContainsFunc(names, func(one string) bool { return strings.EqualFold(part, one) })
		}
	}
	return slices.ContainsFunc(strings.Split(name, "/"), own(".git", ".wr", ".wr-plugins")) ||
		own("wr.toml", "wr.local.toml", "wr.lock")(path.Base(name))
}
