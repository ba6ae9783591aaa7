package engine

import (
	"context"
	"io"
	"path/filepath"
	"slices"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/gc"
	"github.com/containerd/platforms"
	"github.com/moby/buildkit/cache/metadata"
	"github.com/moby/buildkit/cache/remotecache"
	inlinecache "github.com/moby/buildkit/cache/remotecache/inline"
	localcache "github.com/moby/buildkit/cache/remotecache/local"
	registrycache "github.com/moby/buildkit/cache/remotecache/registry"
	buildkit "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/control"
	"github.com/moby/buildkit/executor/resources"
	"github.com/moby/buildkit/frontend"
	dockerfile "github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/gateway/forwarder"
	"github.com/moby/buildkit/session"
	containerdsnapshot "github.com/moby/buildkit/snapshot/containerd"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/bboltcachestorage"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/db/boltutil"
	"github.com/moby/buildkit/util/entitlements"
	"github.com/moby/buildkit/util/leaseutil"
	"github.com/moby/buildkit/util/network"
	"github.com/moby/buildkit/util/resolver"
	"github.com/moby/buildkit/util/winlayers"
	"github.com/moby/buildkit/worker"
	"github.com/moby/buildkit/worker/base"
	wlabel "github.com/moby/buildkit/worker/label"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	bolt "go.etcd.io/bbolt"
)

// controllerMaker makes BuildKit on top of the embedded containerd.
type controllerMaker struct {
	dirs    Dirs
	runc    string // path of the OCI runtime
	cgroups Cgroups
	client  *client.Client
}

// cleanup closes what a half-made thing has opened. A bolt database left open
// would block the next attempt for ever.
type cleanup []io.Closer

func (c *cleanup) add(closer io.Closer) { *c = append(*c, closer) }

func (c *cleanup) close() {
	for _, closer := range slices.Backward(*c) {
		_ = closer.Close()
	}
}

// make opens the caches and makes the controller, about 15 ms.
func (m controllerMaker) make(ctx context.Context) (_ buildServer, err error) {
	var undo cleanup
	defer func() {
		if err != nil {
			undo.close()
		}
	}()
	w, err := m.worker(ctx, &undo)
	if err != nil {
		return nil, err
	}
	workers := &worker.Controller{}
	if err := workers.Add(w); err != nil {
		return nil, err
	}
	cache, err := bboltcachestorage.NewStore(filepath.Join(m.dirs.BuildkitRoot(), "cache.db"))
	if err != nil {
		return nil, err
	}
	undo.add(cache)
	history, err := boltutil.SafeOpen(filepath.Join(m.dirs.BuildkitRoot(), "history.db"), 0o600, &bolt.Options{
		FreelistType:   bolt.FreelistMapType,
		NoFreelistSync: true,
	})
	if err != nil {
		return nil, err
	}
	undo.add(history)
	sessions, err := session.NewManager()
	if err != nil {
		return nil, err
	}
	hosts := w.RegistryHosts
	return control.NewController(control.Opt{
		SessionManager:   sessions,
		WorkerController: workers,
		Frontends: map[string]frontend.Frontend{
			"dockerfile.v0": forwarder.NewGatewayForwarder(workers.Infos(), dockerfile.Build),
		},
		ResolveCacheExporterFuncs: map[string]remotecache.ResolveCacheExporterFunc{
			"registry": registrycache.ResolveCacheExporterFunc(sessions, hosts),
			"local":    localcache.ResolveCacheExporterFunc(sessions),
			"inline":   inlinecache.ResolveCacheExporterFunc(),
		},
		ResolveCacheImporterFuncs: map[string]remotecache.ResolveCacheImporterFunc{
			"registry": registrycache.ResolveCacheImporterFunc(sessions, w.ContentStore(), hosts),
			"local":    localcache.ResolveCacheImporterFunc(sessions),
		},
		CacheManager:   solver.NewCacheManager(ctx, "local", cache, worker.NewCacheResultStorage(workers)),
		CacheStore:     cache,
		HistoryDB:      history,
		Entitlements:   []string{string(entitlements.EntitlementNetworkHost)},
		LeaseManager:   w.LeaseManager(),
		ContentStore:   w.ContentStore(),
		GarbageCollect: w.GarbageCollect,
		GracefulStop:   ctx.Done(),
	})
}

