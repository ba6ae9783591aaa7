package account

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/wr-build/wr/host/state"
)

const (
	folder = "plugins" // of the state
	file   = "uses.ndjson"

	version = 1 // of a line

	most = 512 << 10 // bytes of the file; one that is longer is cut
	left = 256 << 10 // to this, of the newest lines
)

// Run is what plugins did in one run of wr.
type Run struct {
	Version int            `json:"version"`
	Time    time.Time      `json:"time"`    // of its end
	Command string         `json:"command"` // of wr
	Plugins map[string]Use `json:"plugins"` // by name
}

// Add writes a run behind the others in a workspace's state. The oldest go when there
// are too many.
func Add(own state.Folder, r Run) (err error) {
	r.Version = version
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	dir, err := own.Enter(folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	unlock, err := dir.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	f, err := dir.OpenFile(file, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = dir.NewFile(file)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	// Why a line of its own before it: the last wr may have been killed within one.
	_, err = f.Write(append(append([]byte{'\n'}, line...), '\n'))
	if size, tells := f.Seek(0, io.SeekEnd); err != nil || tells != nil || size <= most {
		return errors.Join(err, tells)
	}
	return cut(dir, f)
}

// cut keeps the newest lines.
func cut(dir state.Folder, from *os.File) error {
	if _, err := from.Seek(-left, io.SeekEnd); err != nil {
		return err
	}
	text, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	_, text, _ = bytes.Cut(text, []byte("\n")) // the first is a part of one
	return dir.Replace(file, func(to *os.File) error {
		_, err := to.Write(text)
		return err
	})
}

// Read returns the runs that are kept in a workspace's state, oldest first.
func Read(own state.Folder) ([]Run, error) {
	text, err := fs.ReadFile(own.FS(), folder+"/"+file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []Run
	for line := range bytes.Lines(text) {
		var r Run
		if json.Unmarshal(line, &r) == nil && r.Version == version {
			all = append(all, r)
		}
	}
	return all, err
}

// Reset forgets all runs.
func Reset(own state.Folder) error {
	err := own.Remove(folder + "/" + file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
