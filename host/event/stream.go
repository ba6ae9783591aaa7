package event

import (
	"sync"
	"time"
)

// Stream numbers and dates events and hands each to every sink, one at a time
// and in order. It is safe for concurrent use.
type Stream struct {
	now   func() time.Time
	sinks []Sink

	mu  sync.Mutex // guards seq and the calls of the sinks
	seq int64
}

// NewStream returns a stream into sinks that takes the time from now.
func NewStream(now func() time.Time, sinks ...Sink) *Stream {
	return &Stream{now: now, sinks: sinks}
}

// Emit numbers e and gives it to every sink.
func (s *Stream) Emit(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	e.Seq, e.Time = s.seq, s.now().UTC()
	for _, sink := range s.sinks {
		sink.Emit(e)
	}
}
