package workspace

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// ignoreFile holds git's patterns for files that are not part of a repository.
// Only these committed files count: .git/info/exclude and a user's own
// patterns would give each machine another set of projects.
const ignoreFile = ".gitignore"

// ignores holds the patterns of one .gitignore about directories. A pattern
// that is a plain name is looked up; the others are matched one by one.
type ignores struct {
	above  *ignores       // of the directories above, weaker
	file   string         // for messages
	base   string         // workspace path of its directory; "" when outside of the workspace
	prefix string         // path from its directory to the workspace's root, when outside
	names  map[string]int // plain name to index of the last pattern with it
	globs  []int          // indices of all others
	rules  []ignoreRule   // in the order of the file; later ones win
}

// ignoreRule is one pattern.
type ignoreRule struct {
	glob     string // for package doublestar
	line     int    // 1-based
	negated  bool   // starts with "!": does count after all
	anchored bool   // about the path, not the name alone
}

// ignoresAbove returns the patterns that hold at root because it lies inside a
// git work tree: those of all directories from the tree's top to above root.
func ignoresAbove(root string) (*ignores, error) {
	var dirs []string
	for at := root; !exists(filepath.Join(at, ".git")); at = filepath.Dir(at) {
		if at == filepath.Dir(at) {
			return nil, nil // not in a work tree
		}
		dirs = append(dirs, filepath.Dir(at))
	}
	var chain *ignores
	for _, dir := range slices.Backward(dirs) {
		file := filepath.Join(dir, ignoreFile)
		if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
			continue
		}
		next, err := readIgnores(file)
		if err != nil {
			return nil, unreadable(file, err)
		}
		rel, _ := filepath.Rel(dir, root) // both are absolute: cannot fail
		next.above, next.prefix, next.file = chain, filepath.ToSlash(rel), file
		chain = next
	}
	return chain, nil
}

// readIgnores reads the .gitignore at path. As in git, only one that is a
// regular file counts; callers see to that.
func readIgnores(path string) (*ignores, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseIgnores(data), nil
}

// parseIgnores reads the patterns of one .gitignore.
func parseIgnores(data []byte) *ignores {
	g := &ignores{names: map[string]int{}}
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		number++
		rule, ok := parseIgnoreRule(strings.TrimRight(string(line), "\r\n"))
		if !ok {
			continue
		}
		rule.line = number
		g.rules = append(g.rules, rule)
		if last := len(g.rules) - 1; !rule.anchored && !strings.ContainsAny(rule.glob, `*?[\`) {
			g.names[rule.glob] = last
		} else {
			g.globs = append(g.globs, last)
		}
	}
	return g
}

// parseIgnoreRule translates one line; not ok means that it holds no pattern.
// The rules are those of gitignore(5).
func parseIgnoreRule(line string) (rule ignoreRule, ok bool) {
	if strings.HasPrefix(line, "#") {
		return rule, false
	}
	line = trimSpaces(line)
	line, rule.negated = strings.CutPrefix(line, "!")
	line = strings.TrimSuffix(line, "/") // directories alone are ever asked for
	rule.anchored = strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if strings.HasSuffix(line, "/**") || line == "**" && rule.anchored {
		line += "/*" // what lies inside, not the directory itself
	}
	rule.glob = braces.Replace(line)
	return rule, line != "" && doublestar.ValidatePattern(rule.glob)
}

// braces protects { and }, which mean alternatives to package doublestar alone,
// unless a backslash does so already.
var braces = strings.NewReplacer(`\\`, `\\`, `\{`, `\{`, `\}`, `\}`, "{", `\{`, "}", `\}`)

// trimSpaces removes trailing spaces that no backslash protects.
func trimSpaces(line string) string {
	trimmed := strings.TrimRight(line, " ")
	backslashes := len(trimmed) - len(strings.TrimRight(trimmed, `\`))
	if trimmed != line && backslashes%2 == 1 {
		trimmed += " "
	}
	return trimmed
}

// match returns where the directory at the workspace path dir is ignored; line
// is 0 when it is not. The nearest file with an opinion decides.
func (g *ignores) match(dir string) (file string, line int) {
	for ; g != nil; g = g.above {
		if rule := g.last(dir); rule != nil && rule.negated {
			return "", 0
		} else if rule != nil {
			return g.file, rule.line
		}
	}
	return "", 0
}

// last returns the last rule that dir matches, or nil.
func (g *ignores) last(dir string) *ignoreRule {
	name, rel := path.Base(dir), path.Join(g.prefix, dir)
	if g.base != "" && g.base != "." {
		rel = dir[len(g.base)+1:]
	}
	best, found := g.names[name]
	if !found {
		best = -1
	}
	for i := len(g.globs) - 1; i >= 0 && g.globs[i] > best; i-- {
		rule := &g.rules[g.globs[i]]
		subject := name
		if rule.anchored {
			subject = rel
		}
		if doublestar.MatchUnvalidated(rule.glob, subject) {
			best = g.globs[i]
		}
	}
	if best < 0 {
		return nil
	}
	return &g.rules[best]
}
