package testrun

import (
	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// lonelyDebugger warns of the first case of s that has called a debugger where
// nobody could type.
func (u Unit) lonelyDebugger(s *session) {
	if u.Debug.Terminal {
		return
	}
	for _, c := range s.order {
		if !c.now.bad() || !c.now.tells([]string{"bdb.BdbQuit", "(Pdb)", "ipdb>"}) {
			continue
		}
		f := &fault.Error{
			Code: "test.debugger", Class: fault.Failed, File: c.file, Line: c.line,
			Message: c.id + " stopped in a debugger, and nobody could type there",
		}
		if again := report.Again(u.Project, c.id); again != "" {
			f.Next = again + " --pdb"
		}
		s.emit(event.Event{Type: event.Warning, Case: c.id, File: c.file, Line: c.line, Text: f.Message, Fault: f})
		return
	}
}
