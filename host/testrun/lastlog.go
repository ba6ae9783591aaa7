package testrun

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/wr-build/wr/host/state"
)

// OpenLastLog opens the output of the last tests of a project, among the runs of
// the workspace at root that are kept. The error is fs.ErrNotExist when there
// are none.
func OpenLastLog(root, project string) (*os.File, error) {
	kept, err := os.OpenRoot(state.Path(root))
	if err != nil {
		return nil, err
	}
	defer kept.Close()
	runs, err := kept.OpenRoot(runsFolder)
	if err != nil {
		return nil, err
	}
	defer runs.Close()
	for _, id := range slices.Backward(runIDs(runs)) {
		f, err := runs.Open(path.Join(id, projectsFolder, state.Name(project), logFile))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return nil, fs.ErrNotExist
}
