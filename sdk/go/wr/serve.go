package wr

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Serve answers what comes from in until the host says goodbye or in ends.
// Messages are written to out, and nothing else may be. Its error is one of the
// pipe: what goes wrong in a request is its answer.
func Serve(p Plugin, in io.Reader, out io.Writer) error {
	s := &server{name: p.Name, handlers: p.handlers(), wire: newWire(in, out)}
	for !s.done {
		m, err := s.wire.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read from the host: %w", err)
		}
		if err := s.take(m); err != nil {
			return fmt.Errorf("write to the host: %w", err)
		}
	}
	return nil
}

// server is a plugin in one session.
type server struct {
	name     string
	handlers map[string]handler
	wire     *wire
	done     bool
}

// take does what one message of the host asks for. Answers to what was not asked
// and notifications that are not known, or come too late, are passed over.
func (s *server) take(m abi.Message) error {
	c := &Call{wire: s.wire}
	switch {
	case m.Method == "":
		return nil
	case m.ID != nil:
		c.id = *m.ID
		result, err := s.answer(c, m)
		return s.wire.reply(c.id, result, err)
	case s.handlers[m.Method] == nil:
		return nil
	}
	if _, err := s.handlers[m.Method](c, m.Params); err != nil {
		return c.Log("error", "%s: %v", m.Method, err)
	}
	return nil
}

// answer is the result of one request.
func (s *server) answer(c *Call, m abi.Message) (any, error) {
	if m.Method == abi.MethodShutdown {
		s.done = true
		return abi.Empty{}, nil
	}
	handle, known := s.handlers[m.Method]
	if !known || m.Method == abi.NoteEvent {
		return nil, &abi.Error{Code: abi.CodeMethodNotFound, Message: fmt.Sprintf("%s has no method %q", s.name, m.Method)}
	}
	return handle(c, m.Params)
}

// handler answers one method.
type handler func(c *Call, params json.RawMessage) (result any, err error)

// handlers are those of the plugin, by method.
func (p Plugin) handlers() map[string]handler {
	all := map[string]handler{}
	on(all, abi.MethodInitialize, p.initialize, same)
	on(all, abi.MethodLint, p.Lint, func(d []abi.Diagnostic) any { return abi.LintResult{Diagnostics: some(d)} })
	on(all, abi.MethodFormat, p.Format, func(e []abi.Edit) any { return abi.FormatResult{Edits: some(e)} })
	on(all, abi.MethodDiscover, p.Discover, func(f []abi.TestFile) any { return abi.DiscoverResult{Files: some(f)} })
	on(all, abi.MethodRelease, p.Release, func(s []abi.Step) any { return abi.ReleaseResult{Steps: some(s)} })
	on(all, abi.MethodImage, p.Image, same)
	on(all, abi.MethodCheck, p.Check, func(d []abi.Diagnostic) any { return abi.CheckResult{Diagnostics: d} })
	if len(p.Tasks) > 0 {
		on(all, abi.MethodTask, p.task, same)
	}
	if p.Event != nil {
		on(all, abi.NoteEvent, func(c *Call, e abi.Event) (abi.Empty, error) { return abi.Empty{}, p.Event(c, e) }, same)
	}
	return all
}

// on puts the handler of a method into all, if the plugin has one.
func on[P, R any](all map[string]handler, method string, do func(*Call, P) (R, error), result func(R) any) {
	if do == nil {
		return
	}
	all[method] = func(c *Call, params json.RawMessage) (any, error) {
		var p P
		if err := json.Unmarshal(params, &p); err != nil {
			return nil, &abi.Error{Code: abi.CodeInvalidParams, Message: err.Error()}
		}
		r, err := do(c, p)
		if err != nil {
			return nil, err
		}
		return result(r), nil
	}
}

func same[R any](r R) any { return r }

// some is a list that is written as one, also where it is empty.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// initialize agrees on a protocol, and lets the plugin look at its configuration.
func (p Plugin) initialize(c *Call, offer abi.Initialize) (abi.Initialized, error) {
	if !slices.Contains(offer.Protocols, abi.Version) {
		return abi.Initialized{}, &abi.Error{
			Code:    abi.CodeInvalidRequest,
			Message: fmt.Sprintf("%s %s speaks %s, the host offers %q", p.Name, p.Version, abi.Version, offer.Protocols),
		}
	}
	if p.Initialize != nil {
		if err := p.Initialize(c, offer); err != nil {
			return abi.Initialized{}, err
		}
	}
	return abi.Initialized{Protocol: abi.Version, Plugin: abi.Party{Name: p.Name, Version: p.Version}}, nil
}

// task lets the task answer that was asked for.
func (p Plugin) task(c *Call, params abi.TaskParams) (abi.TaskResult, error) {
	do, known := p.Tasks[params.Task]
	if !known {
		return abi.TaskResult{}, &abi.Error{Code: abi.CodeInvalidParams, Message: fmt.Sprintf("%s has no task %q", p.Name, params.Task)}
	}
	return do(c, params)
}
