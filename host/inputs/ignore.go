package inputs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// ignored compiles what is left out of the context.
func (in Image) ignored() (*patternmatcher.PatternMatcher, error) {
	if in.Ignore == nil {
		return ignored(in.Context, in.Dockerfile)
	}
	return parseIgnore([]byte(strings.Join(in.Ignore, "\n")))
}

// ignored compiles the ignore file of a Dockerfile: the one beside it that
// carries its name, else .dockerignore in the context; nil = neither.
func ignored(root, dockerfile string) (*patternmatcher.PatternMatcher, error) {
	for _, name := range []string{dockerfile + ".dockerignore", ".dockerignore"} {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, unreadable(name, err)
		}
		if len(data) == 0 {
			continue // BuildKit takes an empty file for a missing one
		}
		m, err := parseIgnore(data)
		if err != nil {
			return nil, &fault.Error{
				Code:    "image.dockerignore_invalid",
				Message: "not a list of patterns: " + err.Error(),
				File:    name,
				Next:    "mend the pattern",
				Err:     err,
			}
		}
		return m, nil
	}
	return nil, nil
}

// parseIgnore compiles the text of an ignore file.
func parseIgnore(data []byte) (*patternmatcher.PatternMatcher, error) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(data))
	if err != nil || len(patterns) == 0 {
		return nil, err
	}
	return patternmatcher.New(patterns)
}
