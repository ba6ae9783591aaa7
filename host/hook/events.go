package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/sdk/go/abi"
)

// CodeMissed is the code of the fault of a plugin that has not heard of all events.
const CodeMissed = "plugin.events_missed"

const (
	// waiting is how many events wait at most for a plugin that is slower than what
	// happens; those after them it does not hear of.
	waiting = 4096
	// farewell is how long a plugin may take to make something of what it was told,
	// when nothing more happens.
	farewell = 5 * time.Second
)

// Events tells a plugin what happens, while it happens. It is an event.Sink that
// never waits for the plugin.
type Events struct {
	plugin *Plugin
	wait   time.Duration // at the end
	queue  chan event.Event
	missed atomic.Int64  // events
	began  chan struct{} // closed when the plugin can be told, or cannot be
	told   chan struct{}
	fault  error // once told is closed
	stop   context.CancelCauseFunc
}

// Events begins to tell the plugin what happens. Nothing is started before there is
// something to tell. The end of ctx is not the plugin's: it hears of that too.
func (p *Plugin) Events(ctx context.Context) *Events {
	e := &Events{plugin: p, wait: farewell, queue: make(chan event.Event, waiting), began: make(chan struct{}), told: make(chan struct{})}
	ctx, e.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	go func() {
		defer close(e.told)
		e.fault = e.tell(ctx)
		for range e.queue { // of a plugin that is gone
			e.missed.Add(1)
		}
	}()
	return e
}

// Emit has the plugin told of an event, unless too many wait already.
func (e *Events) Emit(happened event.Event) {
	select {
	case e.queue <- happened:
	default:
		e.missed.Add(1)
	}
}

// Close waits until the plugin has made something of all that it was told, and not
// longer than it may take for that. Its error is why it did not hear of all, or broke.
func (e *Events) Close() error {
	close(e.queue)
	<-e.began // a plugin that is used for the first time is compiled first
	late := time.AfterFunc(e.wait, func() {
		e.stop(e.plugin.fault(CodeMissed, fmt.Sprintf("it took longer than %v to come to an end with what it was told, and was stopped", e.wait), nil))
	})
	<-e.told
	late.Stop()
	e.stop(nil)
	missed := e.missed.Load()
	if missed == 0 || e.fault != nil {
		return e.fault
	}
	f := e.plugin.fault(CodeMissed, fmt.Sprintf("it was too slow for %d events, and has not heard of them", missed), nil)
	f.Next = "name the events that it needs in its manifest, instead of all"
	return f
}

// tell tells the plugin of events until there are no more.
func (e *Events) tell(ctx context.Context) (err error) {
	first, some := <-e.queue
	if !some {
		close(e.began)
		return nil
	}
	ctx, done := e.plugin.watched(ctx, Asked{Method: abi.NoteEvent, Params: abi.Empty{}, Result: &abi.Empty{}})
	defer func() { done(err) }()
	s, err := e.greet(ctx)
	close(e.began)
	if err != nil {
		e.missed.Add(1)
		return err
	}
	seen(ctx).attempt()
	s.expect(ctx)
	functions := e.plugin.functions("", nil)
	functions.all.Exec = nil // there is no project whose container it could be
	feed, err := s.rpc.Feed(ctx, functions)
	if err != nil {
		return e.plugin.broken(s, err)
	}
	for one := first; some && err == nil; one, some = <-e.queue {
		var line []byte
		if line, err = json.Marshal(one); err == nil {
			err = feed.Tell(abi.NoteEvent, abi.Event{Event: line})
		}
	}
	if err := errors.Join(feed.Close(ctx), err); err != nil {
		return e.plugin.broken(s, err)
	}
	_, err = s.instance.Wait()
	s.count()
	return errors.Join(err, s.instance.Close())
}

// greet returns a session that is used for nothing else.
func (e *Events) greet(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, e.plugin.config.Time)
	defer cancel()
	return e.plugin.acquire(ctx)
}
