package helper

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Stale are the directories of helpers below stateDir that other builds of wr
// have unpacked and no process runs from: shims outlive the build that started
// them.
func Stale(stateDir string) ([]string, error) {
	assets, err := fs.Sub(embedded, "embedded")
	if err != nil {
		return nil, err
	}
	return stale(stateDir, engineHelpers(assets, runtime.GOARCH).key(), "/proc")
}

// StalePlugin are the same below the directory of UnpackPlugin.
func StalePlugin(dir string) ([]string, error) {
	assets, err := fs.Sub(embedded, "embedded")
	if err != nil {
		return nil, err
	}
	return stale(dir, readManifest(assets).usable(assets, runtime.GOARCH).only(pluginName).key(), "/proc")
}

// stale is Stale for a build whose helpers have that key.
func stale(stateDir, key, proc string) ([]string, error) {
	data := filepath.Join(stateDir, dataDir)
	entries, err := os.ReadDir(data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find old helpers: %w", err)
	}
	running, err := executables(proc)
	if err != nil {
		return nil, fmt.Errorf("find old helpers: %w", err)
	}
	var out []string
	for _, e := range entries {
		dir := filepath.Join(data, e.Name())
		if e.IsDir() && e.Name() != key && !anyBelow(running, dir) {
			out = append(out, dir)
		}
	}
	return out, nil
}

// RemoveStale removes a directory that Stale has returned. A wr of that build
// unpacks it anew.
func RemoveStale(dir string) error {
	unlock, err := lock(dir + lockSuffix)
	if err != nil {
		return err
	}
	defer unlock()
	return os.RemoveAll(dir)
}

// executables are the paths of the programs that run.
func executables(proc string) ([]string, error) {
	links, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "exe"))
	var out []string
	for _, link := range links {
		if path, err := os.Readlink(link); err == nil { // else it has ended
			out = append(out, path)
		}
	}
	return out, err
}

func anyBelow(paths []string, dir string) bool {
	for _, path := range paths {
		if strings.HasPrefix(path, dir+"/") {
			return true
		}
	}
	return false
}
