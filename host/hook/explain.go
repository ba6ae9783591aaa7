package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// The codes of the faults of this package, besides those of package sandbox.
const (
	CodeProtocol = "plugin.protocol"       // it does not keep to wr/1
	CodeEnded    = "plugin.ended"          // it ended in the midst of something
	CodeLimit    = "plugin.limit"          // it ran into one of its limits
	CodeDenied   = "plugin.denied"         // it needs what it has not been granted
	CodeConfig   = "plugin.config_invalid" // its config table is wrong
	CodeFailed   = "plugin.failed"         // it says that it could not do it
	CodeGivenUp  = "plugin.given_up"       // it broke too often
)

// tellAuthor is what to do about a plugin that does not keep to wr/1.
const tellAuthor = "tell its author; `wr plugin check` shows what a plugin has to keep to"

// breaking are the codes of what is a plugin's own fault, and ends what runs of it.
var breaking = []string{CodeProtocol, CodeEnded, CodeLimit, sandbox.CodeTimeout, sandbox.CodeCrashed, sandbox.CodeMemory}

// fault is one of this plugin.
func (p *Plugin) fault(code, message string, err error) *fault.Error {
	return &fault.Error{Code: code, Message: fmt.Sprintf("plugin %s: %s", p.Name(), message), Err: err}
}

// broken ends a session that is no use any more and says why it is not: err is
// what was seen of it from here.
func (p *Plugin) broken(s *session, err error) error {
	said, refused := errors.AsType[*abi.Error](err)
	ended := errors.Is(err, rpc.ErrEnded)
	if !ended {
		s.kill()
	}
	end, gone := s.instance.Wait()
	s.count()
	_ = s.instance.Close()
	if gone != nil {
		p.bury(s.child)
	}
	violation, lied := errors.AsType[*rpc.ViolationError](err)
	switch {
	case refused:
		return p.said(question{method: abi.MethodInitialize}, said, &functions{})
	case lied:
		f := p.fault(CodeProtocol, violation.Reason, err)
		f.Next = tellAuthor
		f.Details = end.Log
		return f
	case gone != nil:
		return p.lastWords(gone, end.Log)
	case !ended:
		return fmt.Errorf("ask plugin %s: %w", p.Name(), err)
	}
	return p.ended(end, err)
}

// ended is the fault of a plugin that ended before it was done.
func (p *Plugin) ended(end sandbox.End, err error) error {
	if end.Limit != "" {
		f := p.fault(CodeLimit, "it ran into its limit of "+end.Limit, err)
		f.Next = "raise the limit in wr.lock, if what it does needs that much"
		f.Details = details(end.Trace, end.Log)
		return f
	}
	f := p.fault(CodeEnded, fmt.Sprintf("it ended with exit code %d before it had answered", end.Exit), err)
	if end.Trap != "" {
		f = p.fault(CodeEnded, "it broke: "+end.Trap, err)
	}
	f.Next, f.Details = "tell its author", details(end.Trace, end.Log)
	return f
}

// lastWords is the fault of a process that is gone, with what this instance had
// written before that.
func (p *Plugin) lastWords(gone error, log string) error {
	f, ok := errors.AsType[*fault.Error](gone)
	if !ok || strings.TrimSpace(log) == "" {
		return gone
	}
	told := *f // that of all instances stays as it is
	told.Details, told.Err = details(f.Details, log), gone
	return &told
}

func details(parts ...string) string {
	var all []string
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return strings.Join(all, "\n")
}

// said is what the plugin itself says went wrong. That it was denied something is
// told as the host has told it: what to type next is not for a plugin to say.
func (p *Plugin) said(q question, e *abi.Error, asked *functions) error {
	var claimed abi.Denied
	switch e.Code {
	case abi.CodeDenied:
		_ = json.Unmarshal(e.Data, &claimed) // one that claims nothing was denied nothing
		denied, ok := asked.denial(claimed.Capability)
		if !ok {
			break
		}
		return &fault.Error{
			Code: CodeDenied, Message: fmt.Sprintf("plugin %s needs %s, which it is not granted", p.Name(), denied.Capability),
			Next: denied.Grant, Details: denied.Reason, Err: e,
		}
	case abi.CodeInvalid:
		f := p.fault(CodeConfig, e.Message, e)
		f.Class, f.Next = fault.Usage, fmt.Sprintf("mend what it names, or [plugins.%s.config]", p.Name())
		return f
	}
	return p.fault(CodeFailed, fmt.Sprintf("%s: %s", q.method, e.Message), e)
}
