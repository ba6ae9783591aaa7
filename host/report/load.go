package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Load reads the run back that the events in the file at name tell of. A run
// that was cut off, even in the middle of a line, is loaded as far as it goes
// and is not Finished. Anything else that is wrong is a fault.
func Load(name string) (*Run, error) {
	// What runs in a container can put a link, or a pipe, into the workspace.
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("load %s: not a regular file", name), err)
	}
	r, err := Read(f)
	if f, ok := errors.AsType[*fault.Error](err); ok {
		f.File = name
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	return r, nil
}

// Read is Load from an open log, which also hands each event on to sinks.
func Read(from io.Reader, sinks ...event.Sink) (*Run, error) {
	r, in := &Run{}, bufio.NewReaderSize(from, 256<<10)
	for number := int64(1); ; number++ {
		// Why not a Scanner: it bounds lines, and a failure may be long.
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			r.Finished = r.Finished && len(line) == 0
			return r, nil
		}
		if err != nil {
			return nil, err
		}
		var e event.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, damaged(number, err.Error())
		}
		if e.Seq != number {
			return nil, damaged(number, fmt.Sprintf("number %d", e.Seq))
		}
		for _, sink := range append(sinks, r) {
			sink.Emit(e)
		}
	}
}

func damaged(line int64, what string) error {
	return &fault.Error{
		Code: "report.damaged", Message: fmt.Sprintf("line %d is not the next event of a run: %s", line, what),
		Line: int(line), Next: "run the tests again",
	}
}
