package scaffold

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/wr-build/wr/host/config"
)

// ignoreFile is where git reads what is no part of a repository.
const ignoreFile = ".gitignore"

// ignore plans a line by which git ignores a person's own settings, unless one
// of the file does so. Patterns elsewhere are one user's and do not help others.
func (p *Plan) ignore() error {
	path := filepath.Join(p.Root, ignoreFile)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		p.note("%s is no file; have git ignore %s", ignoreFile, config.LocalName)
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := string(data)
	if ignoresLocal(text) {
		return nil
	}
	lines := "# wr: settings of one person\n/" + config.LocalName + "\n"
	if text != "" && !strings.HasSuffix(text, "\n") {
		lines = "\n" + lines
	}
	p.Files = append(p.Files, File{Path: ignoreFile, Content: lines, Append: text != ""})
	return nil
}

// ignoresLocal reports whether the last pattern about a person's settings in the
// root says that git ignores them.
func ignoresLocal(text string) (ignored bool) {
	for line := range strings.Lines(text) {
		pattern, negated := strings.CutPrefix(strings.TrimSpace(line), "!")
		if ok, err := doublestar.Match(strings.TrimPrefix(pattern, "/"), config.LocalName); ok && err == nil {
			ignored = !negated
		}
	}
	return ignored
}
