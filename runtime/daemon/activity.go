package daemon

import (
	"sync"
	"time"
)

// activity knows since when nothing has happened. It is safe for concurrent use.
type activity struct {
	now func() time.Time

	mu   sync.Mutex // guards the rest
	open int        // things that go on
	last time.Time  // when the last of them ended
}

func newActivity(now func() time.Time) *activity {
	return &activity{now: now, last: now()}
}

// begin notes that something goes on until end is called, once.
func (a *activity) begin() (end func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.open--
		a.last = a.now()
	}
}

// touch notes that something goes on at this moment.
func (a *activity) touch() { a.begin()() }

// idle returns for how long nothing has gone on.
func (a *activity) idle() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open > 0 {
		return 0
	}
	return a.now().Sub(a.last)
}
