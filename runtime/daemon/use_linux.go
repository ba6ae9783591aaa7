package daemon

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/containerd/log"

	"github.com/wr-build/wr/runtime/agent"
	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// restTime is how long what a process left behind in a kept container may take
// to be gone.
const restTime = 5 * time.Second

// use is one client's use of one container.
type use struct {
	server *server
	uid    int // of the client
	prepared
	warm   *warm // nil for a fresh container
	shared bool  // others used it too, for a part of the time; guarded by server.mu
}

// obtain finds or makes a container for a client and gives the client its
// agent. A kept one whose agent does not answer any more is replaced once.
func (s *server) obtain(ctx context.Context, conn *wire.Conn, who peer, c spec.Container) (*use, error) {
	u, again, err := s.reach(ctx, conn, who, c)
	if err != nil && again && ctx.Err() == nil {
		log.G(ctx).WithError(err).Warn("a kept container cannot be used any more")
		u, _, err = s.reach(ctx, conn, who, c)
	}
	return u, err
}

// reach is one attempt at obtain. again tells that it failed with a container
// that had been used before.
func (s *server) reach(ctx context.Context, conn *wire.Conn, who peer, c spec.Container) (u *use, again bool, err error) {
	u = &use{server: s, uid: who.uid}
	defer s.await()()
	if c.Role != spec.RoleFresh {
		u.warm, again, err = s.pool.take(ctx, who, c)
	}
	switch {
	case err != nil:
	case u.warm == nil:
		c.Role = spec.RoleFresh
		u.prepared, err = s.makeFresh(ctx, who, c)
	default:
		u.prepared = u.warm.prepared
	}
	if err != nil {
		return nil, false, err
	}
	u.struck = s.containers.Struck(u.ID)
	s.enter(u)
	err = u.handOver(ctx, conn, c)
	switch {
	case err == nil:
		s.noteUse(ctx, c.Image)
		return u, false, nil
	case u.warm == nil:
		return nil, false, errors.Join(err, s.discard(ctx, u.Container))
	case ctx.Err() != nil && u.rest(context.WithoutCancel(ctx)):
		s.pool.give(u.warm) // only its client is gone
	default:
		s.pool.drop(u.warm)
	}
	s.leave(u)
	return nil, again, err
}

// await notes that a client waits for a container until done is called.
func (s *server) await() (done func()) {
	s.awaiting.Add(1)
	return func() { s.awaiting.Add(-1) }
}

// enter notes a use, by which its client finds the container again.
func (s *server) enter(u *use) {
	known, _ := s.pool.find(u.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	u.shared = known.users > 1 // also with those that have no client here
	for other := range s.current {
		if other.ID == u.ID {
			other.shared, u.shared = true, true
		}
	}
	s.current[u] = struct{}{}
}

// leave takes a use back, before another can have its container, and reports
// whether what happened there may be another's doing.
func (s *server) leave(u *use) (shared bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.current, u)
	return u.shared
}

// dial connects a client with a port of a container that its user uses.
func (s *server) dial(ctx context.Context, conn *wire.Conn, who peer, r request) error {
	c := s.used(who, r.ID)
	if c == nil {
		return &fault.Error{Code: "container.unknown", Message: "you use no container " + r.ID}
	}
	socket, err := s.connectPort(ctx, c, r.Port)
	if err != nil {
		return err
	}
	defer socket.Close()
	return send(conn, reply{}, socket)
}

// connectPort connects with a port of a container's loopback.
func (s *server) connectPort(ctx context.Context, c *container.Container, port int) (*os.File, error) {
	f, err := s.containers.Connect(ctx, c)
	if err != nil {
		return nil, err
	}
	inside, err := wire.FromFile(f)
	if err != nil {
		return nil, err
	}
	return agent.Connect(inside, port)
}

// used is the container of that id, if who, or root, uses it.
func (s *server) used(who peer, id string) *container.Container {
	s.mu.Lock()
	defer s.mu.Unlock()
	for u := range s.current {
		if u.ID == id && (who.uid == 0 || who.uid == u.uid) {
			return u.Container
		}
	}
	return nil
}

