package testrun

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// What EOVERFLOW, EACCES and EPERM are called inside.
const (
	overflow     = "Value too large for defined data type"
	accessDenied = "Permission denied"
	notPermitted = "Operation not permitted"
)

// explain warns of what is behind the failures of cases, as far as the host
// can see it.
func (s *session) explain(end ending) {
	if f := cmp.Or(struck(end), s.refused(end)); f != nil {
		s.emit(event.Event{Type: event.Warning, Text: f.Message, Fault: f})
	}
}

// struck is the limit of the container that struck while tests failed, or nil.
func struck(end ending) *fault.Error {
	f := end.exit.Suspect
	if f != nil && (f.Code == spec.LimitMemory || f.Code == spec.LimitPids) {
		return f
	}
	return nil
}

// refused says why the kernel did not let a case write to the workspace, when
// a case failed with its words for that; else nil. Files have one owner inside
// and one outside: what belongs to anybody else cannot be changed, and nobody
// else can make a file.
func (s *session) refused(end ending) *fault.Error {
	switch {
	case s.failedWith(overflow):
		return &fault.Error{
			Code:    "mount.foreign_uid",
			Message: "a process of another user than the container's cannot make files in the workspace",
			Next:    "set [image] user in wr.toml to the user that tests write as, or let them write below /tmp",
		}
	case end.exit.Suspect != nil && s.failedWith(accessDenied, notPermitted):
		return end.exit.Suspect
	default:
		return nil
	}
}

// failedWith reports whether a case failed and told of one of these errors.
func (s *session) failedWith(words ...string) bool {
	for _, c := range s.order {
		if c.now.bad() && c.now.tells(words) {
			return true
		}
	}
	return false
}

// tells reports whether a says one of these things anywhere.
func (a *attempt) tells(words []string) bool {
	said := strings.Join(append([]string{a.text, a.stdout, a.stderr}, a.details...), "\n")
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(said, w) })
}
