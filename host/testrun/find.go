package testrun

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Runs are the ids of the runs that are kept of the workspace at root, the
// oldest first.
func Runs(root string) []string {
	runs, err := os.OpenRoot(filepath.Join(state.Path(root), runsFolder))
	if err != nil {
		return nil
	}
	defer runs.Close()
	return runIDs(runs)
}

// Find opens the run of the workspace at root that name says: an id, what only
// its id begins with, the last part of an id, or "latest". What is written into
// it belongs to whom the run belongs. The caller closes it.
func Find(root, name string) (RunDir, error) {
	id, err := called(root, name)
	if err != nil {
		return RunDir{}, err
	}
	d := RunDir{ID: id, Path: filepath.Join(state.Path(root), runsFolder, id)}
	if d.run, err = enter(root, d.Path, filepath.Base(state.Path(root)), runsFolder, id); err != nil {
		return RunDir{}, cannotRead(d.Path, err)
	}
	return d, nil
}

// Before is the id of the run before the one with that id; "" = there is none.
func Before(root, id string) string {
	ids := Runs(root)
	at, _ := slices.BinarySearch(ids, id)
	if at == 0 || len(ids) == 0 {
		return ""
	}
	return ids[at-1]
}

// OpenDir opens the run in the directory at path, wherever it was copied to.
// The caller closes it.
func OpenDir(path string) (RunDir, error) {
	run, err := enter(path, path)
	if err != nil {
		return RunDir{}, cannotRead(path, err)
	}
	return RunDir{ID: filepath.Base(path), Path: path, run: run}, nil
}

// enter opens the folder that names lead to from the directory at root, without
// following a link; what is made in it belongs to whom the one at path belongs.
func enter(root, path string, names ...string) (state.Folder, error) {
	info, err := os.Stat(path)
	if err != nil {
		return state.Folder{}, err
	}
	stat := info.Sys().(*syscall.Stat_t)
	at, err := state.Root(root, spec.Owner{UID: int(stat.Uid), GID: int(stat.Gid)})
	for _, name := range names {
		if err != nil {
			break
		}
		above := at
		at, err = above.Existing(name)
		err = errors.Join(err, above.Close())
	}
	return at, err
}

// called is the id of the run that name says.
func called(root, name string) (string, error) {
	ids := Runs(root)
	if len(ids) == 0 {
		return "", &fault.Error{Code: "run.none", Message: "no run of tests is kept in this workspace", Next: "wr test --recursive"}
	}
	if name == "" || name == latestLink {
		d, _ := Latest(root)
		return d.ID, nil
	}
	fitting := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return !strings.HasPrefix(id, name) && !strings.HasSuffix(id, "-"+name)
	})
	switch {
	case slices.Contains(ids, name):
		return name, nil
	case len(fitting) == 1:
		return fitting[0], nil
	case len(fitting) > 1:
		return "", &fault.Error{
			Code: "run.ambiguous", Class: fault.Usage, Message: fmt.Sprintf("%s can be any of %d runs", name, len(fitting)),
			Details: strings.Join(fitting, "\n"), Next: "name one of them",
		}
	default:
		return "", &fault.Error{
			Code: "run.unknown", Class: fault.Usage, Message: "no run that is kept is called " + name, Hint: fault.Closest(name, ids), Next: "wr report ls",
		}
	}
}

// Load reads back what d tells, and hands each event on to sinks. A run that was
// cut off is no error.
func (d RunDir) Load(sinks ...event.Sink) (*report.Run, error) {
	path := filepath.Join(d.Path, EventsFile)
	info, err := d.run.Lstat(EventsFile)
	if err != nil {
		return nil, cannotRead(path, err)
	}
	if !info.Mode().IsRegular() { // what runs in a container can put a link or a pipe there
		return nil, cannotRead(path, errors.New("not a regular file"))
	}
	f, err := d.run.OpenFile(EventsFile, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, cannotRead(path, err)
	}
	defer f.Close()
	r, err := report.Read(f, sinks...)
	if damaged, ok := errors.AsType[*fault.Error](err); ok {
		damaged.File = path
	}
	return r, err
}

// Alive reports whether the process of a run that has begun lives.
func (d RunDir) Alive() bool {
	lock, err := d.run.OpenFile(lockFile, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer lock.Close()
	return tryLock(lock) != nil
}

// Keep writes the file name into d, whole or not at all, and returns its path.
func (d RunDir) Keep(name string, fill func(io.Writer) error) (string, error) {
	path := filepath.Join(d.Path, name)
	err := d.run.Replace(name, func(f *os.File) error { return fill(f) })
	if f := fault.Disk(err, path); f != nil {
		return path, f
	}
	return path, err
}

// Has reports whether d holds the file name.
func (d RunDir) Has(name string) bool {
	info, err := d.run.Lstat(name)
	return err == nil && info.Mode().IsRegular()
}

// cannotRead is the fault of a run of which path cannot be read.
func cannotRead(path string, err error) error {
	f := &fault.Error{Code: "report.unreadable", Message: fmt.Sprintf("cannot read %s: %v", path, err), Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		f.Code, f.Message, f.Next = "report.no_events", path+" is not there, so it says nothing of a run", "wr report ls"
	}
	return f
}
