package ui

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Status is a line at the end of a terminal that says how far something is, until it
// is cleared. The methods of nil do nothing. It may be used by several goroutines.
type Status struct {
	w     io.Writer
	width func() int // columns of the terminal now

	mu    sync.Mutex // guards what follows and the writer
	shown bool
	last  time.Time
}

// NewStatus returns a line that is drawn on the terminal w, whose width is asked before
// each drawing.
func NewStatus(w io.Writer, width func() int) *Status { return &Status{w: w, width: width} }

// Show draws the line in place of the one before. Lines that come faster than anybody
// reads are passed over.
func (s *Status) Show(who, message string, done, total int64) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.shown && now.Sub(s.last) < tick {
		return
	}
	s.shown, s.last = true, now
	text := who
	switch {
	case total > 0:
		text += fmt.Sprintf("  %d/%d", done, total)
	case done > 0:
		text += fmt.Sprintf("  %d", done)
	}
	fmt.Fprintf(s.w, "\r\x1b[K%s", oneLine(text+"  "+message, max(20, s.width()-1)))
}

// Clear removes the line, so that something else can be said.
func (s *Status) Clear() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown {
		_, _ = io.WriteString(s.w, "\r\x1b[K") // a terminal that is gone has no one to tell
		s.shown = false
	}
}
