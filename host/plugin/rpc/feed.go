package rpc

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Feed is a Session in which the plugin is told things, and asked nothing any more.
// It may ask what it likes meanwhile. Its methods are not safe for concurrent use.
type Feed struct {
	session *Session
	last    int64         // id of the request that ends it
	asked   atomic.Bool   // that request has been sent
	over    chan struct{} // closed when the plugin has said its last
	how     error         // then: nil = it has answered the last request
	unwatch func()
}

// Feed begins to tell the plugin things, until the Feed is closed or ctx ends; then
// a plugin that does not come to an end is killed. The Session must not be used any
// more. Why it listens from the start: a plugin that asks for something waits for
// the answer, and does not read what it is told until it has it.
func (s *Session) Feed(ctx context.Context, functions Functions) (*Feed, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	s.asked++
	f := &Feed{session: s, last: s.asked, over: make(chan struct{})}
	f.unwatch = s.watch(ctx, f.last)
	go func() {
		defer close(f.over)
		reply, err := s.converse(ctx, functions, f.last)
		switch {
		case err != nil:
			f.how = s.reason(ctx, err)
		case !f.asked.Load():
			f.how = violation("it answered request %d before it was asked", f.last)
		case reply.Error != nil:
			f.how = reply.Error
		}
	}()
	return f, nil
}

// Tell tells the plugin something. It waits while the plugin reads nothing.
func (f *Feed) Tell(method string, params any) error {
	if err := f.session.send(abi.Draft{Method: method, Params: params}); err != nil {
		return fmt.Errorf("tell %s: %w", method, err)
	}
	return nil
}

// Close says goodbye, and waits until the plugin has made something of all that it
// was told. Its error is why it has not; then the plugin may still run. ctx is that
// of the Feed.
func (f *Feed) Close(ctx context.Context) error {
	s := f.session
	f.asked.Store(true)
	err := s.send(abi.Draft{ID: &f.last, Method: abi.MethodShutdown, Params: abi.Empty{}})
	<-f.over // or ctx ends, and with it the plugin
	f.unwatch()
	if f.how != nil {
		err = f.how // which says more than that it does not read
	}
	if err != nil {
		return s.fail(err)
	}
	return s.leave(ctx)
}
