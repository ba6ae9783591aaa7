package daemon

import (
	"context"
	"net"
	"slices"

	"github.com/containerd/log"

	"github.com/wr-build/wr/runtime/agent"
	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/spec"
)

// held are ports that the engine publishes for a command whose client has left,
// for as long as it runs.
type held struct {
	PID   int         `json:"pid"` // of the command, in its container; or someCommand
	Ports []spec.Port `json:"ports"`
}

// someCommand stands for a process id that nobody told: of any that runs.
const someCommand = -1

// equal reports whether h and other are the same.
func (h held) equal(other held) bool { return h.PID == other.PID && slices.Equal(h.Ports, other.Ports) }

// hold has p, which serves already, published until the command has ended that h
// is for. The note of w says so, for an engine that comes after this one.
func (s *server) hold(ctx context.Context, w *warm, h held, p *published) {
	s.noteHeld(ctx, w, func(all []held) []held { return append(all, h) })
	s.awaitHeld(ctx, w, h, p)
}

// holdAgain publishes what an earlier engine has held for w.
func (s *server) holdAgain(ctx context.Context, w *warm) {
	for _, h := range w.held {
		p, err := listen(ctx, h.Ports)
		if err != nil {
			log.G(ctx).WithError(err).WithField("container", w.ID).Warn("a port cannot be published any more")
			continue
		}
		p.serve(s.dialer(ctx, w.Container), h.Ports)
		s.awaitHeld(ctx, w, h, p)
	}
}

// awaitHeld closes p once the command of h has ended, or this engine ends.
func (s *server) awaitHeld(ctx context.Context, w *warm, h held, p *published) {
	s.clients.Go(func() {
		_, _ = s.ask(ctx, w.Container, agent.Query{Idle: true, PID: max(h.PID, 0)}) // an error says that all has ended
		p.close()
		if ctx.Err() == nil {
			s.noteHeld(ctx, w, func(all []held) []held { return slices.DeleteFunc(all, h.equal) })
		}
	})
}

// noteHeld changes what is held for w, and its note.
func (s *server) noteHeld(ctx context.Context, w *warm, change func([]held) []held) {
	s.holding.Lock()
	defer s.holding.Unlock()
	if !s.pool.change(w, func() { w.held = change(slices.Clone(w.held)) }) {
		return // it is being removed
	}
	if err := s.leaveNote(w); err != nil {
		log.G(ctx).WithError(err).WithField("container", w.ID).Warn("the next engine will not know which ports are published")
	}
}

// dialer connects to ports of a container's loopback.
func (s *server) dialer(ctx context.Context, c *container.Container) func(port int) (net.Conn, error) {
	return func(port int) (net.Conn, error) {
		socket, err := s.connectPort(ctx, c, port)
		if err != nil {
			return nil, err
		}
		defer socket.Close()
		return net.FileConn(socket)
	}
}
