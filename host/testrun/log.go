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
// is an error of Close, and nothing comes after it: the log of a run is whole or
// cut off, and never has a hole.
type log struct {
	file  *os.File
	lines int   // written
	size  int64 // bytes of them
	err   error
}

func openLog(dir RunDir) (*log, error) {
	f, err := dir.run.NewFile(EventsFile)
	if err != nil {
		return nil, err
	}
	return &log{file: f}, nil
}

// Emit appends e as one line.
func (l *log) Emit(e event.Event) {
	if l.err != nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	if err != nil {
		l.err = errors.Join(fmt.Errorf("write %s: %w", EventsFile, err), l.file.Truncate(l.size))
		return
	}
	l.lines, l.size = l.lines+1, l.size+int64(len(line))+1
}

// Close returns the first error of all.
func (l *log) Close() error { return errors.Join(l.err, l.file.Close()) }
