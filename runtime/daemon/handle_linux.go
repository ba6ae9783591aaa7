package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/containerd/log"

	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// requestTime is how long a client may take to send its request.
const requestTime = 10 * time.Second

// replyTime is how long a client may take to read a reply. One that reads
// nothing must not keep the engine from its end.
const replyTime = 10 * time.Second

// errClientDone is why the work for a client ends early.
var errClientDone = errors.New("the client is gone or needs no more")

// handle serves one connection.
func (s *server) handle(ctx context.Context, unix *net.UnixConn) {
	defer s.activity.begin()()
	conn := wire.New(unix)
	keepOpen := false
	defer func() {
		if !keepOpen {
			_ = conn.Close()
		}
	}()
	who, err := peerOf(unix)
	if err != nil {
		log.G(ctx).WithError(err).Warn("a client without credentials")
		return
	}
	r, err := receiveRequest(ctx, conn)
	if errors.Is(err, io.EOF) {
		return // A client that only looks whether an engine answers.
	}
	if err == nil {
		keepOpen, err = s.answer(ctx, conn, who, r)
	}
	if err != nil {
		_ = send(conn, reply{Fault: s.faultOf(err)})
	}
}

// faultOf is what a client is told of err. Why the disk comes first: whatever
// failed for it, under whatever name, free space is what helps.
func (s *server) faultOf(err error) *fault.Error {
	place := s.cfg.Dirs.State
	if strings.Contains(err.Error(), s.cfg.Dirs.Run+"/") {
		place = s.cfg.Dirs.Run
	}
	return cmp.Or(fault.Disk(err, place), fault.Of(err))
}

// send sends a reply, within bounds.
func send(conn *wire.Conn, r reply, files ...*os.File) error {
	_ = conn.Unix().SetWriteDeadline(time.Now().Add(replyTime))
	return conn.Send(r, files...)
}

// receiveRequest reads the first message, if it comes in time and before the
// engine ends.
func receiveRequest(ctx context.Context, conn *wire.Conn) (request, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.Unix().SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var data json.RawMessage
	files, err := conn.Receive(&data)
	wire.CloseAll(files)
	if err != nil {
		return request{}, err
	}
	return decodeRequest(data)
}

// answer does what a request asks for. keepOpen tells that the connection is
// to stay until the engine has ended.
func (s *server) answer(ctx context.Context, conn *wire.Conn, who peer, r request) (keepOpen bool, err error) {
	switch r.Operation {
	case opRun:
		return false, s.run(ctx, conn, who, r)
	case opDial:
		return false, s.dial(ctx, conn, who, r)
	case opRemove:
		return false, s.remove(ctx, conn, who, r.ID)
	case opLookup:
		found, err := lookup(ctx, s.daemons.Containerd(), r.Ref)
		return false, errors.Join(err, send(conn, reply{Images: &found}))
	case opImages:
		found, err := listImages(ctx, s.daemons.Containerd())
		return false, errors.Join(err, send(conn, reply{Images: &found}))
	case opList:
		all, err := s.list(ctx)
		return false, errors.Join(err, send(conn, reply{Containers: &all}))
	case opUsage:
		all, err := s.usage(ctx)
		return false, errors.Join(err, send(conn, reply{Usage: &all}))
	case opLog:
		return false, s.sendLog(ctx, conn, who, r.ID)
	case opStatus:
		status, err := s.status(ctx)
		return false, errors.Join(err, send(conn, reply{Status: &status}))
	case opClean:
		cleaned, err := s.clean(ctx, r.Cleaning)
		if err != nil {
			return false, err
		}
		return false, send(conn, reply{Cleaned: &cleaned})
	case opStop:
		return s.stopFor(ctx, conn, who, r.Force)
	default:
		return false, badRequest(fmt.Errorf("unknown operation %q", r.Operation))
	}
}

