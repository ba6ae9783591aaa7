package testrun

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
)

// OpenLastLog opens the output of the last tests of a project, among the runs of
// the workspace at root that are kept. The error is fs.ErrNotExist when there
// are none.
func OpenLastLog(root, project string) (*os.File, error) {
	workspace, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer workspace.Close()
	runs, err := workspace.OpenRoot(path.Join(stateFolder, runsFolder))
	if err != nil {
		return nil, err
	}
	defer runs.Close()
	for _, id := range slices.Backward(runIDs(runs)) {
		f, err := runs.Open(path.Join(id, projectsFolder, folderOf(project), logFile))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return nil, fs.ErrNotExist
}
