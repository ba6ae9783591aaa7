package testrun

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// stayTime is how long the process of pytest may stay when pytest has told its end:
// Python waits for threads that tests have left, for ever if they do not end.
const stayTime = 10 * time.Second

// errOutstayed is why a process ends that has nothing more to tell.
var errOutstayed = errors.New("pytest had ended and its process had not")

// outstays reports whether the process of s is to be ended now, once.
func (s *session) outstays(now time.Time) bool {
	if s.outstayed || s.finish == nil || now.Sub(s.finished) < stayTime {
		return false
	}
	s.outstayed = true
	return true
}

// quitLate warns of a process that was stopped after its end, and returns the exit
// that pytest has told of.
func (s *session) quitLate(end ending) spec.Exit {
	waits := "of something that it waits for"
	if len(s.finish.Threads) > 0 {
		waits = "of threads that tests have left: " + strings.Join(s.finish.Threads, ", ")
	}
	s.emit(event.Event{Type: event.Warning, Fault: &fault.Error{
		Code:    "test.outstayed",
		Message: fmt.Sprintf("pytest had ended, and its process was stopped %s later: it stayed because %s", stayTime, waits),
		Next:    "have tests end what they start, or make such threads daemons",
	}})
	exit := end.exit
	if s.finish.Exit != nil {
		exit.Code, exit.Signal, exit.Suspect = *s.finish.Exit, 0, nil
	}
	return exit
}
