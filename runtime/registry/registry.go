// Package registry moves images between the engine's store and registries. It
// is the client's side, like package image: the caller's credentials never
// reach the engine.
//
// A tag is written once. Registries have no transaction for that, so Push
// looks before, asks for it with If-None-Match, which some obey, and looks
// again afterwards. Of two that push at the same moment, the registry that
// obeys takes one and tells both. In any other, the one that writes last stays
// and knows it; the one before may not.
package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/log"
	"github.com/sirupsen/logrus"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// dialTimeout bounds connecting to containerd's socket.
const dialTimeout = 10 * time.Second

// Config says where the store is and who speaks to registries.
type Config struct {
	ContainerdSocket string // absolute path
	Namespace        string // of the images in containerd
	DockerConfig     string // directory of a docker config.json with credentials or helpers; "" = anonymous
}

// Registry copies images. It connects to the store on first use and is safe
// for concurrent use.
type Registry struct {
	config Config
	client func() (*containerd.Client, error)

	mu    sync.Mutex // guards close
	close func() error
}

var (
	_ spec.Puller   = (*Registry)(nil)
	_ spec.Pusher   = (*Registry)(nil)
	_ spec.Resolver = (*Registry)(nil)
)

// New returns a Registry for the store of an engine that is running.
func New(c Config) *Registry {
	r := &Registry{config: c, close: func() error { return nil }}
	r.client = sync.OnceValues(r.dial)
	return r
}

// Close closes the connection. It may be called at any time and again.
func (r *Registry) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.close()
	r.close = func() error { return nil }
	return err
}

// dial connects to containerd.
func (r *Registry) dial() (*containerd.Client, error) {
	c, err := containerd.New(r.config.ContainerdSocket, containerd.WithDefaultNamespace(r.config.Namespace), containerd.WithTimeout(dialTimeout))
	if err != nil {
		return nil, &fault.Error{
			Code: "engine.unreachable", Message: fmt.Sprintf("containerd cannot be reached at %s: %v", r.config.ContainerdSocket, err),
			Next: "wr engine status", Err: err,
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.close = c.Close
	return c, nil
}

// within is ctx for containerd's packages: in the namespace of the images, and
// without their log, which tells on stderr of every image that is not there.
func (r *Registry) within(ctx context.Context) context.Context {
	quiet := logrus.New()
	quiet.SetOutput(io.Discard)
	return log.WithLogger(namespaces.WithNamespace(ctx, r.config.Namespace), logrus.NewEntry(quiet))
}

// resolver speaks to registries with the caller's credentials, without
// encryption to this machine only. Each copy has its own: it remembers what it
// has pushed. wrap, when not nil, stands between it and the network.
func (r *Registry) resolver(wrap func(http.RoundTripper) http.RoundTripper) remotes.Resolver {
	transport := http.DefaultTransport
	if wrap != nil {
		transport = wrap(transport)
	}
	client := &http.Client{Transport: transport}
	authorizer := docker.NewDockerAuthorizer(docker.WithAuthClient(client), docker.WithAuthCreds(credentials(r.config.DockerConfig)))
	return docker.NewResolver(docker.ResolverOptions{Hosts: docker.ConfigureDefaultRegistries(
		docker.WithClient(client), docker.WithAuthorizer(authorizer), docker.WithPlainHTTP(docker.MatchLocalhost),
	)})
}
