package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// corpus is a directory with copies of files that people wrote and this machine
// has: those of the Go modules that wr is built with, of Go itself and of wr.
type corpus struct {
	dir   string
	names []string // in dir, sorted
}

// collect makes a corpus of at most so many files whose base name fits.
func collect(dir string, most int, fits func(name string) bool, places ...string) (corpus, error) {
	c := corpus{dir: dir}
	for _, place := range places {
		err := filepath.WalkDir(place, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil //nolint:nilerr // what cannot be read is no part of it
			case entry.IsDir() && (entry.Name() == "bin" || entry.Name() == "cache"):
				return fs.SkipDir
			case len(c.names) == most:
				return fs.SkipAll
			case entry.Type().IsRegular() && fits(entry.Name()):
				return c.add(path)
			}
			return nil
		})
		if err != nil {
			return c, err
		}
	}
	slices.Sort(c.names)
	return c, nil
}

// add copies a file under its own name into a directory of its own.
func (c *corpus) add(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	name := fmt.Sprintf("n%04d/%s", len(c.names), filepath.Base(path))
	c.names = append(c.names, name)
	return write(c.dir, map[string]string{name: string(text)})
}

// places are where people's files are, as far as a machine that builds wr has any.
func places() ([]string, error) {
	out, err := exec.Command("go", "env", "GOMODCACHE", "GOROOT").Output() //nolint:noctx // it answers at once
	if err != nil {
		return nil, fmt.Errorf("find Go's modules: %w", err)
	}
	return append(strings.Fields(string(out)), "."), nil
}

func isDockerfile(name string) bool {
	return name == "Dockerfile" || strings.HasPrefix(name, "Dockerfile.") || strings.HasSuffix(strings.ToLower(name), ".dockerfile")
}

func isScript(name string) bool {
	return strings.HasSuffix(name, ".sh") || strings.HasSuffix(name, ".bash")
}

func isPython(name string) bool { return strings.HasSuffix(name, ".py") }