// makeFresh makes a container that is nobody else's.
func (s *server) makeFresh(ctx context.Context, who peer, c spec.Container) (prepared, error) {
	image, err := s.containers.Image(ctx, c.Image)
	if err != nil {
		return prepared{}, err
	}
	return s.make(ctx, who, image, c)
}

// make makes a container of an image and prepares it.
func (s *server) make(ctx context.Context, who peer, image *container.Image, c spec.Container) (prepared, error) {
	made, err := s.containers.Create(ctx, who.owner(), image, c)
	if err != nil {
		if made != nil {
			s.keeper.add(container.Container{ID: made.ID}) // What is left of it is removed later.
		}
		return prepared{}, err
	}
	if len(made.Entrypoint) == 0 || c.Entrypoint == spec.EntrypointEach || c.Entrypoint == spec.EntrypointOff {
		return prepared{Container: made}, nil
	}
	out, err := s.prepare(ctx, made, c.Role)
	if err != nil {
		return prepared{}, errors.Join(err, s.discard(ctx, made))
	}
	return out, nil
}

// prepare runs a container's ENTRYPOINT.
func (s *server) prepare(ctx context.Context, made *container.Container, role spec.Role) (prepared, error) {
	env, err := s.entrypoint(ctx, made)
	if err != nil {
		return prepared{}, err
	}
	out := prepared{Container: made}
	for _, kv := range env {
		out.env = append(out.env, []byte(kv))
	}
	if role == spec.RoleTest {
		out.left, err = s.leftProcesses(ctx, made)
	}
	return out, err
}

// handOver connects the client with the container's agent.
func (u *use) handOver(ctx context.Context, conn *wire.Conn, c spec.Container) error {
	answer := created{ID: u.ID, Kept: u.warm != nil, Identity: u.Identity, Env: u.env}
	if c.Entrypoint == spec.EntrypointEach {
		answer.Before = u.Entrypoint
	}
	f, err := u.server.containers.Connect(ctx, u.Container)
	if err != nil {
		return err
	}
	defer f.Close()
	if c.Role != spec.RoleTest {
		return send(conn, reply{Created: &answer}, f)
	}
	isolated, err := wire.FromFile(f)
	if err != nil {
		return err
	}
	defer isolated.Close()
	if err := u.isolate(isolated, c); err != nil {
		return err
	}
	passed, err := isolated.File()
	if err != nil {
		return err
	}
	defer passed.Close()
	return send(conn, reply{Created: &answer}, passed)
}

// isolate tells the agent what the client's process is to have of its own.
func (u *use) isolate(conn *wire.Conn, c spec.Container) error {
	mounts, err := u.server.containers.Detach(c.Caller, u.Identity, c.Own)
	if err != nil {
		return err
	}
	defer wire.CloseAll(mounts)
	isolation := agent.Isolation{Network: c.Network == spec.NetworkNone}
	for _, m := range c.Own {
		isolation.Mounts = append(isolation.Mounts, agent.Text(m.Target))
	}
	return agent.Isolate(conn, isolation, mounts)
}

// finish ends the use and says so. The client need not wait for what follows:
// nothing that it started runs any more, and cleaning up takes as long as all
// the rest of a short command.
func (u *use) finish(ctx context.Context, conn *wire.Conn, e end) error {
	s := u.server
	gone := removed{Stopped: ctx.Err() != nil, Shared: s.leave(u)}
	if e.Failed {
		struck := s.containers.Struck(u.ID)
		gone.OOMKilled, gone.PidsRefused = struck.Memory > u.struck.Memory, struck.Pids > u.struck.Pids
	}
	if u.warm != nil && ctx.Err() == nil && u.rest(ctx) {
		s.pool.give(u.warm)
		return send(conn, reply{Removed: &gone})
	}
	if u.warm != nil {
		s.pool.forget(u.ID)
	}
	if err := s.containers.Kill(ctx, u.ID); err != nil {
		return errors.Join(err, s.discard(ctx, u.Container))
	}
	_ = send(conn, reply{Removed: &gone}) // the client may be gone
	return s.discard(ctx, u.Container)
}

// rest waits until a container can be used by the next, and reports whether it
// can. Processes of a dev container are those of its users.
func (u *use) rest(ctx context.Context) bool {
	if u.warm.role != spec.RoleTest {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	_, err := u.server.ask(ctx, u.Container, agent.Query{Idle: true})
	return err == nil
}
