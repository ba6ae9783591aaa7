package testrun

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Names in the state of the workspace, each in the one above.
const (
	cacheFolder    = "pytest" // pytest's own caches, a folder for each project
	runsFolder     = "runs"
	latestLink     = "latest"
	projectsFolder = "projects" // of one run, a folder for each project
	lockFile       = "lock"     // of one run, locked while its process lives
)

// keepRuns is how many runs are kept; older ones are removed.
const keepRuns = 50

// tick is how far apart run ids are: they end in the fraction of their second
// as four hexadecimal digits.
const tick = time.Second / (1 << 16)

// runID is what run ids look like: UTC time, and the ticks since that second.
// Earlier versions ended them at random.
var runID = regexp.MustCompile(`^\d{8}-\d{6}-[0-9a-f]{4,}$`)

// RunDir is the directory of one run. One that was made by this process holds
// it open until Close, and all that is written goes through those handles.
type RunDir struct {
	ID   string // sorts by time: 20261123-021533-ab12
	Path string // host path

	state state.Folder // .wr
	run   state.Folder // the directory itself
	lock  *os.File
}

// NewRunDir makes a fresh directory for a run of the workspace at root, names
// it in .wr/runs/latest and removes the oldest runs. The files belong to owner.
// The run counts as alive until Close or the end of this process.
func NewRunDir(root string, now time.Time, owner spec.Owner) (RunDir, error) {
	var d RunDir
	if err := d.create(root, now, owner); err != nil {
		return RunDir{}, cannotKeepRuns(state.Path(root), errors.Join(err, d.Close()))
	}
	d.Path = filepath.Join(state.Path(root), runsFolder, d.ID)
	return d, nil
}

// create fills d as far as it comes.
func (d *RunDir) create(root string, now time.Time, owner spec.Owner) error {
	var err error
	if d.state, err = state.Open(root, owner); err != nil {
		return err
	}
	runs, err := d.state.Enter(runsFolder)
	if err != nil {
		return err
	}
	defer runs.Close()
	if err := d.claim(runs, now); err != nil {
		return err
	}
	prune(runs)
	return runs.Point(latestLink, d.ID)
}

// claim makes the run's directory in runs. Making it is what decides who has
// the id: one that comes to the same takes the next. Locking it is what keeps
// others from pruning it while we live.
func (d *RunDir) claim(runs state.Folder, now time.Time) (err error) {
	for ; d.run.Root == nil; now = now.Add(tick + 1) {
		d.ID = newID(now)
		if d.run, err = runs.Fresh(d.ID); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if d.lock, err = d.run.NewFile(lockFile); err != nil {
		return err
	}
	if err := tryLock(d.lock); err != nil {
		return err
	}
	projects, err := d.run.Fresh(projectsFolder)
	return errors.Join(err, projects.Close())
}

// newID is the id of a run that starts now: ids sort as their runs started.
func newID(now time.Time) string {
	return now.UTC().Format("20060102-150405-") + fmt.Sprintf("%04x", now.Nanosecond()<<16/int(time.Second))
}

// Close says that the run is over.
func (d RunDir) Close() error {
	err := errors.Join(d.state.Close(), d.run.Close())
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
	}
	return err
}

// Latest returns the newest run of the workspace at root; ok = false when
// there is none.
func Latest(root string) (d RunDir, ok bool) {
	path := filepath.Join(state.Path(root), runsFolder)
	runs, err := os.OpenRoot(path)
	if err != nil {
		return RunDir{}, false
	}
	defer runs.Close()
	id, err := runs.Readlink(latestLink)
	if info, _ := runs.Lstat(id); err != nil || !runID.MatchString(id) || info == nil || !info.IsDir() {
		ids := runIDs(runs)
		if len(ids) == 0 {
			return RunDir{}, false
		}
		id = ids[len(ids)-1]
	}
	return RunDir{ID: id, Path: filepath.Join(path, id)}, true
}

// Unit is the host path of the directory of the project with that path. No two
// projects share one, and none lies inside another.
func (d RunDir) Unit(project string) string {
	return filepath.Join(d.Path, projectsFolder, state.Name(project))
}

// unit makes the directory of the project with that path. It fails if there is
// one already: what it held would be taken for a result of this run.
func (d RunDir) unit(project string) (state.Folder, error) {
	projects, err := d.run.Existing(projectsFolder)
	if err != nil {
		return state.Folder{}, err
	}
	defer projects.Close()
	unit, err := projects.Fresh(state.Name(project))
	if errors.Is(err, fs.ErrExist) {
		return state.Folder{}, &fault.Error{
			Code: "test.stale_dir", Class: fault.Bug, Err: err,
			Message: fmt.Sprintf("%s exists already; what is in it would be mixed into this run", d.Unit(project)),
		}
	}
	return unit, err
}

// sameUnit opens the directory that unit has made in this run.
func (d RunDir) sameUnit(project string) (state.Folder, error) {
	projects, err := d.run.Existing(projectsFolder)
	if err != nil {
		return state.Folder{}, err
	}
	defer projects.Close()
	return projects.Existing(state.Name(project))
}

// cache makes the folder for the project's pytest cache, unless it is there,
// and returns its host path. It never lies in the source tree, where pytest
// would put it, and is kept from run to run, so that --lf works.
func (d RunDir) cache(project string) (string, error) {
	above := filepath.Dir(filepath.Dir(d.Path))
	caches, err := d.state.Enter(cacheFolder)
	if err != nil {
		return "", cannotKeepRuns(above, err)
	}
	defer caches.Close()
	cache, err := caches.Enter(state.Name(project))
	if err != nil {
		return "", cannotKeepRuns(above, err)
	}
	return filepath.Join(above, cacheFolder, state.Name(project)), cache.Close()
}

// prune removes the runs beyond the newest, as far as it can: a run is not
// worth failing for what is left of another.
func prune(runs state.Folder) {
	ids := runIDs(runs.Root)
	for _, id := range ids[:max(0, len(ids)-keepRuns)] {
		remove(runs, id)
	}
}

// remove removes a run unless its process lives.
func remove(runs state.Folder, id string) {
	lock, err := runs.OpenFile(path.Join(id, lockFile), os.O_RDWR, 0)
	if err == nil {
		defer lock.Close()
		err = tryLock(lock)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		_ = runs.RemoveAll(id)
	}
}

// runIDs returns the ids of the runs in a folder of runs, oldest first.
func runIDs(runs *os.Root) []string {
	entries, _ := fs.ReadDir(runs.FS(), ".")
	var ids []string
	for _, e := range entries {
		if e.IsDir() && runID.MatchString(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	slices.Sort(ids)
	return ids
}

func cannotKeepRuns(state string, err error) error {
	if f := fault.Disk(err, state); f != nil {
		return f
	}
	return &fault.Error{
		Code: "run.no_directory", Message: fmt.Sprintf("cannot keep this run in the workspace: %v", err), Err: err,
		Next: "make " + state + " a directory that you may write to",
	}
}

// notRecorded is the fault of a run whose record could not be completed.
func notRecorded(dir RunDir, events int, err error) error {
	f := fault.Disk(err, dir.Path)
	if f == nil {
		f = &fault.Error{Code: "run.not_recorded", Message: err.Error(), Err: err, Next: "see whether you may write to " + dir.Path}
	}
	f.Message = "this run has no " + JUnitFile + ": " + f.Message
	f.Next += ", and run the tests again"
	f.Details = fmt.Sprintf("kept in %s: the first %d events in %s, and what the projects have printed", dir.Path, events, EventsFile)
	return f
}
