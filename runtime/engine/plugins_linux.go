package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	// The plugins of the embedded containerd: what containers, images and
	// BuildKit need. Without CRI, NRI, sandboxes, streaming, transfer, restart
	// monitor, tracing, and without anything that registers with Prometheus,
	// whose global names collide with BuildKit's.
	_ "github.com/containerd/containerd/api/types/runc/options"
	_ "github.com/containerd/containerd/v2/plugins/content/local/plugin"
	_ "github.com/containerd/containerd/v2/plugins/diff/walking/plugin"
	_ "github.com/containerd/containerd/v2/plugins/events"
	_ "github.com/containerd/containerd/v2/plugins/gc"
	_ "github.com/containerd/containerd/v2/plugins/leases"
	_ "github.com/containerd/containerd/v2/plugins/services/containers"
	_ "github.com/containerd/containerd/v2/plugins/services/content"
	_ "github.com/containerd/containerd/v2/plugins/services/diff"
	_ "github.com/containerd/containerd/v2/plugins/services/events"
	_ "github.com/containerd/containerd/v2/plugins/services/healthcheck"
	_ "github.com/containerd/containerd/v2/plugins/services/images"
	_ "github.com/containerd/containerd/v2/plugins/services/introspection"
	_ "github.com/containerd/containerd/v2/plugins/services/leases"
	_ "github.com/containerd/containerd/v2/plugins/services/namespaces"
	_ "github.com/containerd/containerd/v2/plugins/services/snapshots"
	_ "github.com/containerd/containerd/v2/plugins/services/tasks"
	_ "github.com/containerd/containerd/v2/plugins/services/version"
	_ "github.com/containerd/containerd/v2/plugins/services/warning"

	runtimev2 "github.com/containerd/containerd/v2/core/runtime/v2"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/containerd/v2/plugins"
	metadata "github.com/containerd/containerd/v2/plugins/metadata"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"github.com/containerd/platforms"
	"github.com/containerd/plugin"
	"github.com/containerd/plugin/registry"
	"github.com/moby/sys/userns"
	bolt "go.etcd.io/bbolt"
)

// Names that appear both in the plugin graph and in paths.
const (
	metadataPlugin    = "io.containerd.metadata.v1.bolt"
	shimPlugin        = "io.containerd.shim.v1.manager"
	snapshotterPlugin = "io.containerd.snapshotter.v1.overlayfs"
	taskPlugin        = "io.containerd.runtime.v2.task"
	snapshotter       = "overlayfs"
)

// registrations returns the plugins of the embedded containerd in the order
// in which they start. The list is closed: what other packages of the binary
// register with containerd's global registry does not get in.
func registrations() []plugin.Registration {
	wanted := []string{
		"io.containerd.content.v1.content",
		"io.containerd.differ.v1.walking",
		"io.containerd.event.v1.exchange",
		"io.containerd.gc.v1.scheduler",
		"io.containerd.grpc.v1.containers",
		"io.containerd.grpc.v1.content",
		"io.containerd.grpc.v1.diff",
		"io.containerd.grpc.v1.events",
		"io.containerd.grpc.v1.healthcheck",
		"io.containerd.grpc.v1.images",
		"io.containerd.grpc.v1.introspection",
		"io.containerd.grpc.v1.leases",
		"io.containerd.grpc.v1.namespaces",
		"io.containerd.grpc.v1.snapshots",
		"io.containerd.grpc.v1.tasks",
		"io.containerd.grpc.v1.version",
		"io.containerd.lease.v1.manager",
		metadataPlugin,
		"io.containerd.service.v1.containers-service",
		"io.containerd.service.v1.content-service",
		"io.containerd.service.v1.diff-service",
		"io.containerd.service.v1.images-service",
		"io.containerd.service.v1.introspection-service",
		"io.containerd.service.v1.namespaces-service",
		"io.containerd.service.v1.snapshots-service",
		"io.containerd.service.v1.tasks-service",
		shimPlugin,
		taskPlugin,
		"io.containerd.warning.v1.deprecations",
	}
	var ours plugin.Registry
	for _, r := range registry.Graph(nil) {
		if slices.Contains(wanted, r.URI()) {
			ours = ours.Register(&r)
		}
	}
	ours = ours.Register(&plugin.Registration{
		Type:   plugins.SnapshotPlugin,
		ID:     snapshotter,
		InitFn: newSnapshotter,
	})
	return ours.Graph(nil)
}

// configFor returns the configuration that a plugin starts with. It never
// returns a registered configuration that the plugin writes to.
func configFor(r plugin.Registration, dirs Dirs) any {
	switch r.URI() {
	case metadataPlugin:
		return &metadata.BoltConfig{ContentSharingPolicy: metadata.SharingPolicyShared, NoSync: noSync}
	case shimPlugin:
		return &runtimev2.ShimConfig{SocketDir: dirs.Shims()}
	default:
		return r.Config
	}
}

// newSnapshotter is containerd's overlayfs plugin, but for its database, which
// is opened the way of noSync.
func newSnapshotter(ic *plugin.InitContext) (any, error) {
	root := ic.Properties[plugins.PropertyRootDir]
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	store, err := storage.NewMetaStore(filepath.Join(root, "metadata.db"), func(o *bolt.Options) error {
		o.NoSync, o.NoGrowSync, o.NoFreelistSync = noSync, noSync, true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open snapshot database: %w", err)
	}
	options := []overlay.Opt{overlay.AsynchronousRemove, overlay.WithMetaStore(store)}
	capabilities := []string{"only-remap-ids"}
	if ok, err := overlayutils.SupportsIDMappedMounts(); err == nil && ok {
		options = append(options, overlay.WithRemapIDs)
		capabilities = append(capabilities, "remap-ids")
	}
	if !userns.RunningInUserNS() {
		capabilities = append(capabilities, snapshots.RebaseCap)
	}
	ic.Meta.Platforms = append(ic.Meta.Platforms, platforms.DefaultSpec())
	ic.Meta.Capabilities = capabilities
	ic.Meta.Exports[plugins.SnapshotterRootDir] = root
	return overlay.NewSnapshotter(root, options...)
}
