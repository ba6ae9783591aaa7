package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/log"

	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/helper"
)

// DefaultIdle is how long an engine waits for something to do before it ends.
const DefaultIdle = 15 * time.Minute

// Config says how an engine is run.
type Config struct {
	Dirs    engine.Dirs
	Version string        // of wr, for Status
	Group   string        // whose members may use the engine; "" = only its own user
	Idle    time.Duration // end after that long with nothing to do; 0 = DefaultIdle, < 0 = never
	Helpers *helper.Set   // nil = those of this binary, else those on PATH
	Keep    time.Duration // how long an unused container is kept; 0 = DefaultKeep
	MaxKept int           // how many unused containers are kept; 0 = DefaultMaxKept
	Ready   func(error)   // called once: the engine serves, or why it cannot; may be nil
	Now     func() time.Time
}

// Reasons for which an engine ends.
var (
	errIdle    = errors.New("nothing to do")
	errStopped = errors.New("stopped by request")
)

// server is a running engine.
type server struct {
	cfg        Config
	daemons    *engine.Daemons
	helpers    helper.Set
	programs   func() Helpers // the same with their versions, asked for once
	containers *container.Manager
	activity   *activity
	keeper     *keeper
	pool       *pool
	uses       uses       // of images
	cleaning   sync.Mutex // held while cleaning up
	holding    sync.Mutex // held while the note of a container is written that has ports published
	since      time.Time
	awaiting   atomic.Int64 // clients that wait for a container

	stop    context.CancelCauseFunc // ends the engine
	clients sync.WaitGroup          // connections being served

	mu      sync.Mutex        // guards the rest
	waiting []net.Conn        // who asked for the end and waits for it
	current map[*use]struct{} // what clients use now
}

// Serve runs an engine until ctx ends, a client stops it or it has been idle
// for long enough. Then it removes all containers and returns nil.
func Serve(ctx context.Context, cfg Config) error {
	s, listener, survivors, err := open(ctx, cfg)
	if cfg.Ready != nil {
		cfg.Ready(err)
	}
	if err != nil {
		return err
	}
	ctx, s.stop = context.WithCancelCause(ctx)
	s.adopt(ctx, survivors)
	var work sync.WaitGroup
	work.Go(func() { s.keeper.run(ctx) })
	work.Go(func() { s.watchIdle(ctx) })
	work.Go(func() { s.watchPool(ctx) })
	work.Go(func() { s.scour(ctx) })
	work.Go(func() { s.accept(ctx, listener) })
	<-ctx.Done()
	log.G(ctx).WithField("reason", context.Cause(ctx).Error()).Info("engine ends")
	_ = listener.Close()
	work.Wait()
	return s.close(context.WithoutCancel(ctx))
}

// scour removes, while the engine serves already, what an earlier one left
// without a record. Cut short it would leave something itself, so the engine's
// end waits for it.
func (s *server) scour(ctx context.Context) {
	if err := s.containers.Scour(context.WithoutCancel(ctx)); err != nil {
		log.G(ctx).WithError(err).Warn("what an earlier engine left without a record is not all removed")
	}
}

// open starts everything and cleans up what an earlier engine left, but for the
// survivors, which are to be adopted.
func open(ctx context.Context, cfg Config) (_ *server, _ *net.UnixListener, survivors []container.Container, err error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Idle == 0 {
		cfg.Idle = DefaultIdle
	}
	s := &server{current: make(map[*use]struct{}), cfg: cfg, since: cfg.Now(), activity: newActivity(cfg.Now)}
	if s.helpers, err = helpers(ctx, cfg); err != nil {
		return nil, nil, nil, err
	}
	s.daemons, err = engine.Open(ctx, engine.Config{
		Dirs: cfg.Dirs, Group: cfg.Group, Version: cfg.Version,
		Runc: s.helpers.Runc.Path, Helpers: filepath.Dir(s.helpers.Shim.Path),
	})
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() {
		if err != nil {
			_ = s.daemons.Close()
		}
	}()
	s.programs = sync.OnceValue(func() Helpers { return describeHelpers(context.WithoutCancel(ctx), s.helpers) })
	s.containers = s.newManager()
	survivors, err = s.containers.Reap(ctx)
	if err != nil {
		// What could not be removed now is tried again at the next start.
		log.G(ctx).WithError(err).Warn("not everything of an earlier engine could be removed")
	}
	s.keeper = newKeeper(s.containers, cfg.Now)
	s.pool = s.newPool()
	listener, err := s.daemons.Listen(cfg.Dirs.APISocket())
	if err != nil {
		return nil, nil, nil, fmt.Errorf("serve the engine's API: %w", err)
	}
	return s, listener, survivors, nil
}

