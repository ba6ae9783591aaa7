package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// published are the ports of one run: each connection to this machine's side
// becomes one to the container's loopback, made from inside by its agent. So no
// network has to be set up, and nothing is left of it when the process ends that
// holds them: the client, or for a process that outlives it the engine.
type published struct {
	dial      func(port int) (net.Conn, error) // to the container's loopback
	listeners []net.Listener
	all       sync.WaitGroup // listeners and connections

	mu    sync.Mutex            // guards conns
	conns map[net.Conn]struct{} // open; nil once closed
}

// listen opens the addresses of ports, all or none.
func listen(ctx context.Context, ports []spec.Port) (*published, error) {
	p := &published{conns: make(map[net.Conn]struct{})}
	for _, port := range ports {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", port.Address)
		if err != nil {
			p.close()
			return nil, &fault.Error{
				Code: "port.taken", Message: fmt.Sprintf("publish port %d at %s: %v", port.Container, port.Address, err),
				Next: "choose another port of this machine: -p OTHER:" + fmt.Sprint(port.Container), Err: err,
			}
		}
		p.listeners = append(p.listeners, l)
	}
	return p, nil
}

// serve accepts connections, and makes those to the container by dial, until close.
func (p *published) serve(dial func(port int) (net.Conn, error), ports []spec.Port) {
	p.dial = dial
	for i, l := range p.listeners {
		p.all.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				p.all.Go(func() { p.forward(c, ports[i].Container) })
			}
		})
	}
}

// forward connects c with the port inside; nobody there closes it.
func (p *published) forward(c net.Conn, port int) {
	defer c.Close()
	if !p.enter(c) {
		return
	}
	defer p.leave(c)
	inside, err := p.dial(port)
	if err != nil {
		return
	}
	defer inside.Close()
	if !p.enter(inside) {
		return
	}
	defer p.leave(inside)
	var back sync.WaitGroup
	back.Go(func() { copyHalf(c, inside) })
	copyHalf(inside, c)
	back.Wait()
}

// copyHalf copies until the source ends, and says so to the destination.
func copyHalf(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// enter notes a connection; false once all are closed.
func (p *published) enter(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *published) leave(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// close ends all listeners and connections and waits for that.
func (p *published) close() {
	for _, l := range p.listeners {
		_ = l.Close()
	}
	p.mu.Lock()
	for c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
	p.mu.Unlock()
	p.all.Wait()
}

// dial connects to a port of the container's loopback.
func (r *run) dial(port int) (net.Conn, error) {
	conn, err := r.client.open(request{Operation: opDial, ID: r.ID, Port: port})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var answer reply
	files, err := conn.Receive(&answer)
	defer wire.CloseAll(files)
	switch {
	case err != nil:
		return nil, lost(err)
	case answer.Fault != nil:
		return nil, answer.Fault
	case len(files) != 1:
		return nil, lost(errors.New("no connection came"))
	}
	return net.FileConn(files[0])
}
