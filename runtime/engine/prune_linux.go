package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	buildkit "github.com/moby/buildkit/client"
)

// CacheRecord is one entry of BuildKit's cache.
type CacheRecord struct {
	Name string    // what the build step did
	Size int64     // bytes
	Used time.Time // last
}

// Cache returns the records of BuildKit's cache that could go, the oldest use
// first, and how many bytes the cache takes besides what images share with it.
func (d *Daemons) Cache(ctx context.Context) (unused []CacheRecord, size int64, err error) {
	if !d.everBuilt() {
		return nil, 0, nil
	}
	client, err := d.buildkit(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer client.Close()
	all, err := d.usage(ctx, client)
	if err != nil {
		return nil, 0, err
	}
	for _, one := range all {
		size += one.Size
		if !one.InUse && one.RecordType != buildkit.UsageRecordTypeInternal && one.RecordType != buildkit.UsageRecordTypeFrontend {
			unused = append(unused, toRecord(*one.UsageInfo))
		}
	}
	slices.SortFunc(unused, func(a, b CacheRecord) int { return a.Used.Compare(b.Used) })
	return unused, size, nil
}

// usage lists what the cache has for itself.
//
// Why not what BuildKit says: it tells by the blobs of a layer whether an image
// has it too, and a layer that was never written as a blob, because its build
// failed or was cancelled, looks to it like the layers below. So on top of an
// image such a layer would not count and would stay for ever.
func (d *Daemons) usage(ctx context.Context, client *buildkit.Client) (own []cacheUsage, err error) {
	all, err := client.DiskUsage(ctx)
	if err != nil {
		return nil, fmt.Errorf("size of the build cache: %w", err)
	}
	for _, one := range all {
		written, err := d.written(ctx, one.ID)
		if err != nil {
			return nil, fmt.Errorf("size of the build cache: %w", err)
		}
		if !one.Shared || !written {
			own = append(own, cacheUsage{one, one.Shared})
		}
	}
	return own, nil
}

// cacheUsage is a record that no image shares.
type cacheUsage struct {
	*buildkit.UsageInfo
	mistaken bool // for one that an image shares
}

// written reports whether a record has been written as a blob: then its lease,
// which has the same name, holds that.
func (d *Daemons) written(ctx context.Context, id string) (bool, error) {
	held, err := d.client.LeasesService().ListResources(namespaces.WithNamespace(ctx, Namespace), leases.Lease{ID: id})
	if errdefs.IsNotFound(err) {
		return false, nil // it has gone just now
	}
	return slices.ContainsFunc(held, func(r leases.Resource) bool { return r.Type == "content" }), err
}

// PruneCache removes records of BuildKit's cache until it takes at most that
// many bytes, or all the rest is in use, and returns them. Layers that BuildKit
// takes for shared go last, and all at once.
func (d *Daemons) PruneCache(ctx context.Context, most int64) ([]CacheRecord, error) {
	if !d.everBuilt() {
		return nil, nil
	}
	client, err := d.buildkit(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	own, err := d.usage(ctx, client)
	if err != nil {
		return nil, err
	}
	var size, uncounted int64
	var mistaken []string // as filters
	for _, one := range own {
		size += one.Size
		if one.mistaken {
			uncounted += one.Size
			mistaken = append(mistaken, "id=="+one.ID)
		}
	}
	// Why at least 1: to BuildKit, no bound at all is another wish.
	gone, err := prune(ctx, client, buildkit.WithKeepOpt(0, 0, max(most-uncounted, 1), 0))
	for _, r := range gone {
		size -= r.Size
	}
	if err != nil || len(mistaken) == 0 || size <= most {
		return gone, err
	}
	more, err := prune(ctx, client, buildkit.PruneAll, buildkit.WithFilter(mistaken))
	return append(gone, more...), err
}

// prune removes records and returns them.
func prune(ctx context.Context, client *buildkit.Client, how ...buildkit.PruneOption) (gone []CacheRecord, err error) {
	removed := make(chan buildkit.UsageInfo)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for one := range removed {
			gone = append(gone, toRecord(one))
		}
	}()
	err = client.Prune(ctx, removed, how...)
	close(removed)
	<-done
	if err != nil {
		return gone, fmt.Errorf("prune the build cache: %w", err)
	}
	return gone, nil
}

// everBuilt reports whether BuildKit has a cache. It need not be started to
// learn that it has none.
func (d *Daemons) everBuilt() bool {
	_, err := os.Stat(filepath.Join(d.dirs.BuildkitRoot(), "metadata_v2.db"))
	return err == nil
}

// buildkit connects to BuildKit as everybody else does.
func (d *Daemons) buildkit(ctx context.Context) (*buildkit.Client, error) {
	client, err := buildkit.New(ctx, "unix://"+d.dirs.BuildkitSocket())
	if err != nil {
		return nil, fmt.Errorf("connect to buildkit: %w", err)
	}
	return client, nil
}

func toRecord(one buildkit.UsageInfo) CacheRecord {
	r := CacheRecord{Name: one.Description, Size: one.Size, Used: one.CreatedAt}
	if one.LastUsedAt != nil {
		r.Used = *one.LastUsedAt
	}
	return r
}
