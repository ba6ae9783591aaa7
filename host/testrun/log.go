package testrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
)

// EventsFile is the name of the event log in a run's directory.
const EventsFile = "events.ndjson"

// log is the sink that writes events.ndjson. A line that could not be written
// is an error of Close: a log with a hole is never taken for a whole one.
type log struct {
	file *os.File
	err  error
}

func openLog(dir RunDir, owner spec.Owner) (*log, error) {
	f, err := os.OpenFile(filepath.Join(dir.Path, EventsFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	if err := give(f, owner); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &log{file: f}, nil
}

// Emit appends e as one line.
func (l *log) Emit(e event.Event) {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("write %s: %w", EventsFile, err)
	}
}

// Close returns the first error of all.
func (l *log) Close() error { return errors.Join(l.err, l.file.Close()) }
