package ui

import (
	"encoding/json"
	"io"

	"github.com/wr-build/wr/host/event"
)

// JSON is the sink for programs: each event is a line, as in events.ndjson.
type JSON struct {
	encoder *json.Encoder
	err     error
}

// NewJSON returns a sink that writes to w.
func NewJSON(w io.Writer) *JSON { return &JSON{encoder: json.NewEncoder(w)} }

// Emit writes e as one line.
func (j *JSON) Emit(e event.Event) {
	if err := j.encoder.Encode(e); err != nil && j.err == nil {
		j.err = err
	}
}

// Close returns the first error of writing: a reader that went away missed
// events, and must not be told that all is well.
func (j *JSON) Close() error { return j.err }