// helpers finds the programs that containers need. None may be missing.
func helpers(ctx context.Context, cfg Config) (helper.Set, error) {
	if cfg.Helpers != nil {
		return *cfg.Helpers, nil
	}
	set, err := helper.Unpack(cfg.Dirs.State)
	if err != nil {
		return helper.Set{}, err
	}
	return set, set.Require(ctx)
}

// newManager makes the manager of this engine's containers.
func (s *server) newManager() *container.Manager {
	dirs, cgroups := s.cfg.Dirs, s.daemons.Cgroups()
	return container.New(container.Config{
		Client: s.daemons.Containerd(),
		Shim:   s.helpers.Shim.Path, Runc: s.helpers.Runc.Path, Agent: s.helpers.Agent.Path,
		Files: dirs.Containers(), Mounts: dirs.Mounts(), RuncRoot: dirs.RuncRoot(),
		Shims: dirs.Shims(), Address: dirs.ContainerdSocket(),
		CgroupParent: cgroups.Parent(), Controllers: append([]string{}, cgroups.Controllers...),
		Ungroup: cgroups.Remove, Now: s.cfg.Now,
	})
}

// newPool makes the pool of this engine.
func (s *server) newPool() *pool {
	return &pool{
		image: s.containers.Image, make: s.make, note: s.leaveNote,
		remove:  func(c container.Container) { s.keeper.add(container.Container{ID: c.ID}) },
		helpers: s.helpers.Agent.Path + s.helpers.Shim.Path,
		keep:    cmp.Or(s.cfg.Keep, DefaultKeep), max: cmp.Or(s.cfg.MaxKept, DefaultMaxKept), now: s.cfg.Now,
		warm: make(map[string]*warm), making: make(map[string]chan struct{}),
	}
}

// watchPool removes containers that have not been used for long enough.
func (s *server) watchPool(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, min(max(s.pool.keep/20, 10*time.Millisecond), time.Minute))
		s.pool.expire()
	}
}

// accept serves connections until the listener closes.
func (s *server) accept(ctx context.Context, listener *net.UnixListener) {
	for {
		conn, err := listener.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors, most likely: that passes.
			log.G(ctx).WithError(err).Warn("a client could not connect")
			pause(ctx, 50*time.Millisecond)
			continue
		}
		s.clients.Go(func() { s.handle(ctx, conn) })
	}
}

// watchIdle ends the engine when nothing has happened for long enough.
func (s *server) watchIdle(ctx context.Context) {
	if s.cfg.Idle < 0 {
		return
	}
	tick := time.NewTicker(min(max(s.cfg.Idle/20, 10*time.Millisecond), time.Minute))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.daemons.Builds() > 0 || s.daemons.Connections() > 0 || s.keeper.busy() {
			s.activity.touch()
		}
		if s.activity.idle() >= s.cfg.Idle {
			s.stop(errIdle)
		}
	}
}

// close ends what still runs. Those who asked for the end learn of it last.
func (s *server) close(ctx context.Context) error {
	s.clients.Wait() // each removes its own container
	err := s.removeAll(ctx)
	err = errors.Join(err, s.daemons.Close())
	_ = os.Remove(s.cfg.Dirs.APISocket())
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.waiting {
		_ = conn.Close()
	}
	return err
}

// removeAll removes the containers that no connection removed.
func (s *server) removeAll(ctx context.Context) error {
	all, err := s.containers.List(ctx)
	ids := make([]string, len(all))
	for i, c := range all {
		ids[i] = c.ID
	}
	return errors.Join(err, s.containers.RemoveAll(ctx, ids))
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
