package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/containerd/v2/defaults"
	"github.com/containerd/log"
	"github.com/moby/buildkit/util/grpcerrors"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // the faster codec that clients ask for
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// solveMethod is the call that lasts as long as a build.
const solveMethod = "/moby.buildkit.v1.Control/Solve"

// acceptPause is how long nobody can connect after a connection failed.
const acceptPause = 50 * time.Millisecond

// buildServer is what makes BuildKit at the first connection.
type buildServer interface {
	Register(*grpc.Server)
	Close() error
}

// builds serves BuildKit, which is made at the first connection; later ones
// wait for it. When that fails, the connection is told why, and the next one
// tries again.
type builds struct {
	make     func(context.Context) (buildServer, error)
	listener net.Listener
	running  atomic.Int64 // builds under way
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu     sync.Mutex // guards what follows, and is held while BuildKit is made
	closed bool
	server buildServer
	grpc   *grpc.Server
	conns  *handoff
}

// newBuilds accepts connections at once and makes nothing yet.
func newBuilds(ctx context.Context, l net.Listener, mk func(context.Context) (buildServer, error)) *builds {
	ctx, cancel := context.WithCancel(ctx)
	b := &builds{make: mk, listener: l, cancel: cancel}
	b.wg.Go(func() { b.accept(ctx) })
	return b
}

func (b *builds) accept(ctx context.Context) {
	for {
		conn, err := b.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors, most likely: that passes.
			log.G(ctx).WithError(err).Warn("a client could not connect to buildkit")
			select {
			case <-time.After(acceptPause):
				continue
			case <-ctx.Done():
				return
			}
		}
		b.wg.Go(func() { b.handle(ctx, conn) })
	}
}

func (b *builds) handle(ctx context.Context, conn net.Conn) {
	conns, err := b.ready(ctx)
	if err != nil {
		log.G(ctx).WithError(err).Error("buildkit cannot start")
		refuse(ctx, conn, err)
		return
	}
	conns.give(conn)
}

// ready returns where connections to BuildKit go, and makes it when needed.
func (b *builds) ready(ctx context.Context) (*handoff, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, net.ErrClosed
	}
	if b.conns != nil {
		return b.conns, nil
	}
	server, err := b.make(ctx)
	if err != nil {
		return nil, fmt.Errorf("start buildkit: %w", err)
	}
	b.server = server
	b.grpc = grpc.NewServer(
		grpc.ChainUnaryInterceptor(b.count, grpcerrors.UnaryServerInterceptor),
		grpc.StreamInterceptor(grpcerrors.StreamServerInterceptor),
		grpc.MaxRecvMsgSize(defaults.DefaultMaxRecvMsgSize),
		grpc.MaxSendMsgSize(defaults.DefaultMaxSendMsgSize),
	)
	healthv1.RegisterHealthServer(b.grpc, health.NewServer())
	server.Register(b.grpc)
	b.conns = newHandoff(b.listener.Addr())
	b.wg.Go(func() { _ = b.grpc.Serve(b.conns) })
	return b.conns, nil
}

// count keeps the number of builds under way.
func (b *builds) count(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if info.FullMethod == solveMethod {
		b.running.Add(1)
		defer b.running.Add(-1)
	}
	return handler(ctx, req)
}

// refuse answers every call on one connection with the reason why BuildKit is
// not there, until the client has gone.
func refuse(ctx context.Context, conn net.Conn, reason error) {
	unavailable := func(any, grpc.ServerStream) error { return status.Error(codes.Unavailable, reason.Error()) }
	s := grpc.NewServer(grpc.UnknownServiceHandler(unavailable))
	l := newHandoff(conn.LocalAddr())
	gone := make(chan struct{})
	stop := context.AfterFunc(ctx, s.Stop)
	defer stop()
	go func() {
		l.give(&noticed{Conn: conn, closed: gone})
		<-gone
		s.Stop()
	}()
	_ = s.Serve(l)
}

// noticed is a connection whose end can be waited for.
type noticed struct {
	net.Conn
	closed chan struct{}
	once   sync.Once
}

// Close implements net.Conn.
func (n *noticed) Close() error {
	n.once.Do(func() { close(n.closed) })
	return n.Conn.Close()
}

// close ends the running builds after grace at most, and then BuildKit.
func (b *builds) close(grace time.Duration) {
	_ = b.listener.Close()
	b.cancel() // also lets a BuildKit that is being made give up
	b.mu.Lock()
	b.closed = true
	server, grpcServer := b.server, b.grpc
	b.mu.Unlock()
	if grpcServer != nil {
		stopWithin(grpcServer, grace)
	}
	b.wg.Wait()
	if server == nil {
		return
	}
	if err := server.Close(); err != nil {
		log.L.WithError(err).Warn("buildkit did not close")
	}
}

// stopWithin lets running calls end for a while and then ends them.
func stopWithin(s *grpc.Server, grace time.Duration) {
	timer := time.AfterFunc(grace, s.Stop)
	defer timer.Stop()
	s.GracefulStop()
}
