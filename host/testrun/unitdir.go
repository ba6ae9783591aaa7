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

	"github.com/wr-build/wr/runtime/spec"
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
	root  string
	owner spec.Owner
	null  *os.File // stdin of the process
	log   *os.File // its stdout and stderr, also read for the last lines
	facts *os.File // opened before the process starts, so that it may even remove the file
}

// makeUnitDir makes and fills the directory at root. It fails if there is one
// already: what it held would be taken for a result of this run.
func makeUnitDir(root string, c pluginConfig, owner spec.Owner) (*unitDir, error) {
	d := &unitDir{root: root, owner: owner}
	if err := d.fill(c); err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

func (d *unitDir) fill(c pluginConfig) (err error) {
	for _, folder := range []string{"", pluginFolder, factsFolder} {
		if err := d.mkdir(folder); err != nil {
			return err
		}
	}
	config, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode the configuration of the pytest plugin: %w", err)
	}
	if err := d.write(filepath.Join(pluginFolder, pluginName+".py"), plugin); err != nil {
		return err
	}
	if err := d.write(filepath.Join(pluginFolder, configFile), config); err != nil {
		return err
	}
	if err := d.write(filepath.Join(factsFolder, factsFile), nil); err != nil {
		return err
	}
	if d.facts, err = os.Open(d.path(filepath.Join(factsFolder, factsFile))); err != nil {
		return err
	}
	if d.log, err = d.create(logFile); err != nil {
		return err
	}
	d.null, err = os.Open(os.DevNull)
	return err
}

// Close closes the files; the directory stays.
func (d *unitDir) Close() error {
	var all []error
	for _, f := range []*os.File{d.null, d.log, d.facts} {
		if f != nil {
			all = append(all, f.Close())
		}
	}
	return errors.Join(all...)
}

func (d *unitDir) path(name string) string { return filepath.Join(d.root, name) }

func (d *unitDir) mkdir(name string) error {
	err := os.Mkdir(d.path(name), 0o755)
	if errors.Is(err, fs.ErrExist) {
		return &fault.Error{
			Code: "test.stale_dir", Class: fault.Bug, Err: err,
			Message: fmt.Sprintf("%s exists already; what is in it would be mixed into this run", d.path(name)),
		}
	}
	if err != nil {
		return err
	}
	return d.own(name)
}

func (d *unitDir) write(name string, content []byte) error {
	f, err := d.create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

func (d *unitDir) create(name string) (*os.File, error) {
	f, err := os.OpenFile(d.path(name), os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	if err := d.own(name); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// own gives a file to whom the run belongs; only root has to and can.
func (d *unitDir) own(name string) error {
	if !isRoot() {
		return nil
	}
	return os.Lchown(d.path(name), d.owner.UID, d.owner.GID)
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
