package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wr-build/wr/sdk/go/abi"
)

// converse answers what the plugin asks until it has answered the request of that
// id. What it still waits for then is ended.
func (s *Session) converse(ctx context.Context, functions Functions, id int64) (abi.Message, error) {
	questions, cancel := context.WithCancelCause(ctx)
	c := &conversation{session: s, functions: functions, open: make(chan struct{}, s.pending)}
	defer c.answers.Wait()
	defer cancel(errAnswered)
	for {
		m, err := s.next()
		switch {
		case errors.Is(err, errEnd):
			return m, ErrEnded
		case err != nil:
			return m, err
		case m.Method == "" && *m.ID != id:
			return m, violation("it answered request %d while asked %d", *m.ID, id)
		case m.Method == "":
			return m, nil
		case m.ID == nil:
			s.hear(m)
		default:
			c.question(questions, m)
		}
	}
}

// errAnswered ends what a plugin asked for and did not wait for.
var errAnswered = errors.New("the plugin has answered without waiting for this")

// conversation is what goes on while a plugin works on one request.
type conversation struct {
	session   *Session
	functions Functions
	open      chan struct{} // has room for as many questions as may be open
	answers   sync.WaitGroup
}

// question begins to answer one of the plugin's, as soon as few enough are open:
// until then nothing more is read of it.
func (c *conversation) question(ctx context.Context, m abi.Message) {
	c.open <- struct{}{}
	c.answers.Go(func() {
		defer func() { <-c.open }()
		result, err := c.answer(ctx, m)
		if !errors.Is(context.Cause(ctx), errAnswered) {
			c.session.reply(m, result, err)
		}
	})
}

func (c *conversation) answer(ctx context.Context, m abi.Message) (any, *abi.Error) {
	if c.functions == nil {
		return nil, &abi.Error{Code: abi.CodeInvalidRequest, Message: "nothing can be asked of the host now"}
	}
	began := time.Now()
	result, err := c.functions.Handle(ctx, m.Method, m.Params)
	if heard := c.session.listener.Called; heard != nil {
		heard(ctx, Called{Method: m.Method, Params: m.Params, Result: result, Err: err, Time: time.Since(began)})
	}
	return result, err
}

// Called is a function of the host that a plugin called, and how that went.
type Called struct {
	Method string
	Params json.RawMessage
	Result any
	Err    *abi.Error
	Time   time.Duration
}

// Denied reports whether it was refused for want of a grant.
func (c Called) Denied() bool { return c.Err != nil && c.Err.Code == abi.CodeDenied }

// reply answers a request of the plugin. That it cannot be written is seen where
// the plugin's answer is read: it is gone.
func (s *Session) reply(m abi.Message, result any, failure *abi.Error) {
	if failure == nil {
		line, err := abi.Draft{ID: m.ID, Result: result}.Line()
		if err == nil {
			_ = s.write(line)
			return
		}
		failure = abi.ErrorOf(err)
	}
	_ = s.send(abi.Draft{ID: m.ID, Error: failure})
}

// send writes one message. A pipe that takes none is ErrEnded: the plugin is gone.
func (s *Session) send(d abi.Draft) error {
	line, err := d.Line()
	if err != nil {
		return err
	}
	return s.write(line)
}

func (s *Session) write(line []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, err := s.instance.Stdin.Write(line); err != nil {
		return fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return nil
}

// hear passes on what the plugin says. Notifications that are not known, or cannot
// be read, are ignored.
func (s *Session) hear(m abi.Message) {
	switch m.Method {
	case abi.NoteLog:
		heard(s.listener.Log, m.Params)
	case abi.NoteProgress:
		heard(s.listener.Progress, m.Params)
	}
}

func heard[T any](listen func(T), params json.RawMessage) {
	var t T
	if listen != nil && json.Unmarshal(params, &t) == nil {
		listen(t)
	}
}
