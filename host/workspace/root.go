package workspace

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Root returns the root of the workspace around dir, without a look at what is in it.
func Root(dir string) (string, error) {
	dir, err := physical(dir)
	if err != nil {
		return "", err
	}
	return findRoot(dir)
}

// findRoot returns the root of the workspace around dir: the nearest directory
// at or above it whose wr.toml holds [workspace], so that a sub-repo works
// alone when one stands inside it; else the outermost git work tree, so that a
// submodule belongs to its superproject; else the outermost project, so that a
// project needs no more than itself.
func findRoot(dir string) (string, error) {
	var outermostGit, outermostProject string
	looked := []string{}
	for at := dir; ; at = filepath.Dir(at) {
		file, err := loadConfig(at)
		switch {
		case fault.HasCode(err, "config.unreadable"):
			return "", err
		case file != nil && file.Workspace != nil:
			return at, nil
		case file != nil && file.Project != nil, isDir(filepath.Join(at, devops)):
			outermostProject = at
		}
		if exists(filepath.Join(at, ".git")) {
			outermostGit = at
		}
		looked = append(looked, at)
		if at == filepath.Dir(at) {
			break
		}
	}
	if outermostGit != "" {
		return outermostGit, nil
	}
	if outermostProject != "" {
		return outermostProject, nil
	}
	return "", notFound(looked)
}

// notFound is the fault for a directory outside of every workspace.
func notFound(looked []string) error {
	return &fault.Error{
		Code:    "workspace.not_found",
		Message: "no workspace at or above " + looked[0],
		Next:    "type `wr init` in the top directory of your repository, or name it with -C",
		Details: "looked for a wr.toml with [workspace], a .git or a project in:\n  " + strings.Join(looked, "\n  "),
	}
}

// loadConfig reads the wr.toml in dir. Both results are nil when there is none.
func loadConfig(dir string) (*config.File, error) {
	file := filepath.Join(dir, config.Name)
	info, err := os.Lstat(file)
	if err != nil || !leadsTo(dir, file, info.Mode(), fs.FileMode.IsRegular) {
		return nil, nil //nolint:nilerr // what cannot be seen is not there
	}
	return config.Load(file, file)
}

// exists reports whether there is anything at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