// run gives the client a container for as long as it wants it.
func (s *server) run(ctx context.Context, conn *wire.Conn, who peer, r request) error {
	c := r.Container
	if c == nil || r.Detached && c.Role != spec.RoleDev {
		return badRequest(errors.New("no container, or none that is kept"))
	}
	if err := who.mayActAs(c.Caller); err != nil {
		return err
	}
	ports, err := listen(ctx, r.Ports)
	if err != nil {
		return err
	}
	left := false
	defer func() {
		if !left {
			ports.close()
		}
	}()
	obtaining, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	last := make(chan end, 1)
	s.clients.Go(func() { // until the client speaks, or handle closes the connection
		var e end
		files, err := conn.Receive(&e)
		wire.CloseAll(files)
		if err != nil {
			e.Left = someCommand // it was killed and cannot say
		}
		last <- e
		cancel(errClientDone)
	})
	use, err := s.obtain(obtaining, conn, who, *c)
	if err != nil {
		if obtaining.Err() == nil {
			return err
		}
		_ = send(conn, reply{Removed: &removed{Stopped: ctx.Err() != nil}}) // the client may be gone
		return nil
	}
	ports.serve(s.dialer(ctx, use.Container), r.Ports)
	var e end
	select {
	case e = <-last:
	case <-ctx.Done():
	}
	if r.Detached && ctx.Err() == nil {
		left = e.Left != 0 && len(r.Ports) > 0
		if left {
			s.hold(ctx, use.warm, held{e.Left, r.Ports}, ports)
		}
		return use.leave(ctx, conn)
	}
	return use.finish(ctx, conn, e)
}

// discard removes a container, later if it cannot be now.
func (s *server) discard(ctx context.Context, made *container.Container) error {
	err := s.containers.Remove(ctx, made.ID)
	if err != nil {
		log.G(ctx).WithError(err).Warn("a container could not be removed")
		s.keeper.add(container.Container{ID: made.ID})
	}
	return err
}

// remove removes a container that an earlier engine made.
func (s *server) remove(ctx context.Context, conn *wire.Conn, who peer, id string) error {
	there, err := s.owned(ctx, who, id)
	if err != nil {
		return err
	}
	if there {
		s.pool.forget(id)
		if err := s.keeper.remove(ctx, id); err != nil {
			return err
		}
	}
	return send(conn, reply{Removed: &removed{}})
}

// owned reports whether there is a container of that id. One that was made for
// another user is an error.
func (s *server) owned(ctx context.Context, who peer, id string) (there bool, err error) {
	all, err := s.containers.List(ctx)
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(all, func(c container.Container) bool { return c.ID == id })
	if at < 0 {
		return false, nil
	}
	return true, who.mayRemove(all[at])
}

// stopFor ends the engine for a client, which waits for its connection to close.
func (s *server) stopFor(ctx context.Context, conn *wire.Conn, who peer, force bool) (keepOpen bool, err error) {
	if err := who.mayStop(os.Geteuid()); err != nil {
		return false, err
	}
	if !force {
		if err := s.refuseBusy(ctx); err != nil {
			return false, err
		}
	}
	s.mu.Lock()
	s.waiting = append(s.waiting, conn.Unix())
	s.mu.Unlock()
	err = send(conn, reply{Stopping: true})
	s.stop(errStopped)
	return true, err
}

// refuseBusy says whom a stop would disturb.
func (s *server) refuseBusy(ctx context.Context) error {
	running, err := s.describe(ctx)
	if err != nil {
		return err
	}
	running = slices.DeleteFunc(running, func(c Container) bool { return c.Users == 0 })
	builds, awaiting := s.daemons.Builds(), s.awaiting.Load()
	if len(running) == 0 && builds == 0 && awaiting == 0 {
		return nil
	}
	var details strings.Builder
	for _, c := range running {
		fmt.Fprintf(&details, "container %.12s of %s, for process %d of user %d\n", c.ID, c.Image, c.Owner, c.UID)
	}
	return &fault.Error{
		Code:    "engine.busy",
		Message: fmt.Sprintf("the engine runs %d containers and %d builds, and %d clients wait for a container", len(running), builds, awaiting),
		Next:    "wait for them, or wr engine down --force", Details: details.String(),
	}
}
