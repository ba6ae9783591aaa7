package plan

import (
	"path"
	"slices"
	"strings"
)

// leaving are the flags by which pytest leaves out what it does not tell of.
var leaving = []string{"--deselect", "--ignore", "--ignore-glob"}

// valued are pytest's short flags that are followed by a value.
var valued = []string{"-c", "-k", "-m", "-n", "-o", "-p", "-r", "-W"}

// Whole reports whether pytest is to collect all cases of a file, by its path from
// Dir: nobody asked for some of them, or has it leave some out. seen says that it has
// collected some; else what may be a path among its arguments may have kept it from
// the file.
func (t *Tests) Whole(file string, seen bool) bool {
	for i, arg := range t.Args {
		flag, _, _ := strings.Cut(arg, "=")
		switch {
		case slices.Contains(choosing, flag) || slices.Contains(leaving, flag):
			return false
		case strings.HasPrefix(arg, "-") || i > 0 && slices.Contains(valued, t.Args[i-1]) || slices.Contains(t.Named, arg):
		case !seen || strings.Contains(arg, "::"):
			return false
		}
	}
	return len(t.Order) == 0 && (len(t.Named) == 0 || slices.ContainsFunc(t.Named, func(asked string) bool {
		asked = path.Clean(asked)
		return asked == "." || asked == file || strings.HasPrefix(file, asked+"/")
	}))
}
