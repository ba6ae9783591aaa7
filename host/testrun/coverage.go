package testrun

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
)

// coverageName is the module that pytest loads to have itself measured.
const coverageName = "wr_coverage"

// What it and those after it are made of.
var (
	//go:embed plugin/wr_coverage.py
	coveragePlugin []byte
	//go:embed plugin/sitecustomize.py
	siteCustomize []byte
)

// Where data of coverage.py are: a folder of a unit, and of a container.
const (
	coverageFolder = "coverage"
	coverageTarget = spec.Internal + "/coverage"
)

// makeDir makes the directory of u.
func (u Unit) makeDir() (*unitDir, error) {
	dir, err := makeUnitDir(u.Record, u.id().String(), u.Again)
	if err != nil {
		return nil, err
	}
	if u.Debug != (plan.Debug{}) {
		err = dir.plugin.Write(debugPlugin+".py", debugging)
	}
	if err == nil && len(u.Further) > 0 {
		err = dir.plugin.Write(furtherModule+".py", further)
	}
	if err == nil && u.Coverage {
		err = dir.measure()
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

// measure has what the unit runs find what measures it, and where to write.
func (d *unitDir) measure() error {
	data, err := d.Enter(coverageFolder) // of both rounds
	if err != nil {
		return err
	}
	return errors.Join(data.Close(), d.plugin.Write(coverageName+".py", coveragePlugin), d.plugin.Write("sitecustomize.py", siteCustomize))
}

// measuring is p with all of its processes measured. Its plugin is the first of
// all, so that nothing of the project is imported before.
func (u Unit) measuring(dir *unitDir, p spec.Process) spec.Process {
	at := len(u.Command)
	p.Args = append(append(append([]string{}, p.Args[:at]...), "-p", coverageName), p.Args[at:]...)
	p.Env = append(p.Env, "WR_COVERAGE="+u.sees(dir.host(coverageFolder), coverageTarget), "WR_COVERAGE_ROOT="+u.root())
	return p
}

// measured is what a unit has left that was measured.
type measured struct {
	Python        string `json:"python"` // container path of the interpreter
	PythonVersion string `json:"pythonVersion"`
	Coverage      string `json:"coverage"` // version of coverage.py
	Problem       string `json:"problem"`  // why it was not; "" = it was
	Next          string `json:"next"`     // what to do about it

	data    bool // something was measured
	pending bool // a process ended before it had written its data
	lost    bool // something took the place of coverage.py in a process
}

// statusSize bounds the status that a unit may leave, in bytes.
const statusSize = 1 << 20

// measured reads what the unit of that name has left; nil = nothing, as it has
// never come so far.
func (d RunDir) measured(unit string) (*measured, error) {
	f, err := d.coverageOf(unit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := readRegular(f, "status.json", statusSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var m measured
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("read status.json of %s: %w", unit, err)
	}
	entries, err := fs.ReadDir(f.FS(), ".")
	for _, e := range entries {
		m.data = m.data || strings.HasPrefix(e.Name(), "data.")
		m.pending = m.pending || strings.HasPrefix(e.Name(), "began.")
		m.lost = m.lost || strings.HasPrefix(e.Name(), "lost.")
	}
	return &m, err
}

// coverageOf opens the folder of data of a unit, without following a link.
func (d RunDir) coverageOf(unit string) (state.Folder, error) {
	at := d.run
	for i, name := range []string{projectsFolder, state.Name(unit), coverageFolder} {
		next, err := at.Existing(name)
		if i > 0 {
			err = errors.Join(err, at.Close())
		}
		if err != nil {
			return state.Folder{}, err
		}
		at = next
	}
	return at, nil
}

// readRegular reads a file that what ran in a container may have put a link or
// a pipe in the place of.
func readRegular(f state.Folder, name string, limit int64) ([]byte, error) {
	info, err := f.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("read %s: not a regular file of at most %d bytes", name, limit)
	}
	file, err := f.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}
