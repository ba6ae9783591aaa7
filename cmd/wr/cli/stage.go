package cli

import (
	"sync"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec"
)

// stage shows events on a terminal that processes borrow. What happens meanwhile
// is shown when it is given back.
type stage struct {
	app  *app
	view ui.Sink

	mu   sync.Mutex // guards the rest and the view
	lent bool
	held []event.Event
}

func newStage(a *app) *stage {
	return &stage{app: a, view: ui.NewLines(a.Out, a.style(a.Out))}
}

// Emit shows e now, or later. The story of a failure has been told by pytest then.
func (s *stage) Emit(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.lent {
		s.view.Emit(e)
		return
	}
	if e.Type == event.CaseFinished {
		e.Details, e.Stdout, e.Stderr = "", "", ""
	}
	s.held = append(s.held, e)
}

// Close ends the view.
func (s *stage) Close() error { return s.view.Close() }

// Lend gives p the terminal, in raw mode, until restore is called.
func (s *stage) Lend(p *spec.Process) (stdio spec.Stdio, restore func(), err error) {
	stdio = spec.Stdio{In: s.app.In, Out: s.app.Out}
	cooked, err := s.app.raw(p, &stdio)
	if err != nil {
		return spec.Stdio{}, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lent = true
	return stdio, sync.OnceFunc(func() {
		cooked()
		s.takeBack()
	}), nil
}

// takeBack shows what has happened.
func (s *stage) takeBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lent = false
	for _, e := range s.held {
		s.view.Emit(e)
	}
	s.held = nil
}