// worker stores in containerd and runs steps with the OCI runtime directly:
// twice as fast as containerd tasks, and without a shim for each step.
//
// Why not BuildKit's NewWorkerOpt: it also makes an intercepting proxy with a
// fresh RSA certificate, which takes 70 ms and more, for a feature that stays
// off here.
func (m controllerMaker) worker(ctx context.Context, undo *cleanup) (*base.Worker, error) {
	root := filepath.Join(m.dirs.BuildkitRoot(), "worker")
	if err := makeDir(root, 0o700, -1); err != nil {
		return nil, err
	}
	id, err := base.ID(root)
	if err != nil {
		return nil, err
	}
	networks := networks()
	monitor, err := resources.NewMonitor()
	if err != nil {
		return nil, err
	}
	undo.add(monitor)
	steps, err := m.executor(monitor, networks)
	if err != nil {
		return nil, err
	}
	server, err := m.client.IntrospectionService().Server(ctx)
	if err != nil {
		return nil, err
	}
	policy, err := gcPolicy(m.dirs.BuildkitRoot())
	if err != nil {
		return nil, err
	}
	store, err := metadata.NewStore(filepath.Join(m.dirs.BuildkitRoot(), "metadata_v2.db"))
	if err != nil {
		return nil, err
	}
	undo.add(store)
	content := containerdsnapshot.NewContentStore(m.client.ContentStore(), Namespace)
	manager := leaseutil.WithNamespace(m.client.LeasesService(), Namespace)
	return base.NewWorker(ctx, base.WorkerOpt{
		ID:   id,
		Root: root,
		Labels: map[string]string{
			wlabel.Executor:            "oci",
			wlabel.Snapshotter:         snapshotter,
			wlabel.Network:             "host",
			wlabel.ContainerdNamespace: Namespace,
			wlabel.ContainerdUUID:      server.UUID,
		},
		Platforms:        []ocispec.Platform{platforms.Normalize(platforms.DefaultSpec())},
		GCPolicy:         policy,
		BuildkitVersion:  buildkit.BuildkitVersion{Package: buildkitModule, Version: moduleVersion(buildkitModule)},
		NetworkProviders: networks,
		Executor:         steps,
		Snapshotter:      containerdsnapshot.NewSnapshotter(snapshotter, m.client.SnapshotService(snapshotter), Namespace, nil),
		ContentStore:     content,
		Applier:          winlayers.NewFileSystemApplierWithWindows(content, m.client.DiffService()),
		Differ:           winlayers.NewWalkingDiffWithWindows(content, m.client.DiffService()),
		ImageStore:       m.client.ImageService(),
		RegistryHosts:    resolver.NewRegistryConfig(nil),
		LeaseManager:     manager,
		GarbageCollect:   collectWith(manager),
		MetadataStore:    store,
		MountPoolRoot:    filepath.Join(root, "cachemounts"),
		ResourceMonitor:  monitor,
	})
}

// collectWith makes containerd collect its garbage now; deleting a lease is
// the only way to ask.
func collectWith(manager *leaseutil.Manager) func(context.Context) (gc.Stats, error) {
	return func(ctx context.Context) (gc.Stats, error) {
		l, err := manager.Create(ctx, leases.WithRandomID())
		if err != nil {
			return nil, err
		}
		return nil, manager.Delete(ctx, leases.Lease{ID: l.ID}, leases.SynchronousDelete)
	}
}

// networks are what build steps may ask for; the host's unless they say none.
func networks() map[pb.NetMode]network.Provider {
	host := network.NewHostProvider()
	return map[pb.NetMode]network.Provider{
		pb.NetMode_UNSET: host,
		pb.NetMode_HOST:  host,
		pb.NetMode_NONE:  network.NewNoneProvider(),
	}
}
