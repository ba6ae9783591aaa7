package testrun

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Names below the workspace root.
const (
	stateFolder = ".wr"
	runsFolder  = ".wr/runs"
	latestLink  = ".wr/runs/latest"
	ignoreFile  = ".wr/.gitignore"
	lockFile    = "lock" // in a run's directory, locked while its process lives
)

// keepRuns is how many runs are kept; older ones are removed.
const keepRuns = 50

// runID is what run ids look like: UTC time, then what keeps two of the same
// second apart.
var runID = regexp.MustCompile(`^\d{8}-\d{6}-[0-9a-f]{4,}$`)

// RunDir is the directory of one run.
type RunDir struct {
	ID   string // sortable by time: 20261123-021533-ab12
	Path string // host path

	lock *os.File // of a run of this process; nil for an older one
}

// NewRunDir makes a fresh directory for a run of the workspace at root, names
// it in .wr/runs/latest and removes the oldest runs. The files belong to owner.
// The run counts as alive until Close or the end of this process.
func NewRunDir(root string, now time.Time, owner spec.Owner) (RunDir, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return RunDir{}, err
	}
	defer r.Close()
	s := state{Root: r, owner: owner}
	d, err := s.newRun(now)
	if err != nil {
		return RunDir{}, cannotKeepRuns(root, err)
	}
	d.Path = filepath.Join(root, filepath.FromSlash(runsFolder), d.ID)
	s.prune()
	return d, nil
}

// Latest returns the newest run of the workspace at root; ok = false when
// there is none.
func Latest(root string) (d RunDir, ok bool) {
	runs := filepath.Join(root, filepath.FromSlash(runsFolder))
	id, err := os.Readlink(filepath.Join(root, filepath.FromSlash(latestLink)))
	if err != nil || !runID.MatchString(id) || !isDir(filepath.Join(runs, id)) {
		entries, _ := os.ReadDir(runs)
		ids := runIDs(entries)
		if len(ids) == 0 {
			return RunDir{}, false
		}
		id = ids[len(ids)-1]
	}
	return RunDir{ID: id, Path: filepath.Join(runs, id)}, true
}

// Unit is the directory of the project with that path, for Unit.RunDir. It is
// not made here. No two projects share one, and none lies inside another.
func (d RunDir) Unit(project string) string {
	return filepath.Join(d.Path, "projects", folderOf(project))
}

// folderOf is the project's path as the name of one folder.
func folderOf(project string) string {
	if project == "." || project == "" {
		return "+" // no project path starts with a slash
	}
	return strings.NewReplacer("%", "%25", "+", "%2B", "/", "+").Replace(project)
}

// cacheFolder holds pytest's own caches, a folder for each project.
const cacheFolder = stateFolder + "/pytest"

// makeCache makes the folder for the project's pytest cache in the workspace at
// root, unless it is there, and returns its host path. It never lies in the
// source tree, where pytest would put it, and is kept, so that --lf works.
func makeCache(root, project string, owner spec.Owner) (string, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return "", err
	}
	defer r.Close()
	s := state{Root: r, owner: owner}
	folder := path.Join(cacheFolder, folderOf(project))
	for _, name := range []string{cacheFolder, folder} {
		if err := s.mkdir(name); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", cannotKeepRuns(root, err)
		}
	}
	return filepath.Join(root, filepath.FromSlash(folder)), nil
}

// Close says that the run is over.
func (d RunDir) Close() error {
	if d.lock == nil {
		return nil
	}
	return d.lock.Close()
}

// state is a workspace of which wr's own folder is used. Why os.Root: under
// sudo the tree belongs to someone else, and a symlink there must not lead us
// out of it.
type state struct {
	*os.Root
	owner spec.Owner
}

func (s state) newRun(now time.Time) (RunDir, error) {
	for _, folder := range []string{stateFolder, runsFolder} {
		if err := s.mkdir(folder); err != nil && !errors.Is(err, fs.ErrExist) {
			return RunDir{}, err
		}
	}
	if err := s.ignore(); err != nil {
		return RunDir{}, err
	}
	id, err := s.claim(now)
	if err != nil {
		return RunDir{}, err
	}
	lock, err := s.hold(path.Join(runsFolder, id))
	if err != nil {
		return RunDir{}, err
	}
	if err := errors.Join(s.mkdir(path.Join(runsFolder, id, "projects")), s.point(id)); err != nil {
		return RunDir{}, errors.Join(err, lock.Close())
	}
	return RunDir{ID: id, lock: lock}, nil
}

// claim makes the run's directory. Making it is what decides who has the id.
func (s state) claim(now time.Time) (string, error) {
	for {
		id := now.UTC().Format("20060102-150405-") + random(2)
		err := s.mkdir(path.Join(runsFolder, id))
		if !errors.Is(err, fs.ErrExist) {
			return id, err
		}
	}
}

// ignore makes .wr invisible to git, unless there is something of the user's.
func (s state) ignore() error {
	f, err := s.OpenFile(ignoreFile, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString("*\n")
	return errors.Join(err, f.Close(), s.own(ignoreFile))
}

// hold locks the run in folder, so that nobody prunes it while we live.
func (s state) hold(folder string) (*os.File, error) {
	name := path.Join(folder, lockFile)
	f, err := s.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(tryLock(f), s.own(name)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// point makes latest name id, in one step for everyone who looks.
func (s state) point(id string) error {
	fresh := latestLink + "." + id
	if err := s.Symlink(id, fresh); err != nil {
		return err
	}
	return errors.Join(s.own(fresh), s.Rename(fresh, latestLink))
}

// prune removes the runs beyond the newest, as far as it can: a run is not
// worth failing for what is left of another.
func (s state) prune() {
	entries, err := fs.ReadDir(s.FS(), runsFolder)
	if err != nil {
		return
	}
	ids := runIDs(entries)
	for _, id := range ids[:max(0, len(ids)-keepRuns)] {
		s.remove(path.Join(runsFolder, id))
	}
}

// remove removes the run in folder unless its process lives.
func (s state) remove(folder string) {
	lock, err := s.OpenFile(path.Join(folder, lockFile), os.O_RDWR, 0)
	if err == nil {
		defer lock.Close()
		err = tryLock(lock)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		_ = s.RemoveAll(folder)
	}
}

func (s state) mkdir(name string) error {
	if err := s.Mkdir(name, 0o755); err != nil {
		return err
	}
	return s.own(name)
}

func (s state) own(name string) error {
	if !isRoot() {
		return nil
	}
	return s.Lchown(name, s.owner.UID, s.owner.GID)
}

// runIDs returns the ids of runs among entries, oldest first.
func runIDs(entries []fs.DirEntry) []string {
	var ids []string
	for _, e := range entries {
		if e.IsDir() && runID.MatchString(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	slices.Sort(ids)
	return ids
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func cannotKeepRuns(root string, err error) error {
	return &fault.Error{
		Code: "run.no_directory", Message: fmt.Sprintf("cannot keep this run in the workspace: %v", err), Err: err,
		Next: "make " + filepath.Join(root, stateFolder) + " a directory that you may write to",
	}
}
