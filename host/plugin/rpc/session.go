// Package rpc speaks wr/1 with one instance of a plugin: it asks, answers what the
// plugin asks meanwhile, and holds it to the protocol. It knows nothing of what
// runs the plugin: a pair of pipes is all it needs, so the other end may as well
// be a program that runs natively.
//
// A plugin is not trusted. Whatever it writes, in whatever order and length, ends
// in a result or in an error; where it writes nothing, or does not read, the end
// of the context ends it. Once a Session has failed, all that follows fails the
// same way.
package rpc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/wr-build/wr/sdk/go/abi"
)

// grace is how long a plugin may take to notice that its answer is not needed any
// more, before it is killed.
const grace = 100 * time.Millisecond

// Instance is a plugin that runs.
type Instance struct {
	Stdin  io.WriteCloser
	Stdout io.Reader
	Kill   func() // ends it, and with it reads and writes that wait; may be called several times
}

// Functions are what a plugin may ask for while it works on a request. They may
// be asked several things at once.
type Functions interface {
	Handle(ctx context.Context, method string, params json.RawMessage) (any, *abi.Error)
}

// Listener hears what a plugin says besides. What is nil is not heard.
type Listener struct {
	Log      func(abi.Log)
	Progress func(abi.Progress)
	Called   func(context.Context, Called) // in the context of the request that the plugin works on
	Stray    func(line string)             // a line on stdout that is no message, cut where it is long
}

// Session is a conversation with a plugin. Its methods are not safe for
// concurrent use: a plugin works on one thing at a time.
type Session struct {
	instance Instance
	listener Listener
	pending  int64 // requests of the plugin that are answered at once
	lines    *bufio.Scanner
	strays   int
	asked    int64
	failed   error

	writing sync.Mutex // guards writes to the plugin
}

// New is a session in which nothing has been said. pending is how many requests
// of the plugin are answered at once, at least 1.
func New(instance Instance, pending int64, listener Listener) *Session {
	s := &Session{instance: instance, listener: listener, pending: max(1, pending), lines: bufio.NewScanner(instance.Stdout)}
	s.lines.Buffer(nil, abi.MaxLine)
	return s
}

// Open greets a plugin and agrees with it on a protocol.
func Open(ctx context.Context, instance Instance, hello abi.Initialize, listener Listener) (*Session, error) {
	s := New(instance, hello.Limits.Pending, listener)
	var answer abi.Initialized
	if err := s.Call(ctx, nil, abi.MethodInitialize, hello, &answer); err != nil {
		return nil, err
	}
	if !slices.Contains(hello.Protocols, answer.Protocol) {
		return nil, s.fail(violation("it chose %q of the protocols %q", answer.Protocol, hello.Protocols))
	}
	return s, nil
}

// Call asks the plugin for something and decodes its answer into result. While it
// works, functions answers its questions; nil = it may ask nothing. An error of
// the plugin is an *abi.Error and leaves the Session as it was.
func (s *Session) Call(ctx context.Context, functions Functions, method string, params, result any) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	s.asked++
	id := s.asked
	defer s.watch(ctx, id)()
	if err := s.send(abi.Draft{ID: &id, Method: method, Params: params}); err != nil {
		return s.fail(s.reason(ctx, fmt.Errorf("ask for %s: %w", method, err)))
	}
	reply, err := s.converse(ctx, functions, id)
	switch {
	case err != nil:
		return s.fail(s.reason(ctx, err))
	case reply.Error != nil:
		return s.reason(ctx, reply.Error)
	}
	if err := json.Unmarshal(reply.Result, result); err != nil {
		return s.fail(violation("its result of %s cannot be read: %v", method, err))
	}
	return nil
}

// Notify tells the plugin something that it does not answer.
func (s *Session) Notify(ctx context.Context, method string, params any) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	defer s.watch(ctx, 0)()
	if err := s.send(abi.Draft{Method: method, Params: params}); err != nil {
		return s.fail(s.reason(ctx, fmt.Errorf("tell %s: %w", method, err)))
	}
	return nil
}

// Close says goodbye and waits until the plugin has no more to say. One that does
// not take it is killed, and so is one with which the Session has failed.
func (s *Session) Close(ctx context.Context) error {
	defer func() {
		if s.failed != nil {
			s.instance.Kill()
		}
	}()
	if s.failed != nil {
		return nil
	}
	if err := s.Call(ctx, nil, abi.MethodShutdown, abi.Empty{}, &abi.Empty{}); err != nil {
		return s.fail(err)
	}
	return s.leave(ctx)
}

// leave waits until a plugin that has been asked to end has no more to say.
func (s *Session) leave(ctx context.Context) error {
	defer s.watch(ctx, 0)()
	// Why not an error: whoever runs a plugin that has ended may have closed it.
	if err := s.instance.Stdin.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return s.fail(err)
	}
	for {
		m, err := s.next()
		switch {
		case errors.Is(err, errEnd):
			return nil
		case err != nil:
			return s.fail(s.reason(ctx, err))
		case m.ID != nil:
			return s.fail(violation("it went on after it had answered %s", abi.MethodShutdown))
		}
		s.hear(m)
	}
}

// watch sees to it that nothing waits much longer than ctx; the plugin is first
// told that it need not answer the request of that id. The function it returns
// ends it.
func (s *Session) watch(ctx context.Context, id int64) func() {
	over, finished := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(finished)
		told := make(chan struct{})
		go func() {
			defer close(told)
			_ = s.send(abi.Draft{Method: abi.NoteCancel, Params: abi.Cancel{ID: id}})
		}()
		patience := time.After(grace)
		for _, done := range []<-chan struct{}{told, over} {
			select {
			case <-done:
			case <-patience:
				s.instance.Kill()
				<-told
				return
			}
		}
	})
	return func() {
		close(over)
		if !stop() {
			<-finished
		}
	}
}

// ready says why nothing can be sent.
func (s *Session) ready(ctx context.Context) error {
	if s.failed != nil {
		return s.failed
	}
	return context.Cause(ctx)
}

// reason is why ctx ended, where that is why err came about.
func (s *Session) reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// fail makes err the end of the Session.
func (s *Session) fail(err error) error {
	s.failed = err
	return err
}
