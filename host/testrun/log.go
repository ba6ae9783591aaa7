package testrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/wr-build/wr/host/event"
)

// EventsFile is the name of the event log in a run's directory.
const EventsFile = "events.ndjson"

// log is the sink that writes events.ndjson. A line that could not be written
// is an error of Close: a log with a hole is never taken for a whole one.
type log struct {
	file *os.File
	err  error
}

func openLog(dir RunDir) (*log, error) {
	f, err := dir.run.create(EventsFile)
	if err != nil {
		return nil, err
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
