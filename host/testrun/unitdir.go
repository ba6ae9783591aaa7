package testrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
	path   string       // host path, for mounts and messages
	round  string       // ends the names of folders; "" = of the first
	null   *os.File     // stdin of the processes
	log    *os.File     // their stdout and stderr, also read for the last lines
	begin  int64        // of their own output in log
	plugin state.Folder // what the plugin is, and is told
	facts  state.Folder // where tests may write as well
}

// makeUnitDir makes and fills the directory of a unit in the directory of its
// run. Where it was tested before, that one goes on: with folders of their own,
// and one log.
func makeUnitDir(run RunDir, unit string, again bool) (*unitDir, error) {
	open, d := run.unit, &unitDir{path: run.Unit(unit)}
	if again {
		open, d.round = run.sameUnit, "-again"
	}
	var err error
	if d.Folder, err = open(unit); err != nil {
		return nil, err
	}
	if err := d.fill(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *unitDir) fill() (err error) {
	if d.plugin, err = d.Fresh(pluginFolder + d.round); err != nil {
		return err
	}
	if err := d.plugin.Write(pluginName+".py", plugin); err != nil {
		return err
	}
	if d.facts, err = d.Fresh(factsFolder + d.round); err != nil {
		return err
	}
	return d.openStdio()
}

// openStdio opens what processes have as their standard files.
func (d *unitDir) openStdio() (err error) {
	if err := d.openLog(); err != nil {
		return err
	}
	d.null, err = os.Open(os.DevNull)
	return err
}

// openLog opens the file for the output.
func (d *unitDir) openLog() (err error) {
	if d.round == "" {
		d.log, err = d.NewFile(logFile)
		return err
	}
	if d.log, err = d.Reopen(logFile, os.O_RDWR|os.O_APPEND); err != nil {
		return err
	}
	info, err := d.log.Stat()
	if err != nil {
		return err
	}
	d.begin = info.Size()
	return nil
}

// Close closes the files; the directory stays.
func (d *unitDir) Close() error {
	all := []error{d.Folder.Close(), d.plugin.Close(), d.facts.Close()}
	for _, f := range []*os.File{d.null, d.log} {
		if f != nil {
			all = append(all, f.Close())
		}
	}
	return errors.Join(all...)
}

// ready makes what the nth process needs, and returns the file of its facts. It
// is open before the process starts, so that this may even remove it.
func (d *unitDir) ready(n int, c pluginConfig) (*os.File, error) {
	config, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode the configuration of the pytest plugin: %w", err)
	}
	err = d.plugin.Replace(configFile, func(f *os.File) error {
		_, err := f.Write(config)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d.facts.NewFile(factsFile(n))
}

// factsFile is the name of the file of facts of the nth process.
func factsFile(n int) string {
	if n == 1 {
		return "events.ndjson"
	}
	return fmt.Sprintf("events.%d.ndjson", n)
}

// host is the host path of name.
func (d *unitDir) host(name string) string { return filepath.Join(d.path, name) }

// mounted is the host path of a folder that containers get.
func (d *unitDir) mounted(folder string) string { return d.host(folder + d.round) }

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
	buf := make([]byte, max(0, min(end-d.begin, tailBytes)))
	if _, err := d.log.ReadAt(buf, end-int64(len(buf))); err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	lines := strings.Split(strings.TrimRight(plainText(string(buf)), "\n"), "\n")
	return strings.Join(slices.Clone(lines[max(0, len(lines)-tailLines):]), "\n")
}

// escapes matches what colours text on a terminal.
var escapes = expression(`\x1b\[[0-9;?]*[ -/]*[@-~]`)

// plainText is text without what only a terminal understands, control characters
// and broken UTF-8.
func plainText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, escapes().ReplaceAllString(strings.ToValidUTF8(text, "\uFFFD"), ""))
}
