package testrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// What is in a unit's directory.
const (
	logFile      = "output.log" // stdout and stderr of the process
	pluginFolder = "pytest"     // mounted read-only at pluginTarget
	factsFolder  = "facts"      // mounted at factsTarget
)

// unitDir is the directory of one unit, with what a running unit keeps open.
type unitDir struct {
	state.Folder
	path  string   // host path, for messages
	null  *os.File // stdin of the process
	log   *os.File // its stdout and stderr, also read for the last lines
	facts *os.File // opened before the process starts, so that it may even remove the file
}

// makeUnitDir makes and fills the directory of a project in the directory of
// its run.
func makeUnitDir(run RunDir, project string, c pluginConfig) (*unitDir, error) {
	made, err := run.unit(project)
	if err != nil {
		return nil, err
	}
	d := &unitDir{Folder: made, path: run.Unit(project)}
	if err := d.fill(c); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *unitDir) fill(c pluginConfig) error {
	if err := d.writePlugin(c); err != nil {
		return err
	}
	facts, err := d.Fresh(factsFolder)
	if err != nil {
		return err
	}
	defer facts.Close()
	if d.facts, err = facts.NewFile(factsFile); err != nil {
		return err
	}
	if d.log, err = d.NewFile(logFile); err != nil {
		return err
	}
	d.null, err = os.Open(os.DevNull)
	return err
}

// writePlugin writes the pytest plugin and its configuration.
func (d *unitDir) writePlugin(c pluginConfig) error {
	config, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode the configuration of the pytest plugin: %w", err)
	}
	files, err := d.Fresh(pluginFolder)
	if err != nil {
		return err
	}
	defer files.Close()
	return errors.Join(files.Write(pluginName+".py", plugin), files.Write(configFile, config))
}

// Close closes the files; the directory stays.
func (d *unitDir) Close() error {
	all := []error{d.Folder.Close()}
	for _, f := range []*os.File{d.null, d.log, d.facts} {
		if f != nil {
			all = append(all, f.Close())
		}
	}
	return errors.Join(all...)
}

// full tries whether anything more can be written here, and returns the fault of
// the disk if not. Why not ask for the free space: quotas are not in it.
func (d *unitDir) full() *fault.Error {
	const name, size = ".probe", 64 << 10
	err := d.Write(name, make([]byte, size))
	if err == nil {
		_ = d.Remove(name)
		return nil
	}
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err // nobody has heard of the probe
	}
	return fault.Disk(err, d.path)
}

// Bounds of what is shown of a unit's output.
const (
	tailBytes = 64 << 10
	tailLines = 20
)

// logTail returns the last lines of the output, fit to be shown.
func (d *unitDir) logTail() string {
	end, err := d.log.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	buf := make([]byte, min(end, tailBytes))
	if _, err := d.log.ReadAt(buf, end-int64(len(buf))); err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	lines := strings.Split(strings.TrimRight(plainText(string(buf)), "\n"), "\n")
	return strings.Join(slices.Clone(lines[max(0, len(lines)-tailLines):]), "\n")
}

// plainText is text without control characters and broken UTF-8.
func plainText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
