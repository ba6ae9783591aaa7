package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/defaults"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/log"
	"github.com/containerd/plugin"
	"github.com/containerd/ttrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"
)

// containerd is the embedded server: a plugin graph behind gRPC on a socket
// for others and on a pipe in memory for this process, and ttrpc for shims.
//
// Why not containerd's own server package: it wants its gRPC plugin, which
// registers with Prometheus and fixes the socket's permissions, and it reads
// every plugin's configuration through a TOML encoder.
type containerd struct {
	dirs    Dirs
	grpc    *grpc.Server
	ttrpc   *ttrpc.Server
	memory  *bufconn.Listener
	plugins []*plugin.Plugin
	ready   sync.WaitGroup // plugins that still start in the background
	serving sync.WaitGroup
	cancel  context.CancelFunc
}

// newContainerd starts every plugin and serves. Connections of other
// processes are counted in others.
func newContainerd(ctx context.Context, dirs Dirs, a access, others *atomic.Int64) (_ *containerd, err error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &containerd{dirs: dirs, cancel: cancel, memory: bufconn.Listen(1 << 20)}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if err := mount.SetTempMountLocation(dirs.TempMounts()); err != nil {
		return nil, fmt.Errorf("start containerd: %w", err)
	}
	if _, err := mount.CleanupTempMounts(0); err != nil {
		return nil, fmt.Errorf("start containerd: %w", err)
	}
	if c.ttrpc, err = ttrpc.NewServer(ttrpc.WithServerHandshaker(ttrpc.UnixSocketRequireSameUser())); err != nil {
		return nil, fmt.Errorf("start containerd: %w", err)
	}
	c.grpc = grpc.NewServer(
		grpc.ChainUnaryInterceptor(unaryNamespace),
		grpc.ChainStreamInterceptor(streamNamespace),
		grpc.MaxRecvMsgSize(defaults.DefaultMaxRecvMsgSize),
		grpc.MaxSendMsgSize(defaults.DefaultMaxSendMsgSize),
	)
	if err := c.startPlugins(ctx); err != nil {
		return nil, err
	}
	if err := c.serve(ctx, a, others); err != nil {
		return nil, err
	}
	c.ready.Wait()
	return c, nil
}

// startPlugins starts the graph. Every plugin must start: the list holds none
// that wr can do without.
func (c *containerd) startPlugins(ctx context.Context) error {
	set := plugin.NewPluginSet()
	for _, r := range registrations() {
		ic := plugin.NewContext(ctx, set, map[string]string{
			plugins.PropertyRootDir:      filepath.Join(c.dirs.ContainerdRoot(), r.URI()),
			plugins.PropertyStateDir:     filepath.Join(c.dirs.ContainerdState(), r.URI()),
			plugins.PropertyGRPCAddress:  c.dirs.ContainerdSocket(),
			plugins.PropertyTTRPCAddress: c.dirs.ShimSocket(),
		})
		ic.Config = configFor(r, c.dirs)
		ic.RegisterReadiness = func() func() {
			c.ready.Add(1)
			return c.ready.Done
		}
		started := r.Init(ic)
		if err := set.Add(started); err != nil {
			return fmt.Errorf("start containerd: %w", err)
		}
		instance, err := started.Instance()
		if err != nil {
			return fmt.Errorf("start containerd: %s: %w", r.URI(), err)
		}
		c.plugins = append(c.plugins, started)
		if err := c.register(instance); err != nil {
			return fmt.Errorf("start containerd: %s: %w", r.URI(), err)
		}
	}
	return nil
}

// register offers a plugin's services to clients and to shims.
func (c *containerd) register(instance any) error {
	if s, ok := instance.(interface{ Register(*grpc.Server) error }); ok {
		if err := s.Register(c.grpc); err != nil {
			return err
		}
	}
	if s, ok := instance.(interface{ RegisterTTRPC(*ttrpc.Server) error }); ok {
		return s.RegisterTTRPC(c.ttrpc)
	}
	return nil
}

// serve listens everywhere and returns.
func (c *containerd) serve(ctx context.Context, a access, others *atomic.Int64) error {
	socket, err := listen(c.dirs.ContainerdSocket(), a)
	if err != nil {
		return err
	}
	shims, err := listen(c.dirs.ShimSocket(), access{gid: -1})
	if err != nil {
		_ = socket.Close()
		return err
	}
	c.run(ctx, "containerd", func() error { return c.grpc.Serve(counted{socket, others}) })
	c.run(ctx, "containerd in memory", func() error { return c.grpc.Serve(c.memory) })
	c.run(ctx, "containerd for shims", func() error { return c.ttrpc.Serve(ctx, shims) })
	return nil
}

// run serves in a goroutine that close waits for.
func (c *containerd) run(ctx context.Context, name string, serve func() error) {
	c.serving.Go(func() {
		err := serve()
		if err != nil && ctx.Err() == nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, ttrpc.ErrServerClosed) {
			log.G(ctx).WithError(err).WithField("server", name).Error("server ended")
		}
	})
}

// dial returns a client that reaches the server without a socket.
func (c *containerd) dial() (*client.Client, error) {
	inMemory := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return c.memory.DialContext(ctx)
	})
	conn, err := client.New(c.dirs.ContainerdSocket(),
		client.WithDefaultNamespace(Namespace),
		client.WithExtraDialOpts([]grpc.DialOption{inMemory}))
	if err != nil {
		return nil, fmt.Errorf("connect to containerd: %w", err)
	}
	return conn, nil
}

// close stops serving and closes plugins in the reverse order of their start.
// Containers and their shims live on.
func (c *containerd) close() {
	c.cancel()
	if c.grpc != nil {
		c.grpc.Stop()
	}
	if c.ttrpc != nil {
		_ = c.ttrpc.Close()
	}
	_ = c.memory.Close()
	c.serving.Wait()
	for _, p := range slices.Backward(c.plugins) {
		instance, err := p.Instance()
		closer, ok := instance.(io.Closer)
		if err != nil || !ok {
			continue
		}
		if err := closer.Close(); err != nil {
			log.L.WithError(err).WithField("plugin", p.Registration.URI()).Warn("plugin did not close")
		}
	}
}

// unaryNamespace hands a caller's namespace on to what the handler calls, the
// shims above all.
func unaryNamespace(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	return handler(passNamespace(ctx), req)
}

func streamNamespace(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return handler(srv, namespacedStream{stream})
}

type namespacedStream struct{ grpc.ServerStream }

// Context implements grpc.ServerStream.
func (s namespacedStream) Context() context.Context { return passNamespace(s.ServerStream.Context()) }

func passNamespace(ctx context.Context) context.Context {
	if namespace, ok := namespaces.Namespace(ctx); ok {
		return namespaces.WithNamespace(ctx, namespace)
	}
	return ctx
}
